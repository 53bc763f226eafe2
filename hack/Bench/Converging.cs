namespace McpOperator.Bench;

/// <summary>From an empty cluster with N MCPServers to all their objects and statuses, beside the limit.</summary>
/// <remarks>
/// What makes the two comparable: each has an API server of its own, started and warmed up in the same way, which holds the
/// same N servers and nothing else when it begins; both send the same requests about each server in the same order, as one
/// user with the same role, over HTTP/2, with as many servers in flight as the operator has workers. The operator's clock
/// starts with its exec, so it also pays for starting, connecting, listing and decoding its watches; the load generator's
/// bytes are ready when its clock starts.
/// </remarks>
internal static class Converging
{
    /// <summary>--workers of the operator, unless told otherwise.</summary>
    public const int Workers = 4;

    private static readonly int[] SweepSteps = [1, 2, 4, 8, 16];

    private static readonly string[] Applies = ["patch deployments", "patch services", "patch ingresses"];

    /// <param name="sweep">So many servers more for each of other numbers in flight.</param>
    public static async Task<(Limit Limit, SweepResult? Sweep)> LimitAsync(Recording recording, int servers, int sweep = 0)
    {
        await using var arena = await Arena.StartWarmAsync(recording);
        await arena.Fleet.CreateAsync(servers);
        using var load = await LoadGenerator.StartAsync(arena.ControlPlane);
        var cpu = arena.ControlPlaneCpuSeconds();
        var time = await load.RunAsync(recording, arena.Fleet.Servers, Workers);
        var limit = new Limit(time.Seconds(), Math.Round(arena.ControlPlaneCpuSeconds() - cpu, 2));
        Progress.Say($"  limit: {servers} servers in {limit.Seconds:0.00} s, {servers * recording.Writes / limit.Seconds:0} writes/s");
        if (sweep == 0)
            return (limit, null);

        var writes = new SortedDictionary<int, double>();
        foreach (var inFlight in SweepSteps)
        {
            var fleet = new Fleet(arena.Client, $"sweep-{inFlight}");
            await fleet.CreateAsync(sweep);
            var took = await load.RunAsync(recording, fleet.Servers, inFlight);
            writes.Add(inFlight, Math.Round(sweep * recording.Writes / took.TotalSeconds));
            Progress.Say($"  limit with {inFlight} in flight: {writes[inFlight]:0} writes/s");
        }
        return (limit, new(sweep, writes));
    }

    /// <summary>Starts an operator on the arena's servers, and waits until all have converged.</summary>
    public static async Task<Converged> ConvergeAsync(Arena arena, MemoryGroup? group = null)
    {
        var mark = await arena.Requests.CatchUpAsync();
        var cpu = arena.ControlPlaneCpuSeconds();
        var run = await OperatorRun.StartAsync(arena.ControlPlane, user: null, group);
        try
        {
            var settled = await arena.SettleAsync(
                run, mark, $"all {arena.Fleet.Servers.Count} servers converged", () => arena.Fleet.UnconvergedAsync());
            return new(run, run.Sample(), settled.Tally)
            {
                FirstApplySeconds = FirstApply(run, settled).Seconds(),
                ConvergeSeconds = (settled.LastWrite - run.Started).Seconds(),
                WritingSeconds = (settled.LastWrite - settled.FirstWrite).Seconds(),
                ControlPlaneCpuSeconds = Math.Round(settled.ControlPlaneCpuSeconds - cpu, 2),
            };
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>The time from exec to the first request that changes something, over several starts.</summary>
    public static async Task<StartResult> StartsAsync(Arena arena, int starts)
    {
        var (firstWrites, firstApplies) = (new List<double>(), new List<double>());
        for (var i = 0; i < starts; i++)
        {
            var fleet = new Fleet(arena.Client, $"start-{i}", namespaces: 1);
            await fleet.CreateAsync(1);
            var mark = await arena.Requests.CatchUpAsync();
            await using var run = await OperatorRun.StartAsync(arena.ControlPlane);
            var settled = await arena.SettleAsync(run, mark, "the server converged", () => fleet.UnconvergedAsync());
            firstWrites.Add((settled.FirstWrite - run.Started).Seconds());
            firstApplies.Add(FirstApply(run, settled).Seconds());
            await run.StopAsync();
            await fleet.DeleteAsync();
        }
        Progress.Say(
            $"  first write {Statistics.Median(firstWrites):0.000} s after exec, first apply {Statistics.Median(firstApplies):0.000} s");
        return new(firstWrites, firstApplies);
    }

    /// <summary>With nothing to do, some seconds after its start.</summary>
    public static async Task<IdleResult> IdleAsync(Arena arena)
    {
        await using var run = await OperatorRun.StartAsync(arena.ControlPlane);
        await run.UntilReadyzAsync();
        await Task.Delay(TimeSpan.FromSeconds(5));
        var sample = run.Sample();
        await run.StopAsync();
        Progress.Say($"  idle: RSS {sample.Rss / 1e6:0.0} MB, private {sample.Private / 1e6:0.0} MB");
        return new(Memory.Of(sample), sample.CpuSeconds);
    }

    private static TimeSpan FirstApply(OperatorRun run, Settled settled) =>
        settled.Requests.Where(request => Applies.Contains(request.What)).Min(request => request.Received) - run.Started;
}

/// <summary>The load generator's time, and what kube-apiserver and etcd worked for it.</summary>
internal sealed record Limit(double Seconds, double ControlPlaneCpuSeconds);

/// <summary>
/// An operator that has brought all servers of an arena up, and still runs; the times are those of <see cref="ConvergeRound"/>.
/// </summary>
internal sealed record Converged(OperatorRun Run, ProcessSample Sample, Tally Requests)
{
    public required double FirstApplySeconds { get; init; }
    public required double ConvergeSeconds { get; init; }
    public required double WritingSeconds { get; init; }
    public required double ControlPlaneCpuSeconds { get; init; }
}
