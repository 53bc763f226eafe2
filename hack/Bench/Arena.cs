namespace McpOperator.Bench;

/// <summary>
/// A control plane for one measurement, in the state in which every measurement begins: CRDs, the role, and an API server
/// that has already served what it will be asked.
/// </summary>
internal sealed class Arena : IAsyncDisposable
{
    private const int WarmUpServers = 50;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1.5);

    private Arena(ControlPlane controlPlane)
    {
        ControlPlane = controlPlane;
        Requests = new(controlPlane);
        Fleet = new(controlPlane.Client, "bench");
    }

    public ControlPlane ControlPlane { get; }

    public KubeClient Client => ControlPlane.Client;

    public RequestLog Requests { get; }

    public Fleet Fleet { get; }

    /// <summary>CPU seconds of kube-apiserver and etcd so far.</summary>
    public double ControlPlaneCpuSeconds() => ControlPlane.ProcessIds.Sum(id => ProcessSample.Of(id).CpuSeconds);

    public static async Task<Arena> StartAsync()
    {
        var controlPlane = await ControlPlane.StartAsync(new()
        {
            UseExistingCluster = false,
            Progress = Progress.Say,
            AuditPolicy = Recording.AuditPolicy,
            // Its defaults (400 and 200) are for many clients; here one client may have them all.
            ApiServerArguments = ["--max-requests-inflight=4000", "--max-mutating-requests-inflight=2000"],
        });
        var arena = new Arena(controlPlane);
        try
        {
            await controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"), withRules: true);
            await OperatorRole.InstallAsync(controlPlane);
            return arena;
        }
        catch
        {
            await arena.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same, warm: the limit's requests for some servers, which are then deleted, came before.</summary>
    public static async Task<Arena> StartWarmAsync(Recording recording)
    {
        var arena = await StartAsync();
        try
        {
            var fleet = new Fleet(arena.Client, "warm-up");
            await fleet.CreateAsync(WarmUpServers);
            using var load = await LoadGenerator.StartAsync(arena.ControlPlane);
            await load.RunAsync(recording, fleet.Servers, inFlight: 4);
            await fleet.DeleteAsync();
            return arena;
        }
        catch
        {
            await arena.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Waits until the operator has written nothing for a while and what is asked for is so. Looking at thousands of objects
    /// costs the API server time, hence only then.
    /// </summary>
    /// <param name="missing">What is not yet so.</param>
    public async Task<Settled> SettleAsync(
        OperatorRun run, int mark, string what, Func<Task<IReadOnlyList<string>>>? missing = null)
    {
        var patience = DateTimeOffset.UtcNow.AddMinutes(2);
        var writes = 0;
        var quietSince = DateTimeOffset.UtcNow;
        while (true)
        {
            run.Sample();
            await Requests.UntilAsync(
                what,
                () =>
                {
                    var now = Requests.Of(run.User, mark).Count(request => request.IsWrite);
                    if (now != writes)
                        (writes, quietSince, patience) = (now, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddMinutes(2));
                    return DateTimeOffset.UtcNow - quietSince > Quiet;
                },
                () => $"  {what}: {writes} writes so far");
            await Requests.CatchUpAsync();
            var cpu = ControlPlaneCpuSeconds();
            var left = missing is null ? [] : await missing();
            if (left.Count == 0)
                return new([.. Requests.Of(run.User, mark)], cpu);
            if (DateTimeOffset.UtcNow > patience)
                throw new TimeoutException(
                    $"For two minutes the operator has written nothing, and it never happened that {what}. " +
                    $"Missing: {left.Count}, such as {left[0]}");
            quietSince = DateTimeOffset.UtcNow;
        }
    }

    public ValueTask DisposeAsync() => ControlPlane.DisposeAsync();
}

/// <summary>The operator is through.</summary>
/// <param name="Requests">Its own, since the mark.</param>
/// <param name="ControlPlaneCpuSeconds">Before anybody looked at what it has done.</param>
internal sealed record Settled(IReadOnlyList<Request> Requests, double ControlPlaneCpuSeconds)
{
    public Tally Tally => Tally.Of(Requests);

    /// <summary>When its last write was answered.</summary>
    /// <exception cref="InvalidOperationException">It wrote nothing.</exception>
    public DateTimeOffset LastWrite => Requests.Where(request => request is { IsWrite: true, IsEvent: false }).Max(request => request.Completed);

    public DateTimeOffset FirstWrite => Requests.Where(request => request is { IsWrite: true, IsEvent: false }).Min(request => request.Received);
}
