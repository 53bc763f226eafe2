using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What is doubtful in a spec runs, as the Go operator runs it, and is told.</summary>
public sealed class SpecWarningTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task ItRunsAndIsToldByOneEventAndByTheMessageOfAServerThatIsReady()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("""
            image: example.org/web:1
            envVars: [{name: A, value: '1'}, {name: B, value: b}, {name: A, value: '2'}]
            publicPathPrefix: my team
            session: {maxLifetime: 7d}
            gateway: {enabled: true, image: example.org/gateway:1}
            """);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();

        var status = await scenario.EventuallyPhaseAsync("Ready");
        const string Doubts = "spec.publicPathPrefix: \"my team\" has blanks in it, which not every ingress controller takes; " +
            "spec.envVars[2].name: \"A\" is set by spec.envVars[0].name, too: this one counts, for it is the last; remove the other; " +
            "spec.session.maxLifetime: \"7d\" is handed on as it is, and is no duration: write 24h, 1h30m or 45s";
        Assert.Equal($"All resources are ready, but the spec is doubtful: {Doubts}", (string?)status["message"]);
        Assert.Equal("True AllResourcesReady", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Equal("""[{"name":"B","value":"b"},{"name":"A","value":"2"}]""", (await scenario.ContainerAsync())["env"]!.ToJsonString());
        Assert.Equal("7d", (string?)(await scenario.PolicyAsync())["session"]!["max_lifetime"]);
        Assert.Equal(
            "/my team/mcp", (string?)(await scenario.IngressAsync())["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["path"]);
        await scenario.PassAsync();
        Assert.Equal(Doubts, Assert.Single(await WarningsAsync(scenario)));

        await scenario.EditAndSettleAsync("{envVars: null, publicPathPrefix: null, session: null}");
        await scenario.RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("All resources are ready", (string?)status["message"]);
        Assert.Single(await WarningsAsync(scenario));
    }

    /// <summary>Newer ones take it.</summary>
    [Fact]
    public async Task WhatTheApiServerDoesNotTakeIsSaidInItsWords()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1", "1web");
        await scenario.SettledAsync("1web");
        var status = (await scenario.ServerAsync("1web"))["status"]!;

        var service = await scenario.Client.FindAsync(Resource.Services, scenario.Namespace.Name, "1web");
        if (service is null)
            Assert.Contains("Service \"1web\" is invalid", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal(service is null ? "False ApplyFailed" : "True ServiceCreated", ServerScenario.StatusAndReason(status, "ServiceReady"));
        Assert.Contains("\"1web\" starts with a digit", Assert.Single(await WarningsAsync(scenario, "1web")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASpecWithoutAnalyticsSendsNoneThoughTheOperatorKnowsWhere()
    {
        await using var scenario = await ServerScenario.StartAsync(
            fixture, new Dictionary<string, string?>(ServerScenario.Permissive) { ["MCP_SENTINEL_INGEST_URL"] = "http://ingest.example.org" },
            ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        Assert.DoesNotContain("ANALYTICS_INGEST_URL", await VariablesAsync());

        await scenario.EditAndSettleAsync("analytics: {}");
        Assert.Contains("ANALYTICS_INGEST_URL", await VariablesAsync());

        async Task<IEnumerable<string>> VariablesAsync() => (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["containers"]!.AsArray()
            .SelectMany(container => container!["env"] as JsonArray ?? []).Select(variable => (string)variable!["name"]!);
    }

    private static async Task<IReadOnlyList<string>> WarningsAsync(ServerScenario scenario, string name = ServerScenario.Name) => await Eventually.TrueAsync(
        "the warning was an event",
        async () => (IReadOnlyList<string>)[.. (await scenario.Client.ListAsync(Resource.Events, scenario.Namespace.Name))
            .Where(found => (string?)found["reason"] == "SpecWarning" && (string?)found["regarding"]!["name"] == name && (string?)found["type"] == "Warning")
            .Select(found => (string)found["note"]!)],
        found => found.Count > 0);
}
