namespace McpOperator.Bench;

/// <summary>The whole benchmark: every size on control planes of its own, one after the other.</summary>
internal static class Suite
{
    private const int Starts = 7;

    public static async Task<BenchResult> RunAsync(BenchOptions options, string command)
    {
        var began = DateTimeOffset.UtcNow;
        var (recording, result) = await RecordAsync(command);
        foreach (var servers in options.Servers)
            result.Sizes.Add(await SizeAsync(options, recording, result, servers));
        result.MinutesTaken = Math.Round((DateTimeOffset.UtcNow - began).TotalMinutes, 1);
        return result;
    }

    private static async Task<(Recording Recording, BenchResult Result)> RecordAsync(string command)
    {
        Progress.Say("recording what the operator sends for one server");
        await using var arena = await Arena.StartAsync();
        var recording = await Recording.TakeAsync(arena.ControlPlane);
        var steps = recording.Steps.Select(step => string.Join(" + ", step.Select(request => $"{request.Method} {request.Uri}"))).ToList();
        foreach (var step in steps)
            Progress.Say($"  {step}");
        await ProveAsync(arena, recording);
        return (recording, new()
        {
            Machine = await Machine.ThisAsync(arena.Client),
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
        var mark = await arena.Requests.CatchUpAsync();
        await using var run = await OperatorRun.StartAsync(arena.ControlPlane);
        await run.UntilReadyzAsync();
        await arena.SettleAsync(run, mark, "the load generator's servers had converged", () => fleet.UnconvergedAsync());
        var writes = Tally.Of(arena.Requests.Of(run.User, mark).Where(request => request.IsWrite));
        if (writes.Total > 0)
            throw new InvalidOperationException(
                $"The load generator does not write what the operator wants: {string.Join(", ", writes.ByKind.Select(kind => $"{kind.Key}: {kind.Value}"))}");
        await run.StopAsync();
        await fleet.DeleteAsync();
    }

    private static async Task<SizeResult> SizeAsync(BenchOptions options, Recording recording, BenchResult all, int servers)
    {
        var result = new SizeResult(servers);
        for (var round = 0; round < BenchOptions.RoundsOf(servers); round++)
        {
            Progress.Say($"{servers} servers: the limit");
            var isMain = servers == options.Main && round == 0;
            var (limit, sweep) = await Converging.LimitAsync(recording, servers, isMain ? Math.Min(servers, 200) : 0);
            all.Sweep ??= sweep;

            Progress.Say($"{servers} servers: the operator");
            await using var arena = await Arena.StartWarmAsync(recording);
            if (round == 0)
                result.Idle = await Converging.IdleAsync(arena);
            await arena.Fleet.CreateAsync(servers);
            var run = await Converging.ConvergeAsync(arena, result, limit);
            try
            {
                if (round == 0)
                {
                    result.Ready = await Living.ReadyAsync(arena, run);
                    result.Steady = await Living.SteadyAsync(arena, run, options.SteadyOf(servers));
                    (run, result.Restart) = await Living.RestartAsync(arena, run);
                }
                await run.StopAsync();
            }
            finally
            {
                await run.DisposeAsync();
            }
        }
        return result;
    }
}
