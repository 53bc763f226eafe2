using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Some pods of a server on a track of their own.</summary>
public sealed class CanaryTests(ControlPlaneFixture fixture)
{
    private const string Canary = "web-canary";
    private const string Spec = "{image: 'example.org/web:1', replicas: 4, rollout: {strategy: Canary, canaryReplicas: 1, canaryImage: 'example.org/web:2'}}";

    [Fact]
    public async Task ACanaryIsCreatedResizedChangedAndRemoved()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync(Spec);
        var status = (await scenario.SettledAsync())["status"]!;
        Assert.Equal("False DeploymentProgressing", ServerScenario.StatusAndReason(status, "CanaryReady"));
        await AssertTracksAsync((3, "example.org/web:1"), (1, "example.org/web:2"));
        var (stable, canary) = (await scenario.DeploymentAsync(), await scenario.DeploymentAsync(Canary));
        foreach (var (deployment, track) in new[] { (stable, "stable"), (canary, "canary") })
        {
            var labels = $"{{app: web, app.kubernetes.io/managed-by: mcp-runtime, mcpruntime.org/rollout-track: {track}}}";
            ServerScenario.AssertJson(labels, deployment["metadata"]!["labels"]);
            ServerScenario.AssertJson(labels, deployment["spec"]!["template"]!["metadata"]!["labels"]);
            ServerScenario.AssertJson($"{{app: web, mcpruntime.org/rollout-track: {track}}}", deployment["spec"]!["selector"]!["matchLabels"]);
            Assert.Equal("web", (string?)deployment["metadata"]!["ownerReferences"]!.AsArray().Single()!["name"]);
        }

        // The Service leads to both.
        ServerScenario.AssertJson("{app: web, app.kubernetes.io/managed-by: mcp-runtime}", (await scenario.ServiceAsync())["spec"]!["selector"]);

        await scenario.RollOutAsync();
        status = await scenario.EventuallyStatusAsync("the stable track was ready", seen => (bool?)seen["deploymentReady"] == true);
        Assert.Equal(("PartiallyReady", 3, 3, false), ((string)status["phase"]!, (int)status["replicas"]!, (int)status["readyReplicas"]!, (bool)status["canaryReady"]!));
        Assert.StartsWith("canary Deployment not ready: ", (string)status["message"]!, StringComparison.Ordinal);
        await scenario.RollOutAsync(Canary);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal((4, 4, true), ((int)status["replicas"]!, (int)status["readyReplicas"]!, (bool)status["canaryReady"]!));
        Assert.Equal("app=web,app.kubernetes.io/managed-by=mcp-runtime", (string?)status["selector"]);
        Assert.Equal("example.org/web:1", (string?)status["image"]);

        var untouched = await scenario.DeploymentAsync();
        await scenario.EditAndSettleAsync("rollout: {canaryImage: 'example.org/web:3'}");
        await AssertTracksAsync((3, "example.org/web:1"), (1, "example.org/web:3"));
        ServerScenario.AssertJson(untouched, await scenario.DeploymentAsync());
        await scenario.EditAndSettleAsync("rollout: {canaryReplicas: 3}");
        await scenario.RollOutAsync(Canary);
        await ReplicasAsync(scenario, 1, 3);
        await AssertTracksAsync((1, "example.org/web:1"), (3, "example.org/web:3"));
        await scenario.EditAndSettleAsync("replicas: 6");
        await AssertTracksAsync((3, "example.org/web:1"), (3, "example.org/web:3"));
        await scenario.EditAndSettleAsync("{image: 'example.org/web:3', rollout: {canaryImage: null}}");
        await AssertTracksAsync((3, "example.org/web:3"), (3, "example.org/web:3"));

        await scenario.Client.DeleteAsync(Resource.Deployments, scenario.Namespace.Name, Canary);
        await Eventually.TrueAsync("the canary was made again", () => scenario.DeploymentAsync(Canary), _ => true);

        status = (await scenario.EditAndSettleAsync("rollout: {strategy: RollingUpdate}"))["status"]!;
        Assert.Null(ServerScenario.Condition(status, "CanaryReady"));
        Assert.False((bool)status["canaryReady"]!);
        await scenario.RollOutAsync();
        await Eventually.TrueAsync(
            "the canary was gone", () => scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, Canary), found => found is null);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal((6, 6), ((int)status["replicas"]!, (int)status["readyReplicas"]!));

        // The strategy alone turns it on again.
        await scenario.EditAndSettleAsync("rollout: {strategy: Canary}");
        await scenario.RollOutAsync(Canary);
        await ReplicasAsync(scenario, 3, 3);
        await AssertTracksAsync((3, "example.org/web:3"), (3, "example.org/web:3"));

        async Task AssertTracksAsync((int, string) stable, (int, string) canary)
        {
            Assert.Equal(stable, Track(await scenario.DeploymentAsync()));
            Assert.Equal(canary, Track(await scenario.DeploymentAsync(Canary)));
        }

        static (int, string) Track(JsonObject deployment) =>
            ((int)deployment["spec"]!["replicas"]!, (string)deployment["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]!);
    }

    [Fact]
    public async Task TheTrackThatTakesOverIsUpBeforeTheOtherOneShrinks()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 4}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        // On: the stable track stays at its full size until the canary is there.
        await EditAsync("rollout: {strategy: Canary, canaryReplicas: 1}", stable: 4, canary: 1);
        await MoveAsync(up: Canary, stable: 3, canary: 1);

        // Larger, and smaller again.
        await EditAsync("rollout: {canaryReplicas: 3}", stable: 3, canary: 3);
        await MoveAsync(up: Canary, stable: 1, canary: 3);
        await EditAsync("rollout: {canaryReplicas: 1}", stable: 3, canary: 3);
        await MoveAsync(up: ServerScenario.Name, stable: 3, canary: 1);
        await scenario.RollOutAsync(Canary);

        // Off: the canary stays until the stable track is there in full, and the pods of both are counted.
        await EditAsync("rollout: {strategy: RollingUpdate}", stable: 4, canary: 1);
        Assert.Equal(4, (int)(await scenario.ServerAsync())["status"]!["replicas"]!);
        await MoveAsync(up: ServerScenario.Name, stable: 4, canary: null);
        await scenario.EventuallyPhaseAsync("Ready");

        // What is finished later is no repair: nobody else had a hand in it.
        Assert.DoesNotContain(
            await scenario.Client.ListAsync(Resource.Events, scenario.Namespace.Name), seen => (string?)seen["reason"] is "Repaired");

        async Task EditAsync(string spec, int stable, int? canary)
        {
            await scenario.EditAndSettleAsync(spec);
            await ReplicasAsync(scenario, stable, canary);
            // Another look finds the same reason to wait.
            await scenario.PassAsync();
            await ReplicasAsync(scenario, stable, canary);
        }

        async Task MoveAsync(string up, int stable, int? canary)
        {
            await scenario.RollOutAsync(up);
            await ReplicasAsync(scenario, stable, canary);
            await scenario.RollOutAsync();
        }
    }

    [Fact]
    public async Task ACanaryThatNeverComesUpCostsTheServerNothing()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 4}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var before = await scenario.DeploymentAsync();

        await scenario.EditAndSettleAsync("rollout: {strategy: Canary, canaryReplicas: 2, canaryImage: 'example.org/web:broken'}");
        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, Canary);

        var status = await scenario.EventuallyStatusAsync(
            "the status said so", seen => ((string?)ServerScenario.Condition(seen, "CanaryReady")?["message"])?.StartsWith("0 of 2 replicas are available", StringComparison.Ordinal) == true);
        Assert.Equal("0 of 2 replicas are available; meanwhile the Deployment stays at 4", (string?)ServerScenario.Condition(status, "CanaryReady")!["message"]);
        Assert.Equal("True DeploymentAvailable", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        await scenario.PassAsync();
        ServerScenario.AssertJson(before, await scenario.DeploymentAsync());

        // A server that is to be smaller is smaller all the same, by what the canary does not do; and one that is stopped is stopped.
        await scenario.EditAndSettleAsync("replicas: 3");
        await ReplicasAsync(scenario, 3, 2);
        await scenario.EditAndSettleAsync("replicas: 0");
        await ReplicasAsync(scenario, 0, 0);
        await scenario.EditAndSettleAsync("replicas: 4");
        await ReplicasAsync(scenario, 2, 2);

        // Given up.
        await scenario.RollOutAsync();
        await scenario.EditAndSettleAsync("rollout: null");
        await ReplicasAsync(scenario, 4, 2);
        await scenario.RollOutAsync();
        await ReplicasAsync(scenario, 4, null);
    }

    [Fact]
    public async Task ACanaryServerIsScaledLikeAnyOther()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 4, rollout: {strategy: Canary, canaryReplicas: 2}}");
        await scenario.SettledAsync();

        foreach (var (replicas, stable, canary) in new[] { (0, 0, 0), (2, 1, 1), (1, 1, 0), (6, 4, 2), (0, 0, 0), (4, 2, 2) })
        {
            await scenario.Client.PatchAsync(
                Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name,
                new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } }, PatchKind.Merge, "scale");
            Assert.Equal(replicas, (int?)(await scenario.SettledAsync())["spec"]!["replicas"]);
            await ReplicasAsync(scenario, stable, canary);
            await scenario.RollOutAsync();
            await scenario.RollOutAsync(Canary);

            var status = await scenario.EventuallyPhaseAsync("Ready");
            Assert.Equal((replicas, replicas), ((int)status["replicas"]!, (int)status["readyReplicas"]!));
            Assert.Equal(
                (stable == 0 ? "True ScaledToZero" : "True DeploymentAvailable", canary == 0 ? "True ScaledToZero" : "True DeploymentAvailable"),
                (ServerScenario.StatusAndReason(status, "DeploymentReady"), ServerScenario.StatusAndReason(status, "CanaryReady")));
        }
    }

    [Fact]
    public async Task BothTracksHaveTheGatewayAndTheServiceWaitsForBoth()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync(Spec);
        await scenario.SettledAsync();
        await ServeAsync(ServerScenario.Name, Canary);
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.EditAndSettleAsync("gateway: {enabled: true, image: 'example.org/gateway:1'}");
        foreach (var track in (string[])[ServerScenario.Name, Canary])
        {
            var pod = (await scenario.DeploymentAsync(track))["spec"]!["template"]!["spec"]!;
            Assert.Equal(["web", "mcp-gateway"], pod["containers"]!.AsArray().Select(container => (string)container!["name"]!));
            Assert.Equal("web-gateway-policy", (string?)pod["volumes"]!.AsArray().Single()!["configMap"]!["name"]);
        }

        await ServeAsync(ServerScenario.Name);
        await scenario.EventuallyStatusAsync("the stable track was ready", seen => (bool?)seen["gatewayReady"] == true);
        await scenario.PassAsync();
        Assert.Equal("http", await TargetAsync());
        await ServeAsync(Canary);
        await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("gateway", await TargetAsync());

        // Off: the policy stays until the last pod of either track has left it.
        await scenario.EditAndSettleAsync("gateway: null");
        Assert.Equal("http", await TargetAsync());
        await ServeAsync(ServerScenario.Name);
        await scenario.EventuallyStatusAsync("the stable track was ready", seen => (bool?)seen["deploymentReady"] == true);
        await scenario.PassAsync();
        Assert.NotNull(await scenario.FindConfigMapAsync());
        await ServeAsync(Canary);
        await Eventually.TrueAsync("the policy was gone", () => scenario.FindConfigMapAsync(), found => found is null);

        async Task ServeAsync(params string[] deployments)
        {
            foreach (var deployment in deployments)
                await scenario.RollOutAsync(deployment);
        }

        async Task<string> TargetAsync() => (await scenario.ServiceAsync())["spec"]!["ports"]![0]!["targetPort"]!.ToString();
    }

    /// <summary>With all of its labels, and with its owner when whoever copied it did not take that out.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AUsersCopyOfTheDeploymentIsNotDeleted(bool withOwner)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var made = await scenario.Client.CreateAsync(ServerScenario.CopyOf(await scenario.DeploymentAsync(), Canary, withOwner), scenario.Namespace.Name);

        await scenario.PassAsync();
        await scenario.PassAsync();

        ServerScenario.AssertJson(made, await scenario.DeploymentAsync(Canary));
        if (fixture.ControlPlane.IsOwn)
            Assert.Single(await scenario.Namespace.OperatorRequestsAsync(), request => request is { Verb: "get", Resource: "deployments", Name: Canary });
    }

    /// <summary>Its selector is that of the stable track, which nobody can change: what we want cannot be applied to it.</summary>
    [Fact]
    public async Task AUsersCopyThatStandsWhereTheCanaryWouldIsToldAndStaysAsItIs()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', port: 8000, replicas: 4}");
        await scenario.SettledAsync();
        var made = await scenario.Client.CreateAsync(
            ServerScenario.CopyOf(await scenario.DeploymentAsync(), Canary, withOwner: false), scenario.Namespace.Name);
        await scenario.PassAsync();

        // With another port, so that the copy's one is named in the refusal, too.
        await scenario.EditAndSettleAsync("{port: 8088, rollout: {strategy: Canary, canaryReplicas: 1}}");
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False ApplyFailed", ServerScenario.StatusAndReason(status, "CanaryReady"));
        Assert.Contains("spec.selector", (string)ServerScenario.Condition(status, "CanaryReady")!["message"]!, StringComparison.Ordinal);
        await scenario.PassAsync();
        ServerScenario.AssertJson(made, await scenario.DeploymentAsync(Canary));

        await scenario.EditAndSettleAsync("rollout: null");
        await scenario.RollOutAsync();
        await scenario.PassAsync();
        await scenario.PassAsync();
        ServerScenario.AssertJson(made, await scenario.DeploymentAsync(Canary));
    }

    [Fact]
    public async Task SomebodyElsesDeploymentOfThatNameIsLeftAlone()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        var foreign = await scenario.Client.CreateAsync(
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web-canary, labels: {app: theirs, app.kubernetes.io/managed-by: mcp-runtime}}
            spec:
              selector: {matchLabels: {app: theirs}}
              template:
                metadata: {labels: {app: theirs}}
                spec: {containers: [{name: theirs, image: example.org/theirs}]}
            """,
            scenario.Namespace.Name);
        await scenario.CreateServerAsync(Spec);
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "CanaryReady"));
        Assert.Contains($"Deployment {scenario.Namespace.Name}/web-canary was not made by this operator", (string)status["message"]!, StringComparison.Ordinal);
        await scenario.PassAsync();
        ServerScenario.AssertJson(foreign, await scenario.DeploymentAsync(Canary));

        await scenario.EditAndSettleAsync("rollout: {strategy: RollingUpdate}");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();
        ServerScenario.AssertJson(foreign, await scenario.DeploymentAsync(Canary));

        await scenario.EditAndSettleAsync("rollout: {strategy: Canary}");
        await scenario.Client.DeleteAsync(Resource.Deployments, scenario.Namespace.Name, Canary);
        await Eventually.TrueAsync("the server had its own", () => scenario.DeploymentAsync(Canary), live => OwnedLeaves.Of(live).Count > 0);
    }

    [Theory]
    [InlineData("Canary")]
    [InlineData("RollingUpdate")]
    public async Task AServerThatIsCalledAsTheCanaryOfAnotherKeepsItsDeployment(string strategy)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: 'example.org/own:1'}", Canary);
        await scenario.SettledAsync(Canary);
        var own = await scenario.DeploymentAsync(Canary);
        var spec = Manifest.Parse(Spec);
        spec["rollout"]!["strategy"] = strategy;
        await scenario.CreateServerAsync(spec.ToJsonString());
        var status = (await scenario.SettledAsync())["status"]!;
        if (strategy == "Canary")
        {
            Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "CanaryReady"));
            Assert.Contains("is controlled by MCPServer web-canary", (string)status["message"]!, StringComparison.Ordinal);
        }

        // While nobody looks, so that the other server is the first one to find it without its owner.
        await scenario.StopOperatorAsync();
        await scenario.Client.PatchAsync(Resource.Deployments, scenario.Namespace.Name, Canary, """{"metadata": {"ownerReferences": null}}""");
        await scenario.AnnotateServerAsync("example.org/touched", "first");
        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--workers", "1");
        await scenario.PassAsync();
        var after = await Eventually.TrueAsync(
            "it belonged to its server again", () => scenario.DeploymentAsync(Canary), live => live["metadata"]!["ownerReferences"] is not null);
        await scenario.PassAsync();

        Assert.Equal((string)own["metadata"]!["uid"]!, (string)after["metadata"]!["uid"]!);
        Assert.Equal(OwnedLeaves.Text(own), OwnedLeaves.Text(await scenario.DeploymentAsync(Canary)));
    }

    /// <summary>Waits until both tracks have so many replicas; with none at all there is no canary.</summary>
    private static async Task ReplicasAsync(ServerScenario scenario, int stable, int? canary) => await Eventually.TrueAsync(
        $"the tracks had {stable} and {canary} replicas",
        async () => (
            (int?)(await scenario.DeploymentAsync())["spec"]!["replicas"],
            (int?)(await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, Canary))?["spec"]!["replicas"]),
        seen => seen == (stable, canary));
}
