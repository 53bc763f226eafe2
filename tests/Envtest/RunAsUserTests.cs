using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Clusters that give each namespace a range of users, as OpenShift does, refuse pods that ask for another one.</summary>
public sealed class RunAsUserTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task AnEmptyUserIsLeftToTheCluster()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        Assert.Equal(65532, (long?)(await ContextAsync())["runAsUser"]);

        await RestartAsync("");
        await Eventually.TrueAsync("nobody was asked for", ContextAsync, context => context["runAsUser"] is null);
        Assert.True((bool)(await ContextAsync())["runAsNonRoot"]!);
        Assert.Empty(scenario.Operator!.Complaints);

        await RestartAsync("1000650000");
        await Eventually.TrueAsync("it was the one that was given", ContextAsync, context => (long?)context["runAsUser"] == 1000650000);

        await RestartAsync("root");
        await Eventually.TrueAsync("it was the default", ContextAsync, context => (long?)context["runAsUser"] == 65532);
        Assert.Contains("MCP_RUN_AS_USER", Assert.Single(scenario.Operator!.Complaints).ToJsonString(), StringComparison.Ordinal);

        async Task<JsonNode> ContextAsync() => (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["securityContext"]!;

        Task RestartAsync(string user) => scenario.StartOperatorAsync(new Dictionary<string, string?> { ["MCP_RUN_AS_USER"] = user });
    }
}
