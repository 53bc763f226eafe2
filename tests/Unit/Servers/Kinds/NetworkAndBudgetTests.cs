using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers.Kinds;

/// <summary>The PodDisruptionBudget and the NetworkPolicy of a server.</summary>
public sealed class NetworkAndBudgetTests
{
    private const string Selector = """{"matchLabels":{"app":"demo","app.kubernetes.io/managed-by":"mcp-runtime"}}""";

    [Theory]
    [InlineData(2, true, true)]
    [InlineData(1, true, false)]
    [InlineData(0, true, false)]
    [InlineData(2, false, false)]
    public void ABudgetIsForMoreThanOneReplica(int replicas, bool asks, bool isWanted)
    {
        var spec = new MCPServerSpec { Image = "a:1", Replicas = replicas, DisruptionBudget = asks ? new() { MinAvailable = Json("1") } : null };

        Assert.Equal(isWanted, Of<DisruptionBudgetKind>().DesiredStateOf(Passes.Over(SampleServers.Effective(spec))) is DesiredState.Apply);
        Assert.Equal(isWanted, Of<DisruptionBudgetKind>().DesiredStateOf(Passes.Over(SampleServers.Effective(spec with { Suspend = true }))) is DesiredState.Apply);
    }

    [Theory]
    [InlineData("1", null, """{"selector":SELECTOR,"minAvailable":1}""")]
    [InlineData(null, "\"50%\"", """{"selector":SELECTOR,"maxUnavailable":"50%"}""")]
    public void ABudgetHasWhatTheSpecSays(string? least, string? most, string expected)
    {
        var spec = new MCPServerSpec { Image = "a:1", Replicas = 2, DisruptionBudget = new() { MinAvailable = Json(least), MaxUnavailable = Json(most) } };

        AssertSpec(expected, DisruptionBudgetKind.Build(SampleServers.Effective(spec)));
    }

    [Theory]
    [InlineData(false, true, """[{"port":"http","protocol":"TCP"}]""")]
    [InlineData(true, false, """[{"port":"gateway","protocol":"TCP"},{"port":"metrics","protocol":"TCP"},{"port":"http","protocol":"TCP"}]""")]
    [InlineData(true, true, """[{"port":"gateway","protocol":"TCP"},{"port":"metrics","protocol":"TCP"}]""")]
    public void PeersGetInWhereTheServiceLeads(bool hasGateway, bool toGateway, string ports)
    {
        var spec = new MCPServerSpec { Image = "a:1", Network = new() { IngressFrom = Json("""[{"podSelector":{"matchLabels":{}}}]""") } };
        var server = hasGateway ? SampleServers.WithGateway(spec) : SampleServers.Effective(spec);

        AssertSpec(
            $$"""{"podSelector":SELECTOR,"ingress":[{"from":[{"podSelector":{} }],"ports":{{ports}} }],"policyTypes":["Ingress"]}""",
            NetworkPolicyKind.Build(server, toGateway));
    }

    /// <summary>Around the gateway, too, for the server itself is asked; nobody else gets there.</summary>
    [Theory]
    [InlineData("mcp", "system", true)]
    [InlineData("mcp", null, false)]
    [InlineData("tcp", "system", false)]
    [InlineData(null, "system", false)]
    public void TheOperatorGetsInWhereItAsksTheServer(string? readiness, string? ns, bool isLetIn)
    {
        var server = SampleServers.WithGateway(new MCPServerSpec { Image = "a:1", Readiness = readiness, Network = new() { IngressFrom = Json("[]") } });
        const string rule = """
            "ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"system"}},"podSelector":{"matchLabels":{"control-plane":"controller-manager"}}}],"ports":[{"port":"http","protocol":"TCP"}]}],
            """;

        AssertSpec($$"""{"podSelector":SELECTOR,{{(isLetIn ? rule : "")}}"policyTypes":["Ingress"]}""", NetworkPolicyKind.Build(server, operatorNamespace: ns));
        // What is open needs no rule, and one would close it.
        var open = server with { Spec = server.Spec with { Network = new() { EgressTo = Json("[]") } } };
        AssertSpec("""{"podSelector":SELECTOR,"policyTypes":["Egress"]}""", NetworkPolicyKind.Build(open, operatorNamespace: ns));
    }

    [Theory]
    [InlineData("[]", null, """{"podSelector":SELECTOR,"policyTypes":["Ingress"]}""")]
    [InlineData(null, "[]", """{"podSelector":SELECTOR,"policyTypes":["Egress"]}""")]
    [InlineData(null, "[{}]", """{"podSelector":SELECTOR,"egress":[{}],"policyTypes":["Egress"]}""")]
    [InlineData(null, """[{"to":[],"ports":[{"port":53,"protocol":"UDP"},{"port":53}]}]""",
        """{"podSelector":SELECTOR,"egress":[{"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]}],"policyTypes":["Egress"]}""")]
    public void AnEmptyListClosesItsDirectionAndTheRestIsAsStored(string? from, string? to, string expected) => AssertSpec(
        expected,
        NetworkPolicyKind.Build(SampleServers.Effective(new MCPServerSpec { Image = "a:1", Network = new() { IngressFrom = Json(from), EgressTo = Json(to) } })));

    [Fact]
    public void WithoutTheFieldsThereIsNeither()
    {
        var pass = Passes.Over(SampleServers.Effective());

        Assert.IsType<DesiredState.Absent>(Of<NetworkPolicyKind>().DesiredStateOf(pass));
        Assert.IsType<DesiredState.Absent>(Of<DisruptionBudgetKind>().DesiredStateOf(pass));
        Assert.Empty(Of<NetworkPolicyKind>().ConditionsOf(pass));
        Assert.Empty(Of<DisruptionBudgetKind>().ConditionsOf(pass));
    }

    private static T Of<T>() => Passes.Kinds().All.OfType<T>().Single();

    private static JsonElement? Json(string? text) => text is null ? null : JsonElement.Parse(text);

    private static void AssertSpec(string expected, byte[] body) => Assert.Equal(
        JsonNode.Parse(expected.Replace("SELECTOR", Selector, StringComparison.Ordinal))!.ToJsonString(), JsonNode.Parse(body)!["spec"]!.ToJsonString());
}
