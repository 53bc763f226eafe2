namespace McpOperator.Envtest;

/// <summary>
/// What the operator asks of the API server, counted in the API server's audit log: every request counts, whether or not
/// it changed anything.
/// </summary>
public sealed class RequestTests(ControlPlaneFixture fixture)
{

    [Fact]
    public async Task ANewServerCostsThreeAppliesTheDefaultsAndOneStatusAndReadyOneStatusMore()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.PassAsync();

        var requests = await RequestsAboutAsync(scenario, ServerScenario.Name);
        Assert.Equal(
            [
                "patch deployments", "patch ingresses", "patch mcpservers", "patch mcpservers/status", "patch services",
            ],
            requests.Select(Describe).Order(StringComparer.Ordinal));
        // Shared by the namespace, in which PassAsync has made a second server by now.
        Assert.Single(await scenario.Namespace.OperatorRequestsAsync(), request => request.Resource == "serviceaccounts");

        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();

        var more = (await RequestsAboutAsync(scenario, ServerScenario.Name)).Skip(requests.Count);
        Assert.Equal(["patch mcpservers/status"], more.Select(Describe));
    }

    [Fact]
    public async Task AServerThatLeavesNothingToDefaultCostsOneWriteLess()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web:1, publicPathPrefix: web, ingressPath: /web/mcp, ingressClass: traefik}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.PassAsync();

        Assert.Equal(
            ["patch deployments", "patch ingresses", "patch mcpservers/status", "patch services"],
            (await scenario.WritesAsync()).Select(Describe).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task LookingAgainAtAServerThatIsNotReadyAsksNothingOfTheApiServer()
    {
        fixture.RequireOwn("the audit log");
        var environment = new Dictionary<string, string?>(ServerScenario.Permissive) { ["REQUEUE_DELAY_SECONDS"] = "1", ["MCP_DIAGNOSE_AFTER"] = "1h" };
        await using var scenario = await ServerScenario.StartAsync(fixture, environment, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.PassAsync();
        Task<long> RequeuesAsync() => scenario.Operator!.MetricAsync("controller_runtime_reconcile_total", "result=\"requeue_after\"");
        var requeues = await RequeuesAsync();
        var requests = await scenario.Namespace.OperatorRequestsAsync();

        await Eventually.TrueAsync("both servers were looked at again, several times", RequeuesAsync, now => now >= requeues + 8);

        Assert.Equal(requests, await scenario.Namespace.OperatorRequestsAsync());
    }

    [Fact]
    public async Task ARestartWithAHundredReadyServersListsAndWatchesAndWritesNothing()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "8");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"web-{i:000}")];
        await Crowd.CreateAsync(scenario, names);
        await Crowd.RollOutAsync(scenario, names);
        var (before, since) = await Crowd.RestartAsync(scenario, names);

        var requests = since
            .Where(request => request.Name?.StartsWith(ServerScenario.Barrier, StringComparison.Ordinal) != true).ToList();
        Assert.Equal(
            Crowd.Kinds.Select(kind => $"list {kind.Plural}").Concat(Crowd.Kinds.Select(kind => $"watch {kind.Plural}")).Order(StringComparer.Ordinal),
            // The barrier is new, and told of. PodDisruptionBudgets are not served before Kubernetes 1.21.
            requests.Where(request => request.Resource is not ("serviceaccounts" or "events" or "poddisruptionbudgets"))
                .Select(request => $"{request.Verb} {request.Resource}").Order(StringComparer.Ordinal));
        // From etcd is what decides about access: what the cache still holds may have been taken away. The rest is from there.
        Assert.All(requests.Where(request => request.Verb == "list"), request => Assert.Equal(
            request.Resource is not ("mcpservers" or "mcpaccessgrants" or "mcpagentsessions"),
            request.RequestUri!.Contains("resourceVersion=0", StringComparison.Ordinal)));
        var after = await Crowd.VersionsAsync(scenario);
        Assert.Equal(before.Where(entry => !entry.Key.EndsWith(names[0], StringComparison.Ordinal)), after.Where(entry => before.ContainsKey(entry.Key) && !entry.Key.EndsWith(names[0], StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ChangesOfOthersThatMeanNothingToAServerLeadToNoRequest()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();
        var before = await RequestsAboutAsync(scenario, ServerScenario.Name);
        Task<long> AddsAsync() => scenario.Operator!.MetricAsync("workqueue_adds_total");
        var adds = await AddsAsync();

        // A condition that nobody reads, a status that is the same but for its time, a label, annotations. (Not of the
        // Deployment: that makes a new generation of it, which is not ready until its controller has seen it.)
        await scenario.Client.PatchStatusAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, Manifest.Parse(
            """
            conditions:
            - {type: Available, status: "True", reason: MinimumReplicasAvailable, lastUpdateTime: "2026-01-01T00:00:00Z"}
            - {type: Progressing, status: "True", reason: NewReplicaSetAvailable}
            """));
        await scenario.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"labels": {"example.org/tier": "a"}}}""");
        foreach (var resource in new[] { Resource.Services, Resource.Ingresses })
            await scenario.Client.PatchAsync(
                resource, scenario.Namespace.Name, ServerScenario.Name,
                """{"metadata": {"annotations": {"example.org/seen": "yes"}, "labels": {"example.org/tier": "a"}}}""");
        await Eventually.TrueAsync("the operator heard of the changes", AddsAsync, now => now > adds);
        await scenario.PassAsync();

        Assert.Equal(before, await RequestsAboutAsync(scenario, ServerScenario.Name));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("8")]
    public async Task AnyNumberOfWorkersConvergesWithTheSameRequests(string workers)
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(
            fixture, ServerScenario.Permissive, "--workers", workers, "--metrics-bind-address", "127.0.0.1:0");
        string[] names = [.. Enumerable.Range(0, 24).Select(i => $"web-{i:00}")];

        await Crowd.CreateAsync(scenario, names);
        await Crowd.RollOutAsync(scenario, names);

        var writes = (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.IsWrite).ToList();
        Assert.All(writes.Where(write => write.Resource != "serviceaccounts"), write => Assert.InRange(write.Code, 200, 201));
        foreach (var name in names)
        {
            Assert.Equal(
                [
                    "patch deployments", "patch ingresses", "patch mcpservers", "patch mcpservers/status",
                    "patch mcpservers/status", "patch services",
                ],
                writes.Where(write => write.Name == name).Select(Describe).Order(StringComparer.Ordinal));
        }
        // However many of them look for it at the same time.
        Assert.Single(writes, write => write.Resource == "serviceaccounts");
    }

    /// <summary>Those that name the server or one of its objects; lists and watches name none.</summary>
    private static async Task<IReadOnlyList<AuditEvent>> RequestsAboutAsync(ServerScenario scenario, string name) =>
        [.. (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.Name == name)];

    private static string Describe(AuditEvent request) =>
        $"{request.Verb} {request.Resource}"
        + (request.Subresource.Length > 0 ? $"/{request.Subresource}" : "");
}
