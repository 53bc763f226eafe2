using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Unit.Api;

/// <summary>What the Go operator runs is run, and told.</summary>
public sealed class SpecDoubtsTests
{
    private static readonly OperatorSettings Settings = new() { GatewayImage = "g", AnalyticsIngestUrl = "http://ingest" };

    public static TheoryData<string, string, string[]> Specs => new()
    {
        { "demo", "", [] },
        { "demo", "\"gateway\":{\"enabled\":true},\"analytics\":{},\"session\":{\"maxLifetime\":\"1h30m\"}", [] },
        { "1demo", "", ["metadata.name: \"1demo\" starts with a digit, and not every API server takes that for the name of a Service"] },
        {
            "demo", "\"envVars\":[{\"name\":\"A\"},{\"name\":\"B\"},{\"name\":\"A\"}],\"secretEnvVars\":[{\"name\":\"A\",\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}]",
            [
                "spec.envVars[2].name: \"A\" is set by spec.envVars[0].name, too: this one counts, for it is the last; remove the other",
                "spec.secretEnvVars[0].name: \"A\" is set by spec.envVars[2].name, too: this one counts, for it is the last; remove the other",
            ]
        },
        { "demo", "\"envVars\":[{\"name\":\"1A\"}]", ["spec.envVars[0].name: \"1A\" is a name that API servers before 1.30 refuse: use letters, digits, '_', '-' and '.', no digit first"] },
        {
            "demo", "\"session\":{\"maxLifetime\":\"7d\",\"idleTimeout\":\"60\"}",
            [
                "spec.session.maxLifetime: \"7d\" is handed on as it is, and is no duration: write 24h, 1h30m or 45s",
                "spec.session.idleTimeout: \"60\" is handed on as it is, and is no duration: write 24h, 1h30m or 45s",
            ]
        },
        {
            "demo", "\"gateway\":{\"enabled\":true,\"upstreamURL\":\"up:80\",\"stripPrefix\":\"a..b\"},\"analytics\":{\"ingestURL\":\"ftp://robot:geheim@up\"},\"auth\":{\"mode\":\"oauth\",\"issuerURL\":\"id.example.com\"}",
            [
                "spec.gateway.upstreamURL: \"up:80\" is handed on as it is, and is no URL that starts with http:// or https://",
                "spec.gateway.stripPrefix: \"a..b\" must not contain \"..\"",
                "spec.analytics.ingestURL: \"ftp://…@up\" is handed on as it is, and is no URL that starts with http:// or https://",
                "spec.auth.issuerURL: \"id.example.com\" is handed on as it is, and is no URL that starts with http:// or https://",
            ]
        },
        { "demo", "\"route\":\"HTTPRoute\",\"httpRoute\":{\"parentRefs\":[{\"name\":\"g\"}]},\"tls\":{\"secretName\":\"mine\"}",
            ["spec.tls: has no effect on an HTTPRoute but the https of its URL: the certificate is that of the Gateway's listener"] },
        { "demo", "\"route\":\"HTTPRoute\",\"httpRoute\":{\"parentRefs\":[{\"name\":\"g\"}]},\"tls\":{}", [] },
        { "demo", "\"tls\":{\"secretName\":\"mine\"}", [] },
        {
            "demo", "\"readiness\":\"mcp\",\"gateway\":{\"enabled\":true,\"upstreamURL\":\"http://127.0.0.1:9000/x\"}",
            ["spec.readiness: asks spec.port, 8088, and spec.gateway.upstreamURL leads to port 9000"]
        },
        { "demo", "\"readiness\":\"mcp\",\"gateway\":{\"enabled\":true,\"upstreamURL\":\"http://127.0.0.1:8088/x\"}", [] },
        { "demo", "\"readiness\":\"tcp\",\"gateway\":{\"enabled\":true,\"upstreamURL\":\"http://127.0.0.1:9000/x\"}", [] },
        { "demo", "\"publicPathPrefix\":\"demo\",\"ingressPath\":\"/tools\"", ["spec.ingressPath: \"/tools\" is not used, for spec.publicPathPrefix is set: take one of the two out"] },
        { "demo", "\"publicPathPrefix\":\"team\",\"ingressPath\":\"/demo/mcp\"", [] },
        { "demo", "\"publicPathPrefix\":\"my team\"", ["spec.publicPathPrefix: \"my team\" has blanks in it, which not every ingress controller takes"] },
    };

    [Theory]
    [MemberData(nameof(Specs))]
    public void WhatIsDoubtfulIsNamedByFieldAndIsNoFault(string name, string fields, string[] doubts)
    {
        var server = SampleServers.Of(
            JsonSerializer.Deserialize($"{{\"image\":\"i\"{(fields.Length == 0 ? "" : "," + fields)}}}", ApiJsonContext.Default.MCPServerSpec)!, name);
        var effective = server with { Spec = Defaults.Apply(name, server.Spec, Settings) };

        Assert.Equal(doubts, SpecDoubts.Of(server, effective.Spec).Select(doubt => doubt.ToString()));
        Assert.Empty(Validation.Validate(effective, Settings));
    }
}
