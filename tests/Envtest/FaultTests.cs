namespace McpOperator.Envtest;

/// <summary>The API server of these tests' own control plane is killed and frozen.</summary>
public sealed class FaultTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static readonly string[] Debug = ["--log-level", "debug", "--metrics-bind-address", "127.0.0.1:0"];

    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task TheOperatorMayBeStartedBeforeTheApiServerIsThere()
    {
        await using var ns = await TestNamespace.CreateAsync(_controlPlane);
        ns.ExpectsDenials = true;
        await _controlPlane.StopApiServerAsync();
        await using var process = await OperatorProcess.StartAsync(_controlPlane, ns, new() { Arguments = ["--metrics-bind-address", "127.0.0.1:0"] });
        await process.WaitForLogAsync("it said that it cannot list", entry =>
            (string?)entry["event"] == "ReflectorFailed" && (string?)entry["level"] == "warn" && ((string)entry["error"]!).Contains("refused", StringComparison.Ordinal));
        Assert.Equal(500, (int)(await process.GetAsync("/readyz")).Code);
        Assert.Equal(200, (int)(await process.GetAsync("/healthz")).Code);

        await _controlPlane.StartApiServerAsync();
        await _controlPlane.Client.CreateAsync(Server("web"), ns.Name);

        await Eventually.TrueAsync("the server was reported", () => _controlPlane.Client.GetAsync(Resource.MCPServers, ns.Name, "web"), Reported);
        Assert.Equal(200, (int)(await process.GetAsync("/readyz")).Code);
        Assert.False(process.Exited.IsCompleted);
    }

    [Fact]
    public async Task AnApiServerThatIsKilledWhileFiftyServersAreCreatedLeadsToNothingBeingWrittenTwice()
    {
        const int Workers = 4;
        await using var scenario = await ServerScenario.StartAsync(
            _controlPlane, ServerScenario.Permissive, [.. Debug, "--workers", $"{Workers}"]);
        scenario.Namespace.ExpectsDenials = true;
        string[] names = [.. Enumerable.Range(0, 50).Select(i => $"web-{i:00}")];
        // All of them are there first, so that the operator is in the middle of its work and the test is not.
        await scenario.Operator!.WaitForLogAsync("Synced");
        await Parallel.ForEachAsync(names, async (name, _) => await scenario.CreateServerAsync(Crowd.Spec, name));
        await Eventually.TrueAsync("some were begun", () => scenario.Operator.Log.Count(IsCreated) > 10);
        await _controlPlane.StopApiServerAsync();
        var killed = DateTimeOffset.UtcNow;
        Assert.InRange(scenario.Operator.Log.Count(IsCreated), 1, (3 * names.Length) - 1);

        await _controlPlane.StartApiServerAsync();
        await Crowd.ReachAsync(scenario, names, "PartiallyReady");
        await Crowd.RollOutAsync(scenario, names);

        Assert.False(scenario.Operator.Exited.IsCompleted);
        foreach (var resource in new[] { Resource.Deployments, Resource.Ingresses })
            Assert.All(await _controlPlane.Client.ListAsync(resource, scenario.Namespace.Name), item => Assert.Equal(1, (long)item["metadata"]!["generation"]!));
        // An apply may have been carried out and its answer lost: a worker that was waiting for one sends it again, and
        // the audit log may or may not have come to the first. Nothing else is sent twice.
        var twice = (await scenario.Namespace.OperatorRequestsAsync())
            .Where(request => request is { Verb: "patch", Code: 200 or 201 } && request.Resource != "mcpservers")
            .GroupBy(request => $"{request.Resource}/{request.Name}")
            .Where(applies => applies.Count() > 1)
            .ToList();
        Assert.InRange(twice.Count, 0, Workers);
        Assert.All(twice, applies =>
        {
            Assert.Equal(2, applies.Count());
            Assert.True(applies.First().Received < killed, string.Join('\n', applies));
            Assert.InRange(applies.Count(apply => apply.Code == 201), 0, 1);
        });
        // Nothing is an error that mends itself.
        Assert.DoesNotContain(scenario.Operator.Log, entry => (string?)entry["event"] is "ChangeHandlerFailed" or "OperatorFailed");
    }

    [Fact]
    public async Task ARelistAfterTheHistoryExpiredWritesNothing()
    {
        // Of a group that no role is asked about: a denial at the API server's start would lead to a list too.
        const string User = "operator-of-masters";
        await using var scenario = await ServerScenario.StartAsync(
            _controlPlane, ServerScenario.Permissive,
            [.. Debug, "--workers", "1", "--kubeconfig", _controlPlane.Kubeconfig(User, "system:masters")]);
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"web-{i:00}")];
        await Crowd.CreateAsync(scenario, names);
        await Crowd.RollOutAsync(scenario, names);
        await scenario.PassAsync(names[0]);
        // Newer than every version that a watch has seen. The history that an API server holds begins at its start.
        await _controlPlane.Client.CreateAsync($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {scenario.Namespace}}}}}", "default");
        var before = await Crowd.VersionsAsync(scenario);
        // Events of what was before may still be on their way.
        async Task<IReadOnlyList<AuditEvent>> WritesAsync() =>
            [.. (await _controlPlane.AuditEventsAsync()).Where(e => e is { User: User, IsRequest: true, IsWrite: true, Resource: not "events" })];
        var writes = await WritesAsync();

        await _controlPlane.StopApiServerAsync();
        await _controlPlane.StartApiServerAsync();
        await Eventually.TrueAsync(
            "every kind was listed again", () => scenario.Operator!.MetricAsync("mcp_operator_relists_total"), count => count >= Crowd.Kinds.Count);
        var barrier = await scenario.PassAsync(names[0]);

        await Eventually.TrueAsync(
            "the log said of every kind that its history had expired",
            () => scenario.Operator!.Log.Count(entry => (string?)entry["event"] == "WatchInterrupted" && (string?)entry["fault"] == "Expired") >= Crowd.Kinds.Count);
        Assert.All((await WritesAsync()).Skip(writes.Count), write => Assert.StartsWith(ServerScenario.Barrier, write.Name));
        var after = await Crowd.VersionsAsync(scenario);
        Assert.All(before, entry => Assert.True(
            after[entry.Key] == entry.Value || entry.Key.Contains($"/{ServerScenario.Barrier}", StringComparison.Ordinal) || entry.Key == $"mcpservers/{names[0]}",
            entry.Key));
        // It still hears of changes.
        await scenario.RollOutAsync(barrier);
        await scenario.EventuallyPhaseAsync("Ready", barrier);
    }

    [Fact]
    public async Task AFrozenApiServerIsWaitedFor()
    {
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ServerScenario.Permissive, Debug);
        string[] names = [.. Enumerable.Range(0, 30).Select(i => $"web-{i:00}")];
        await FreezeInTheMiddleAsync(scenario, names);

        // The time is what is tested: keep-alives and deadlines that are too short would end something.
        await Task.Delay(TimeSpan.FromSeconds(4));
        Assert.Equal(200, (int)(await scenario.Operator!.GetAsync("/healthz")).Code);
        _controlPlane.ResumeApiServer();

        await Crowd.ReachAsync(scenario, names, "PartiallyReady");
        Assert.DoesNotContain(scenario.Operator.Log, entry => (string?)entry["level"] is "error" or "warn");
    }

    [Fact]
    public async Task WithAFrozenApiServerOneSignalTakesItsGraceAndASecondOneNone()
    {
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ServerScenario.Permissive, Debug);
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"web-{i:00}")];
        await FreezeInTheMiddleAsync(scenario, names);
        var impatient = scenario.Operator!;
        impatient.Signal(TetheredProcess.SigTerm);
        await impatient.WaitForLogAsync("Stopping");
        impatient.Signal(TetheredProcess.SigTerm);
        Assert.Equal(143, await impatient.Exited.WaitAsync(Eventually.Limit));
        Assert.DoesNotContain(impatient.Log, entry => (string?)entry["event"] is "Stopped" or "CancellingReconciles");
        _controlPlane.ResumeApiServer();

        await scenario.StartOperatorAsync(ServerScenario.Permissive, Debug);
        await FreezeInTheMiddleAsync(scenario, []);
        var patient = scenario.Operator!;
        Assert.Equal(0, await patient.StopAsync());
        Assert.Equal(["Stopping", "CancellingReconciles", "Stopped"], patient.Log.Select(entry => (string?)entry["event"])
            .Where(e => e is "Stopping" or "CancellingReconciles" or "AbandoningReconciles" or "StopTimedOut" or "Stopped"));
        Assert.Equal("Stopped", (string?)patient.Log.Last()["event"]);
        _controlPlane.ResumeApiServer();

        await scenario.StartOperatorAsync(ServerScenario.Permissive);
        await Crowd.ReachAsync(scenario, names, "PartiallyReady");
    }

    [Fact]
    public async Task AnOperatorOfAllNamespacesNeedsNoMoreThanTheRoleBoundEverywhere()
    {
        await using var watched = await TestNamespace.CreateAsync(_controlPlane);
        await using var ns = await TestNamespace.CreateAsync(_controlPlane);
        await ns.GrantEverywhereAsync();
        await using var process = await OperatorProcess.StartAsync(_controlPlane, ns, new() { Arguments = ["--watch-namespaces="] });
        await _controlPlane.Client.CreateAsync(Server("web"), watched.Name);
        await Eventually.TrueAsync("the server was reported", () => _controlPlane.Client.GetAsync(Resource.MCPServers, watched.Name, "web"), Reported);

        Assert.Equal(
            Crowd.Asked.Select(kind => $"/{kind.PathTo()}").Order(StringComparer.Ordinal),
            // Servers of other tests may wait for an address.
            (await ns.OperatorRequestsAsync()).Where(request => request is { Verb: "list", Resource: not "ingressclasses" })
                .Select(request => request.RequestUri.Split('?')[0]).Order(StringComparer.Ordinal));
    }

    /// <summary>Freezes the API server while workers wait for its answers.</summary>
    private async Task FreezeInTheMiddleAsync(ServerScenario scenario, IReadOnlyList<string> names)
    {
        var process = scenario.Operator!;
        await process.WaitForLogAsync("Synced");
        await process.GetAsync("/metrics");
        await Parallel.ForEachAsync(names, async (name, _) => await scenario.CreateServerAsync(Crowd.Spec, name));
        await Eventually.TrueAsync("some were begun", () => process.Log.Any(IsCreated));
        _controlPlane.PauseApiServer();
        var done = (await process.MetricAsync("controller_runtime_reconcile_total"), 0L);
        await Eventually.TrueAsync(
            "the workers waited",
            async () => (Before: done, Now: done = (await process.MetricAsync("controller_runtime_reconcile_total"), await process.MetricAsync("controller_runtime_active_workers"))),
            seen => seen.Now == seen.Before && seen.Now.Item2 > 0);
    }

    private static bool IsCreated(System.Text.Json.Nodes.JsonObject entry) => (string?)entry["event"] == "ObjectCreated" && (string?)entry["kind"] != "ServiceAccount";

    private static bool Reported(System.Text.Json.Nodes.JsonObject server) => server["status"]?["observedGeneration"] is not null;

    private static string Server(string name) => $$"""
        apiVersion: mcpruntime.org/v1alpha1
        kind: MCPServer
        metadata: {name: {{name}}}
        spec: {image: example.org/web}
        """;
}
