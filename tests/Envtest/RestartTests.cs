using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The operator ends and begins again in the middle of its work, and runs twice at a time.</summary>
public sealed class RestartTests(ControlPlaneFixture fixture)
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 50).Select(i => $"web-{i:00}")];

    [Fact]
    public async Task AnOperatorThatIsKilledInTheMiddleOfFiftyServersFinishesThemAfterItsRestart()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await InTheMiddleAsync(scenario);

        await scenario.Operator!.KillAsync();
        Assert.InRange(scenario.Operator.Log.Count(IsCreated), 1, (3 * Names.Length) - 1);
        await scenario.StartOperatorAsync(ServerScenario.Permissive);

        await Crowd.ReachAsync(scenario, Names, "PartiallyReady");
        await Crowd.RollOutAsync(scenario, Names);
        await OnceEachAsync(scenario);
    }

    [Fact]
    public async Task SigtermInTheMiddleOfFiftyServersFinishesWhatIsInFlightAndTheNextOperatorDoesTheRest()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--log-level", "debug");
        await InTheMiddleAsync(scenario);

        var stopped = scenario.Operator!;
        Assert.Equal(0, await stopped.StopAsync());
        Assert.Equal("Stopped", (string?)stopped.Log.Last()["event"]);
        Assert.Equal(stopped.Lines.Count, stopped.Log.Count());
        Assert.Empty(stopped.Complaints);
        Assert.InRange(stopped.Log.Count(IsCreated), 1, (3 * Names.Length) - 1);
        await scenario.StartOperatorAsync(ServerScenario.Permissive);

        await Crowd.ReachAsync(scenario, Names, "PartiallyReady");
        await OnceEachAsync(scenario);
        if (fixture.ControlPlane.IsOwn)
        {
            // What was in flight was finished, so nobody had to do it again.
            var applies = (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.Verb == "patch" && request.Resource != "mcpservers");
            Assert.All(applies.GroupBy(request => $"{request.Resource}/{request.Name}"), of => Assert.Single(of));
        }
    }

    [Fact]
    public async Task TwoOperatorsAtATimeDoNotFight()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await using var second = await OperatorProcess.StartAsync(
            fixture.ControlPlane, scenario.Namespace, new() { Arguments = ServerScenario.OneWorker, Environment = ServerScenario.Permissive });
        var some = Names[..12];
        await Crowd.CreateAsync(scenario, some);
        await Crowd.RollOutAsync(scenario, some);
        await OnceEachAsync(scenario);

        // Each has seen the last change when it has looked at a change after it.
        Task<(long, long)> AddsAsync() => BothAsync("workqueue_adds_total");
        Task<(long, long)> DoneAsync() => BothAsync("controller_runtime_reconcile_total");
        async Task SettleAsync()
        {
            await Eventually.TrueAsync("both were through with their queues", async () => (await AddsAsync(), await DoneAsync()), seen => seen.Item1 == seen.Item2);
        }
        await SettleAsync();
        var writes = (await scenario.Namespace.OperatorRequestsAsync()).Count(request => request.IsWrite);
        var adds = await AddsAsync();
        foreach (var name in some)
            await scenario.AnnotateServerAsync("example.org/touched", "yes", name);
        await Eventually.TrueAsync("both heard of it", AddsAsync, now => now.Item1 >= adds.Item1 + some.Length && now.Item2 >= adds.Item2 + some.Length);
        await SettleAsync();

        Assert.Equal(writes, (await scenario.Namespace.OperatorRequestsAsync()).Count(request => request.IsWrite));
        Assert.All([.. scenario.Operator!.Log, .. second.Log], entry => Assert.NotEqual("error", (string?)entry["level"]));

        async Task<(long, long)> BothAsync(string metric) => (await scenario.Operator!.MetricAsync(metric), await second.MetricAsync(metric));
    }

    private static async Task InTheMiddleAsync(ServerScenario scenario)
    {
        await scenario.Operator!.WaitForLogAsync("Synced");
        var creating = Parallel.ForEachAsync(Names, async (name, _) => await scenario.CreateServerAsync(Crowd.Spec, name));
        await Eventually.TrueAsync("some were begun", () => scenario.Operator.Log.Count(IsCreated) > 10);
        _ = creating.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    /// <summary>Every object was created once, and never changed.</summary>
    private static async Task OnceEachAsync(ServerScenario scenario)
    {
        foreach (var resource in new[] { Resource.Deployments, Resource.Ingresses })
            Assert.All(await scenario.Client.ListAsync(resource, scenario.Namespace.Name), item => Assert.Equal(1, (long)item["metadata"]!["generation"]!));
    }

    private static bool IsCreated(JsonObject entry) => (string?)entry["event"] == "ObjectCreated" && (string?)entry["kind"] != "ServiceAccount";
}
