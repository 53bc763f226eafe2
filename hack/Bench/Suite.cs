namespace McpOperator.Bench;

/// <summary>The whole benchmark: every size on control planes of its own, one after the other.</summary>
internal static class Suite
{
    private const int Starts = 7;

    public static async Task<BenchResult> RunAsync(BenchOptions options, string command)
    {
        var began = DateTimeOffset.UtcNow;
        var (recording, result) = await RecordAsync(command, File.ReadAllText("/proc/loadavg").Split(' ')[0]);
        foreach (var servers in options.OnlyLarge ? [] : options.Servers)
            result.Sizes.Add(await SizeAsync(options, recording, result, servers));
        result.MemoryBounds.Add(await MemoryBound.LargeAsync(recording));
        result.MinutesTaken = Math.Round((DateTimeOffset.UtcNow - began).TotalMinutes, 1);
        return result;
    }

    private static async Task<(Recording Recording, BenchResult Result)> RecordAsync(string command, string loadAverage)
    {
        Progress.Say("recording what the operator sends for one server");
        await using var arena = await Arena.StartAsync();
        var recording = await Recording.TakeAsync(arena.ControlPlane);
        var steps = recording.Steps
            .Select(step => string.Join(" + ", step.Select(request => $"{request.Method} {request.Uri}"))).ToList();
        foreach (var step in steps)
            Progress.Say($"  {step}");
        await ProveAsync(arena, recording);
        return (recording, new()
        {
            Machine = await Machine.ThisAsync(arena.Client, loadAverage),
            Command = command,
            Recorded = new(recording.Writes, recording.Requests, steps),
            Start = await Converging.StartsAsync(arena, Starts),
        });
    }

    /// <summary>An operator that finds what the load generator has written has nothing to write: only then is that the limit.</summary>
    private static async Task ProveAsync(Arena arena, Recording recording)
    {
        var fleet = new Fleet(arena.Client, "proof");
        await fleet.CreateAsync(20);
        using (var load = await LoadGenerator.StartAsync(arena.ControlPlane))
            await load.RunAsync(recording, fleet.Servers, Converging.Workers);
        await using var run = await OperatorRun.StartAsync(arena.ControlPlane);
        await run.UntilReadyzAsync();
        var settled = await arena.SettleAsync(
            run, mark: 0, "the load generator's servers had converged", () => fleet.UnconvergedAsync());
        if (settled.Tally is { Writes: > 0 } tally)
            throw new InvalidOperationException(
                "The load generator does not write what the operator wants: "
                + string.Join(", ", tally.ByKind.Select(kind => $"{kind.Value} {kind.Key}")));
        await run.StopAsync();
        await fleet.DeleteAsync();
    }

    private static async Task<SizeResult> SizeAsync(BenchOptions options, Recording recording, BenchResult all, int servers)
    {
        var result = new SizeResult(servers);
        var isMain = servers == options.Main;
        for (var round = 0; round < BenchOptions.RoundsOf(servers); round++)
        {
            Progress.Say($"{servers} servers: the limit");
            var (limit, sweep) = await Converging.LimitAsync(
                recording, servers, isMain && round == 0 ? Math.Min(servers, 200) : 0);
            all.Sweep ??= sweep;

            Progress.Say($"{servers} servers: the operator");
            await using var arena = await Arena.StartWarmAsync(recording);
            result.Idle ??= await Converging.IdleAsync(arena);
            await arena.Fleet.CreateAsync(servers);
            var converged = await Converging.ConvergeAsync(arena);
            await using var run = converged.Run;
            var compared = new ConvergeRound(
                converged.FirstApplySeconds, converged.ConvergeSeconds, converged.WritingSeconds, limit.Seconds,
                converged.Sample.CpuSeconds, converged.ControlPlaneCpuSeconds, limit.ControlPlaneCpuSeconds);
            result.Rounds.Add(compared);
            Progress.Say(
                $"  converged: {compared.ConvergeSeconds:0.00} s, {compared.Ratio:0.00} x the limit; " +
                $"CPU {compared.CpuSeconds:0.00} s, RSS {converged.Sample.Rss / 1e6:0.0} MB");
            if (round == 0)
            {
                result.Cold = converged.Requests;
                result.Converged = Memory.Of(converged.Sample);
                await LiveAsync(options, arena, run, result);
            }
            else
            {
                await run.StopAsync();
            }
        }
        if (isMain && servers >= 100)
        {
            Progress.Say($"{servers} servers: edits of users while they converge");
            all.Edit = await UserEdits.RunAsync(recording, servers);
            all.MemoryBounds.Add(await MemoryBound.RunAsync(recording, servers));
        }
        return result;
    }

    private static async Task LiveAsync(BenchOptions options, Arena arena, OperatorRun run, SizeResult result)
    {
        result.Ready = await Living.ReadyAsync(arena, run);
        result.Steady = await Living.SteadyAsync(arena, run, options.SteadyOf(result.Servers));
        await run.StopAsync();
        await using var restarted = await OperatorRun.StartAsync(arena.ControlPlane);
        result.Restart = await Living.RestartAsync(arena, restarted);
        result.Drift = await Disturbing.DriftAsync(arena, restarted);
        if (result.Servers == options.Main)
            result.Storm = await Disturbing.StormAsync(arena, restarted, options.Storm);
        if (result.Servers >= 100)
            result.OneMore = await Disturbing.OneMoreAsync(arena, restarted);
        await restarted.StopAsync();
    }
}
