using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Why a server is not ready, found in its pods, and how much is told of one that comes up.</summary>
public sealed class DiagnosisTests(ControlPlaneFixture fixture)
{
    private static readonly IReadOnlyDictionary<string, string?> Soon =
        new Dictionary<string, string?>(ServerScenario.Permissive) { ["MCP_DIAGNOSE_AFTER"] = "1s" };

    [Fact]
    public async Task TheCauseIsTheReasonTheMessageOneWarningAndAMetricUntilItIsMended()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Soon, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await PodAsync(scenario, "web-1-a", """{"waiting": {"reason": "ErrImagePull", "message": "example.org/web:1: not found"}}""");
        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name);

        var status = await scenario.EventuallyStatusAsync("the cause was found", status => ReasonOfReady(status) == "ImagePullFailed");
        const string Cause = "0 of 1 replicas are available: the server: the registry has no image example.org/web:1: example.org/web:1: not found; "
            + "correct spec.image or spec.imageTag (pod web-1-a)";
        Assert.Equal("False ImagePullFailed", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Equal(Cause, (string?)ServerScenario.Condition(status, "DeploymentReady")!["message"]);
        Assert.Equal($"Deployment not ready: {Cause}", (string?)status["message"]);
        Assert.Equal("PartiallyReady", (string?)status["phase"]);
        Assert.Equal(1, await scenario.Operator!.MetricAsync("mcp_operator_servers_not_ready", "reason=\"ImagePullFailed\""));
        var told = (await Eventually.TrueAsync("it was told", () => scenario.EventsAsync(), events => events.Count > 1))[^1];
        Assert.Equal(("Warning", "ImagePullFailed"), ((string?)told["type"], (string?)told["reason"]));

        // Another process finds the same, and has nothing to say.
        var writes = (await scenario.WritesAsync()).Count;
        await scenario.StartOperatorAsync(Soon, ServerScenario.OneWorker);
        await scenario.PassAsync();
        Assert.Equal(writes, (await scenario.WritesAsync()).Count);

        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var events = await Eventually.TrueAsync(
            "that it is ready was told", () => scenario.EventsAsync(), events => events.Any(told => (string?)told["reason"] == "Ready"));
        Assert.Equal(["Created", "ImagePullFailed", "Ready"], events.Select(told => (string?)told["reason"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AServerThatComesUpCostsTwoStatusWritesAndOneEvent()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 3}");
        await scenario.SettledAsync();
        // As a Deployment controller and a kubelet do: taken up, a pod made, some ready.
        for (var ready = 0; ready < 3; ready++)
        {
            await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name, ready);
            await scenario.PassAsync();
        }

        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();

        Assert.Equal(2, (await scenario.WritesAsync()).Count(write => write.Subresource == "status"));
        Assert.Equal("Created", (string?)(await scenario.EventsAsync()).Single()["reason"]);
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => request is { Resource: "pods", Verb: "list" });
    }

    [Fact]
    public async Task TheLastStateOfARolloutIsWrittenThoughNothingMoreHappens()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Soon, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 3}");
        await scenario.SettledAsync();
        for (var ready = 0; ready < 3; ready++)
            await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name, ready);

        var status = await scenario.EventuallyStatusAsync("two replicas were counted", status => (int?)status["readyReplicas"] == 2);
        Assert.Equal("Deployment not ready: 2 of 3 replicas are available", (string?)status["message"]);
    }

    [Fact]
    public async Task TwoHundredBrokenServersCostOneListEachAndReadyOnesNone()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, Soon);
        var broken = Enumerable.Range(0, 200).Select(i => $"broken-{i}").ToList();
        await scenario.CreateServerAsync("image: example.org/web:1", "fine");
        await scenario.SettledAsync("fine");
        await scenario.RollOutAsync("fine");
        await Parallel.ForEachAsync(broken, async (name, _) => await scenario.CreateServerAsync("image: example.org/web:1", name));
        foreach (var name in broken)
            await scenario.SettledAsync(name);
        await Parallel.ForEachAsync(broken, async (name, _) =>
            await PodAsync(scenario, $"{name}-1-a", """{"waiting": {"reason": "InvalidImageName", "message": "invalid reference format"}}""", name));

        await Eventually.TrueAsync("all were looked at", async () => (await ListsAsync()).Count, count => count >= broken.Count);
        var began = (await ListsAsync())[0].Received;
        await scenario.PassAsync("fine");
        // Whoever was looked at early comes again after a minute; on a slow machine that may be now.
        var lists = (await ListsAsync()).TakeWhile(request => request.Received - began < TimeSpan.FromSeconds(60)).ToList();
        Assert.All(lists.GroupBy(request => request.RequestUri), server => Assert.Single(server));
        Assert.DoesNotContain(lists, request => request.RequestUri.Contains("app%3Dfine", StringComparison.Ordinal));

        async Task<IReadOnlyList<AuditEvent>> ListsAsync() =>
            [.. (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request is { Resource: "pods", Verb: "list" })];
    }

    /// <summary>Where the pod itself says that it waits, and not for what.</summary>
    [Fact]
    public async Task WhatTheKubeletSaysInAnEventComesWithTheSecondLook()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, Soon, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 3}");
        await scenario.SettledAsync();
        await PodAsync(scenario, "web-1-a", Pods.BackOff);
        await Pods.WarnAsync(scenario.Client, scenario.Namespace.Name, "web-1-a", "BackOff", "Back-off pulling image");
        await Pods.WarnAsync(scenario.Client, scenario.Namespace.Name, "web-1-a", "Failed", "Failed to pull image: 401 Unauthorized");
        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name);
        await scenario.EventuallyStatusAsync("the first look found the pod", status => ReasonOfReady(status) == "ImagePullFailed");

        for (var ready = 1; ready < 3; ready++)
        {
            await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name, ready);
            await scenario.EventuallyStatusAsync("it was looked at again", status =>
                ((string)status["message"]!).StartsWith($"Deployment not ready: {ready} of 3 replicas are available: the server: the registry does not give image "
                    + "example.org/web:1 away: Failed to pull image: 401 Unauthorized;", StringComparison.Ordinal));
        }

        Assert.Single(await scenario.Namespace.OperatorRequestsAsync(), request => request is { Resource: "events", Verb: "list" });
    }

    [Fact]
    public async Task APausedDeploymentSaysSo()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Soon, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await scenario.Client.PatchAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, """{"spec": {"paused": true}}""");
        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name);

        var status = await scenario.EventuallyStatusAsync("it was said", status => ReasonOfReady(status) == "DeploymentPaused");
        Assert.Equal(
            "Deployment not ready: 0 of 1 replicas are available: it is paused; kubectl rollout resume deployment/web lets it go on", (string?)status["message"]);
    }

    /// <summary>Where a selector has an owner for each key, as on Kubernetes 1.20, another's stays; elsewhere it is put right.</summary>
    [Fact]
    public async Task ASelectorKeyOfOthersThatNoPodCarriesIsTheReasonUntilItGoes()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Soon, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await SelectAsync("blue");
        await scenario.PassAsync();
        var selector = (await scenario.ServiceAsync())["spec"]!["selector"]!.AsObject();
        if (!selector.ContainsKey("track"))
        {
            Assert.Equal(2, selector.Count);
            return;
        }

        var status = await scenario.EventuallyStatusAsync("the mismatch was told", status => ReasonOfReady(status) == "SelectorMismatch");
        Assert.Equal("False SelectorMismatch", ServerScenario.StatusAndReason(status, "ServiceReady"));
        Assert.Equal(
            "Service not ready: no pod has the label track=blue that its selector asks for (by somebody), so that it leads nowhere; "
                + "take it out of the selector: kubectl edit service web",
            (string?)status["message"]);
        var told = (await Eventually.TrueAsync("it was told", () => scenario.EventsAsync(), events => events.Count > 1))[^1];
        Assert.Equal(("Warning", "SelectorMismatch"), ((string?)told["type"], (string?)told["reason"]));
        Assert.True((await scenario.ServiceAsync())["spec"]!["selector"]!.AsObject().ContainsKey("track"));

        await SelectAsync(null);
        await scenario.EventuallyPhaseAsync("Ready");

        Task SelectAsync(string? value) => scenario.Client.PatchAsync(
            Resource.Services, scenario.Namespace.Name, ServerScenario.Name,
            new JsonObject { ["spec"] = new JsonObject { ["selector"] = new JsonObject { ["track"] = value } } }, PatchKind.Strategic, fieldManager: "somebody");
    }

    private static string? ReasonOfReady(JsonNode status) => (string?)ServerScenario.Condition(status, "Ready")?["reason"];

    private static Task PodAsync(ServerScenario scenario, string name, string state, string server = ServerScenario.Name) =>
        Pods.CreateAsync(scenario.Client, scenario.Namespace.Name, server, name, state);
}
