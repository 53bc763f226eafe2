using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>A server without pods, for a while, and fifty that are scaled at a time.</summary>
public sealed class SuspendTests(ControlPlaneFixture fixture)
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 50).Select(i => $"web-{i:00}")];

    [Fact]
    public async Task ASuspendedServerHasNoPodsOnEitherTrackAndKeepsItsRoute()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 4, rollout: {strategy: Canary, canaryReplicas: 1}}");
        await scenario.SettledAsync();
        await RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var (service, ingress) = (Version(await scenario.ServiceAsync()), Version(await scenario.IngressAsync()));

        await scenario.EditAndSettleAsync("suspend: true");
        await ReplicasAsync(0, 0);
        await RollOutAsync();
        var status = await scenario.EventuallyPhaseAsync("Suspended");
        Assert.Equal(
            ("True Suspended", "True Suspended", "True Suspended", "True IngressCreated"),
            (ServerScenario.StatusAndReason(status, "Ready"), ServerScenario.StatusAndReason(status, "DeploymentReady"),
                ServerScenario.StatusAndReason(status, "CanaryReady"), ServerScenario.StatusAndReason(status, "IngressReady")));
        Assert.StartsWith("Suspended: ", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal((0, "/web/mcp"), ((int)status["replicas"]!, (string)status["url"]!));

        // An autoscaler goes on; what it asks for is for later.
        var stood = Version(await scenario.DeploymentAsync());
        await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name,
            new JsonObject { ["spec"] = new JsonObject { ["replicas"] = 6 } }, PatchKind.Merge, "scale");
        await scenario.SettledAsync();
        Assert.Equal((stood, service, ingress), (Version(await scenario.DeploymentAsync()), Version(await scenario.ServiceAsync()), Version(await scenario.IngressAsync())));

        await scenario.EditAndSettleAsync("suspend: null");
        await ReplicasAsync(5, 1);
        await RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal(("True AllResourcesReady", 6), (ServerScenario.StatusAndReason(status, "Ready"), (int)status["replicas"]!));
        await Eventually.TrueAsync(
            "it was told", () => scenario.EventsAsync(), told => told.Any(one => (string?)one["reason"] == "Suspended" && (string?)one["type"] == "Normal"));

        async Task RollOutAsync()
        {
            await scenario.RollOutAsync();
            await scenario.RollOutAsync("web-canary");
        }

        async Task ReplicasAsync(int stable, int canary) => await Eventually.TrueAsync(
            $"there were {stable} and {canary} replicas",
            async () => ((int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!, (int)(await scenario.DeploymentAsync("web-canary"))["spec"]!["replicas"]!),
            replicas => replicas == (stable, canary));
    }

    [Fact]
    public async Task FiftyServersThatAreScaledAtATimeCostOneApplyEach()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "4");
        await Crowd.CreateAsync(scenario, Names);
        await Crowd.RollOutAsync(scenario, Names);
        var before = await scenario.Namespace.OperatorRequestsAsync();

        await Parallel.ForEachAsync(Names, async (name, _) => await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, name, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = 3 } }, PatchKind.Merge, "scale"));
        await Eventually.TrueAsync(
            "all had three replicas", () => scenario.Client.ListAsync(Resource.Deployments, scenario.Namespace.Name),
            all => all.All(deployment => (int)deployment["spec"]!["replicas"]! == 3));
        await Crowd.RollOutAsync(scenario, Names);

        var writes = (await scenario.Namespace.OperatorRequestsAsync()).Skip(before.Count).Where(request => request.IsWrite && request.Resource != "events").ToList();
        Assert.Equal(Names, writes.Where(write => write.Resource == "deployments").Select(write => write.Name!).Order(StringComparer.Ordinal));
        // One that says that it goes on, and one that it is ready.
        Assert.All(
            writes.Where(write => write.Resource != "deployments").GroupBy(write => write.Name),
            of => Assert.True(of.Count() <= 2, string.Join(", ", of)));
        Assert.All(writes, write => Assert.True(write.Resource is "deployments" or "mcpservers", $"{write}"));
    }

    private static string Version(JsonObject live) => (string)live["metadata"]!["resourceVersion"]!;
}
