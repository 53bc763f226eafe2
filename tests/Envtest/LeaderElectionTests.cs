using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Two operators with a lease between them, each with a user of its own in the audit log.</summary>
public sealed class LeaderElectionTests(ControlPlaneFixture fixture)
{
    // Waiting for either of them to pass would exceed every limit of a test.
    internal static readonly string[] Patient = Timing("10m", "5m");

    private static readonly string[] Quick = Timing("6s", "4s");

    [Fact]
    public async Task AStandbyHasItsCachesAndAnswersProbesAndWritesNothing()
    {
        await using var pair = await Pair.StartAsync(Require(), Patient);
        var standby = pair.Second;
        await pair.Scenario.CreateServerAsync(Crowd.Spec);
        await pair.Scenario.SettledAsync();
        await Eventually.TrueAsync("the standby saw the server", () => standby.MetricAsync("workqueue_depth", "controller=\"mcpserver\""), depth => depth == 1);

        Assert.Equal((200, "ok"), await AnswerAsync("/readyz"));
        Assert.Equal((200, "[+]ping ok\n[+]reconcile ok\n[+]watches ok\n[+]leaderElection ok\nhealthz check passed\n"), await AnswerAsync("/healthz?verbose"));
        Assert.Equal(1, await pair.First.MetricAsync("leader_election_master_status", "name=\"mcp-runtime-operator.mcpruntime.org\""));
        Assert.Equal(0, await standby.MetricAsync("leader_election_master_status"));
        Assert.Equal(0, await standby.MetricAsync("controller_runtime_reconcile_total"));
        Assert.DoesNotContain(standby.Log, entry => (string?)entry["event"] == "WorkersStarted");
        Assert.DoesNotContain(await pair.RequestsOfSecondAsync(), request => request.IsWrite);
        Assert.Equal(0, await standby.StopAsync());
        Assert.DoesNotContain(await pair.RequestsOfSecondAsync(), request => request.IsWrite);

        async Task<(int Code, string Text)> AnswerAsync(string path)
        {
            var (code, text) = await standby.GetAsync(path);
            return ((int)code, text);
        }
    }

    [Fact]
    public async Task WhenTheLeaderIsKilledTheOtherFinishesItsWork()
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"web-{i:00}")];
        await using var pair = await Pair.StartAsync(Require(), Quick);
        await Parallel.ForEachAsync(names, async (name, _) => await pair.Scenario.CreateServerAsync(Crowd.Spec, name));
        await Eventually.TrueAsync("some were begun", () => pair.First.Log.Count(IsCreated) > 10);

        await pair.First.KillAsync();
        Assert.InRange(pair.First.Log.Count(IsCreated), 1, (3 * names.Length) - 1);

        await pair.Second.WaitForLogAsync("LeaseAcquired");
        await Crowd.ReachAsync(pair.Scenario, names, "PartiallyReady");
        await pair.AssertOneWriterAfterTheOtherAsync();
        Assert.Equal(1, (int)(await pair.LeaseAsync())["spec"]!["leaseTransitions"]!);
    }

    [Fact]
    public async Task ALeaderThatIsStoppedHandsTheLeaseOver()
    {
        await using var pair = await Pair.StartAsync(Require(), Patient);
        await pair.Scenario.CreateServerAsync(Crowd.Spec);
        await pair.Scenario.SettledAsync();

        Assert.Equal(0, await pair.First.StopAsync());
        // What was in flight comes first.
        Assert.Equal(["LeaseReleased", "Stopped"], pair.First.Log.TakeLast(2).Select(entry => (string?)entry["event"]));
        await pair.Second.WaitForLogAsync("LeaseAcquired");
        await pair.Scenario.EditAndSettleAsync("{replicas: 2}");

        await pair.AssertOneWriterAfterTheOtherAsync();
        var writes = (await pair.Scenario.Namespace.OperatorRequestsAsync()).Where(request => request.IsWrite).ToList();
        Assert.Equal("leases", writes[^1].Resource);
        Assert.Equal(0, await pair.Second.StopAsync());
        var released = (await pair.LeaseAsync())["spec"]!;
        Assert.Equal(("", 1, 1), ((string?)released["holderIdentity"] ?? "", (int)released["leaseDurationSeconds"]!, (int)released["leaseTransitions"]!));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", (string)released["renewTime"]!);
    }

    [Fact]
    public async Task TheLeaseOfSomebodyElseIsHonouredWhateverItsTimesSay()
    {
        await using var ns = await Pair.NamespaceAsync(Require());
        var client = fixture.Client;
        await client.CreateAsync(Lease("client-go_1", 3600), ns.Name);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, Pair.Options(ns, Quick));
        await process.WaitForLogAsync("it stood by", entry => (string?)entry["event"] == "StandingBy" && (string?)entry["holder"] == "client-go_1");
        await client.CreateAsync(Server, ns.Name);

        await Eventually.TrueAsync(
            "it had looked again and again", async () => await LooksAsync(), looks => looks.Count >= 5);
        Assert.DoesNotContain(await ns.OperatorRequestsAsync(), request => request.IsWrite);

        await client.PatchAsync(Resource.Leases, ns.Name, Pair.LeaseName, """{"metadata":{"labels":{"theirs":"x"}},"spec":{"leaseDurationSeconds":1}}""");
        await Eventually.TrueAsync(
            "the server was reported", () => client.GetAsync(Resource.MCPServers, ns.Name, "web"), server => server["status"]?["observedGeneration"] is not null);
        var lease = await client.GetAsync(Resource.Leases, ns.Name, Pair.LeaseName);
        Assert.Equal(8, (int)lease["spec"]!["leaseTransitions"]!);
        Assert.Equal("x", (string?)lease["metadata"]!["labels"]!["theirs"]);

        async Task<IReadOnlyList<AuditEvent>> LooksAsync() =>
            [.. (await ns.OperatorRequestsAsync()).Where(request => request is { Resource: "leases", Verb: "get" })];
    }

    [Fact]
    public async Task WithoutElectionNoLeaseIsAskedFor()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--metrics-bind-address", "127.0.0.1:0");
        await scenario.CreateServerAsync(Crowd.Spec);
        await scenario.SettledAsync();

        Assert.Equal("ok", (await scenario.Operator!.GetAsync("/healthz")).Text);
        Assert.DoesNotContain("leader_election", (await scenario.Operator.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        Assert.Equal(0, await scenario.Operator.StopAsync());
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => request.Resource == "leases");
    }

    internal static string[] Timing(string duration, string deadline) =>
    [
        "--leader-elect", "--leader-elect-lease-duration", duration, "--leader-elect-renew-deadline", deadline,
        "--leader-elect-retry-period", "500ms",
    ];

    internal static bool IsCreated(JsonObject entry) => (string?)entry["event"] == "ObjectCreated" && (string?)entry["kind"] != "ServiceAccount";

    private const string Server = """
        apiVersion: mcpruntime.org/v1alpha1
        kind: MCPServer
        metadata: {name: web}
        spec: {image: example.org/web}
        """;

    /// <summary>As client-go writes one, by a clock of its own.</summary>
    private static string Lease(string holder, int seconds) => $$"""
        apiVersion: coordination.k8s.io/v1
        kind: Lease
        metadata: {name: {{Pair.LeaseName}}}
        spec:
          holderIdentity: {{holder}}
          leaseDurationSeconds: {{seconds}}
          acquireTime: "1999-01-02T03:04:05.000001Z"
          renewTime: "1999-01-02T03:04:07.000001Z"
          leaseTransitions: 7
        """;

    private ControlPlane Require()
    {
        fixture.RequireOwn("the audit log, and a user for each operator");
        return fixture.ControlPlane;
    }
}

/// <summary>The API server, or the process that leads, stands still.</summary>
public sealed class LeaderElectionFaultTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task ALeaderThatIsFrozenPastItsLeaseAndWakesUpWritesNothing()
    {
        // Enough to do, and workers enough, that many writes are next when it wakes up.
        string[] names = [.. Enumerable.Range(0, 80).Select(i => $"web-{i:00}")];
        await using var pair = await Pair.StartAsync(_controlPlane, [.. LeaderElectionTests.Timing("15s", "12s"), "--workers", "16"]);
        await Parallel.ForEachAsync(names, async (name, _) => await pair.Scenario.CreateServerAsync(Crowd.Spec, name));
        await Eventually.TrueAsync("some were begun", () => pair.First.Log.Any(LeaderElectionTests.IsCreated));

        // Frozen while it waits for answers, so that nothing is half-way out of it: that could not be called back.
        _controlPlane.PauseApiServer();
        var done = -1L;
        await Eventually.TrueAsync(
            "the workers waited",
            async () => (Before: done, Now: done = await pair.First.MetricAsync("controller_runtime_reconcile_total"), Active: await pair.First.MetricAsync("controller_runtime_active_workers")),
            seen => seen.Now == seen.Before && seen.Active > 0);
        pair.First.Signal(TetheredProcess.SigStop);
        _controlPlane.ResumeApiServer();

        await pair.Second.WaitForLogAsync("LeaseAcquired");
        await Crowd.ReachAsync(pair.Scenario, names, "PartiallyReady");
        var before = await pair.Scenario.Namespace.OperatorRequestsAsync();
        Assert.InRange(pair.First.Log.Count(LeaderElectionTests.IsCreated), 1, (2 * names.Length) - 1);
        pair.First.Signal(TetheredProcess.SigCont);

        Assert.Equal(1, await pair.First.Exited.WaitAsync(Eventually.Limit));
        Assert.Single(pair.First.Log, entry => (string?)entry["event"] == "LeaseLost");
        Assert.DoesNotContain(pair.First.Log, entry => (string?)entry["event"] is "Stopped" or "OperatorFailed" or "ReconcileFailed");
        Assert.Equal(before.Count(request => request.IsWrite), (await pair.Scenario.Namespace.OperatorRequestsAsync()).Count(request => request.IsWrite));
        await pair.AssertOneWriterAfterTheOtherAsync();
    }

    [Fact]
    public async Task ALeaderThatCannotReachTheApiServerEnds()
    {
        await using var ns = await Pair.NamespaceAsync(_controlPlane);
        ns.ExpectsDenials = true;
        await using var process = await OperatorProcess.StartAsync(_controlPlane, ns, Pair.Options(ns, LeaderElectionTests.Timing("3s", "2s")));
        await process.WaitForLogAsync("LeaseAcquired");
        await _controlPlane.StopApiServerAsync();

        Assert.Equal(1, await process.Exited.WaitAsync(Eventually.Limit));
        Assert.Equal("critical", (string?)Assert.Single(process.Log, entry => (string?)entry["event"] == "LeaseLost")["level"]);
        Assert.Contains(process.Log, entry => (string?)entry["event"] == "LeaseFailed" && (string?)entry["level"] == "warn");
        await _controlPlane.StartApiServerAsync();
    }
}

/// <summary>Two operators in one namespace: the first leads, the second stands by.</summary>
internal sealed class Pair : IAsyncDisposable
{
    public const string LeaseName = "mcp-runtime-operator.mcpruntime.org";

    private readonly string _secondUser;

    private Pair(ServerScenario scenario, OperatorProcess second, string secondUser)
    {
        Scenario = scenario;
        Second = second;
        _secondUser = secondUser;
    }

    public ServerScenario Scenario { get; }

    public OperatorProcess First => Scenario.Operator!;

    public OperatorProcess Second { get; }

    public static async Task<TestNamespace> NamespaceAsync(ControlPlane controlPlane)
    {
        var ns = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantLeaseAsync();
        return ns;
    }

    public static OperatorOptions Options(TestNamespace ns, IReadOnlyList<string> timing) => new()
    {
        Arguments = [.. timing, "--leader-elect-resource-namespace", ns.Name, "--metrics-bind-address", "127.0.0.1:0"],
        Environment = ServerScenario.Permissive,
    };

    /// <param name="first">What is different about the one that leads.</param>
    public static async Task<Pair> StartAsync(
        ControlPlane controlPlane, IReadOnlyList<string> timing, Func<OperatorOptions, OperatorOptions>? first = null)
    {
        var ns = await TestNamespace.CreateAsync(controlPlane);
        var secondUser = await ns.GrantLeaseAsync();
        var options = Options(ns, timing);
        var scenario = await ServerScenario.StartAsync(controlPlane, ns, first?.Invoke(options) ?? options);
        await scenario.Operator!.WaitForLogAsync("LeaseAcquired");
        var second = await OperatorProcess.StartAsync(controlPlane, ns, options with { Kubeconfig = controlPlane.Kubeconfig(secondUser) });
        await second.WaitForLogAsync("StandingBy");
        return new(scenario, second, secondUser);
    }

    public Task<JsonObject> LeaseAsync() => Scenario.Client.GetAsync(Resource.Leases, Scenario.Namespace.Name, LeaseName);

    public Task<IReadOnlyList<AuditEvent>> RequestsOfSecondAsync() => Scenario.Namespace.RequestsOfAsync(_secondUser);

    /// <summary>Both have written, and the last write of the first was answered before the first one of the second came.</summary>
    public async Task AssertOneWriterAfterTheOtherAsync()
    {
        var first = (await Scenario.Namespace.OperatorRequestsAsync()).Where(IsWork).ToList();
        var second = (await RequestsOfSecondAsync()).Where(IsWork).ToList();
        Assert.NotEmpty(first);
        Assert.NotEmpty(second);
        var (last, next) = (first.MaxBy(request => request.StageTime)!, second.MinBy(request => request.Received)!);
        Assert.True(last.StageTime < next.Received, $"{last} until {last.StageTime:O}\n{next} from {next.Received:O}");

        static bool IsWork(AuditEvent request) => request.IsWrite && request.Resource != "leases";
    }

    public async ValueTask DisposeAsync()
    {
        await Second.DisposeAsync();
        await Scenario.DisposeAsync();
    }
}
