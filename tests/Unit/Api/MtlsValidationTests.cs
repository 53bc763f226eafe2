using System.Text.Json;
using McpOperator.Api;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Api;

/// <summary>What <c>auth.mode: mtls</c> asks of a spec, and that nothing in one gets out of the quotes of a rule of Traefik, or of an identity.</summary>
public sealed class MtlsValidationTests
{
    private static readonly OperatorSettings Settings = new() { MtlsClusterIssuer = "ca", GatewayImage = "g" };

    private const string Fine = "\"image\":\"i\",\"gateway\":{\"enabled\":true},\"ingressHost\":\"mcp.example.org\",\"auth\":{\"mode\":\"mtls\",\"trustDomain\":\"example.org\"}";

    public static TheoryData<string, string[]> Rules => new()
    {
        { "", [] },
        { "\"route\":\"Ingress\",\"ingressClass\":\"traefik\",\"tls\":{\"secretName\":\"cert\"},\"ingressPathType\":\"Exact\"", [] },
        { "\"auth\":{\"mode\":\" mtls \",\"trustDomain\":\" a_b-c.1 \"}", [] },
        { "\"gateway\":{\"enabled\":false}", ["spec.auth.mode"] },
        { "\"gateway\":null", ["spec.auth.mode"] },
        { "\"auth\":{\"mode\":\"mtls\"}", ["spec.auth.trustDomain"] },
        { "\"auth\":{\"mode\":\"mtls\",\"trustDomain\":\" \"}", ["spec.auth.trustDomain"] },
        { "\"ingressHost\":null,\"publicPathPrefix\":\"p\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"*.example.org\"", ["spec.ingressHost"] },
        { "\"ingressClass\":\"nginx\"", ["spec.ingressClass"] },
        { "\"route\":\"None\"", ["spec.route"] },
        { "\"route\":\"HTTPRoute\",\"httpRoute\":{\"parentRefs\":[{\"name\":\"g\"}]}", ["spec.route"] },
        { "\"tls\":{\"issuer\":{\"name\":\"ca\"}}", ["spec.tls.issuer"] },
        { "\"ingressPath\":\"/a{b:.*}\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a}\"", ["spec.ingressPath"] },
        { "\"publicPathPrefix\":\"{a}\"", ["spec.publicPathPrefix"] },
        // Not used beside a prefix.
        { "\"publicPathPrefix\":\"a\",\"ingressPath\":\"/{\"", [] },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void NamesEachFieldWithAFault(string fields, string[] faulty) =>
        Assert.Equal(faulty.Order(), Faults(fields).Select(fault => fault.Field).Order());

    [Fact]
    public void WithoutAnIssuerTheFaultNamesTheVariable()
    {
        var fault = Assert.Single(Faults("", Settings with { MtlsClusterIssuer = null }));

        Assert.Equal("spec.auth.mode", fault.Field);
        Assert.Contains("MCP_MTLS_CLUSTER_ISSUER", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void TheOperatorsOwnClassAndHostCountToo()
    {
        Assert.Equal(["spec.ingressClass"], Faults("", Settings with { DefaultIngressClass = "nginx" }).Select(fault => fault.Field));
        Assert.Empty(Faults("\"ingressHost\":null", Settings with { DefaultIngressHost = "default.example.org" }));
    }

    /// <summary>Of who may call what only the trust domain says anything: the mode alone is written into the policy, whatever else is missing.</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData("\"ingressHost\":null,\"publicPathPrefix\":\"p\"", false)]
    [InlineData("\"gateway\":null", false)]
    [InlineData("\"auth\":{\"mode\":\"mtls\"}", true)]
    [InlineData("\"auth\":{\"mode\":\"mtls\",\"trustDomain\":\"a/b\"}", true)]
    [InlineData("\"auth\":{\"mode\":\"ldap\"}", true)]
    public void OnlyTheTrustDomainKeepsThePolicyFromBeingWritten(string fields, bool hasAccessFault) =>
        Assert.Equal(hasAccessFault, Validation.AccessFaults(Effective(fields, new OperatorSettings { GatewayImage = "g" })).Count > 0);

    public static TheoryData<string> Attempts => new(
        "x`) || PathPrefix(`/", "x`", "{x}", "{x:.*}", "a\nb", "a\r\nb", "a\tb", "a\u0000b", "a\u2028b", "x\"", "x'", "x) || (", "x\\", "a b", "x?y", "x#y", "x/../y", "..", "x@y", "x:80", "x%2fy", "X", "ü");

    /// <summary>Whatever gets through validation, a rule has the quotes that the operator wrote, and an identity its own four steps.</summary>
    [Theory]
    [MemberData(nameof(Attempts))]
    public void NothingGetsOutOfARuleOrAnIdentity(string text)
    {
        foreach (var field in (string[])["ingressHost", "ingressPath", "publicPathPrefix"])
        {
            var server = Effective($"\"{field}\":{JsonSerializer.Serialize(text)}", Settings);
            if (Validation.Validate(server, Settings).Count > 0)
                continue;
            var route = MtlsObjects.IngressRoute(server, Settings);
            var rule = (string)route["routes"]![0]!["match"]!;
            Assert.Matches("""^Host\(`[-a-z0-9.]+`\) && \(Path\(`/[^`{}\p{C}]*`\) \|\| PathPrefix\(`/[^`{}\p{C}]*/`\)\)$""", rule);
        }

        var domain = Effective($"\"auth\":{{\"mode\":\"mtls\",\"trustDomain\":{JsonSerializer.Serialize(text)}}}", Settings);
        if (Validation.Validate(domain, Settings).Count == 0)
            Assert.Matches("^spiffe://[-a-z0-9._]+/ns/team/ingress/demo$", Spiffe.IngressOf(domain));
    }

    [Theory]
    [InlineData("x`) || PathPrefix(`/", "ingressHost ingressPath publicPathPrefix trustDomain")]
    [InlineData("{x}", "ingressHost ingressPath publicPathPrefix trustDomain")]
    [InlineData("a\nb", "ingressHost ingressPath publicPathPrefix trustDomain")]
    [InlineData("x\"", "ingressHost trustDomain")]
    [InlineData("x?y", "ingressHost trustDomain")]
    [InlineData("x#y", "ingressHost trustDomain")]
    [InlineData("X", "ingressHost trustDomain")]
    [InlineData("x/ns/other/ingress/y", "ingressHost trustDomain")]
    public void WhatWouldGetOutIsRefused(string text, string fields)
    {
        var json = JsonSerializer.Serialize(text);
        var refused = new List<string>();
        foreach (var field in (string[])["ingressHost", "ingressPath", "publicPathPrefix"])
        {
            if (Faults($"\"{field}\":{json}").Any(fault => fault.Field == $"spec.{field}"))
                refused.Add(field);
        }

        if (Faults($"\"auth\":{{\"mode\":\"mtls\",\"trustDomain\":{json}}}").Any(fault => fault.Field == "spec.auth.trustDomain"))
            refused.Add("trustDomain");

        Assert.Equal(fields, string.Join(' ', refused));
    }

    [Fact]
    public void ATrustDomainHas255CharactersAtMost()
    {
        Assert.True(Spiffe.IsTrustDomain(new string('a', 255)));
        Assert.False(Spiffe.IsTrustDomain(new string('a', 256)));
        Assert.False(Spiffe.IsTrustDomain(""));
    }

    private static IReadOnlyList<SpecFault> Faults(string fields, OperatorSettings? settings = null) =>
        Validation.Validate(Effective(fields, settings ?? Settings), settings ?? Settings);

    /// <summary>A later member of the same name wins.</summary>
    private static MCPServer Effective(string fields, OperatorSettings settings)
    {
        var spec = JsonSerializer.Deserialize($"{{{Fine}{(fields.Length == 0 ? "" : ",")}{fields}}}", ApiJsonContext.Default.MCPServerSpec)!;
        return SampleServers.Effective(spec, settings);
    }
}
