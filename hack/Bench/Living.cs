namespace McpOperator.Bench;

/// <summary>What becomes of servers that have converged: they get ready, nothing happens, the operator restarts.</summary>
internal static class Living
{
    /// <summary>Plays ingress controller, then kubelet, for every server; strict readiness, as is the default.</summary>
    public static async Task<ReadyResult> ReadyAsync(Arena arena, OperatorRun run)
    {
        var before = run.Sample();
        var mark = await arena.Requests.CatchUpAsync();
        await Progress.DuringAsync(Kubelet.ServeIngressesAsync(arena.Client), () => "giving every Ingress an address");
        var served = await arena.SettleAsync(run, mark, "all Ingresses were seen served", () => arena.Fleet.UnconvergedAsync());

        mark = await arena.Requests.CatchUpAsync();
        await Progress.DuringAsync(Kubelet.RollOutAllAsync(arena.Client), () => "rolling every Deployment out");
        var ready = await arena.SettleAsync(run, mark, "all servers were Ready", () => arena.Fleet.UnconvergedAsync("Ready"));
        var rolledOut = arena.Requests.All.Skip(mark)
            .Where(request => request.What == "patch deployments/status").Max(request => request.Completed);
        var sample = run.Sample();
        var result = new ReadyResult(
            served.Tally, ready.Tally, (ready.LastWrite - rolledOut).Seconds(),
            Math.Round(sample.CpuSeconds - before.CpuSeconds, 2), Memory.Of(sample));
        Progress.Say(
            $"  all Ready {result.LagSeconds:0.00} s after the last Deployment; " +
            $"{result.AfterRollOut.Writes} writes; CPU {result.CpuSeconds:0.00} s");
        return result;
    }

    public static async Task<SteadyResult> SteadyAsync(Arena arena, OperatorRun run, TimeSpan time)
    {
        Progress.Say($"  steady: nothing happens for {time.TotalSeconds:0} s");
        var mark = await arena.Requests.CatchUpAsync();
        var start = run.Sample();
        await HalfAsync();
        var middle = run.Sample();
        await HalfAsync();
        var end = run.Sample();
        await arena.Requests.CatchUpAsync();
        var result = new SteadyResult(
            time.TotalSeconds, Tally.Of(arena.Requests.Of(run.User, mark)),
            Math.Round(100 * (end.CpuSeconds - start.CpuSeconds) / time.TotalSeconds, 3),
            Memory.Of(start), Memory.Of(middle), Memory.Of(end));
        Progress.Say(
            $"  steady: {result.Requests.Writes} writes, {result.Requests.Total} requests, " +
            $"CPU {result.CpuPercent:0.000} %, RSS {end.Rss / 1e6:0.0} MB");
        return result;

        Task HalfAsync() => Progress.DuringAsync(
            Task.Delay(time / 2), () => $"steady: RSS {run.Sample().Rss / 1e6:0.0} MB", TimeSpan.FromMinutes(1));
    }

    /// <summary>An operator has just started where everything is in order.</summary>
    public static async Task<RestartResult> RestartAsync(Arena arena, OperatorRun run)
    {
        var synced = await run.UntilReadyzAsync();
        var settled = await arena.SettleAsync(run, mark: 0, "the restarted operator was through");
        var sample = run.Sample();
        var result = new RestartResult((synced - run.Started).Seconds(), settled.Tally, sample.CpuSeconds, Memory.Of(sample));
        Progress.Say(
            $"  restart: synced in {result.SyncedSeconds:0.000} s, " +
            $"{result.Requests.Writes} writes, {result.Requests.Total} requests");
        return result;
    }
}
