namespace McpOperator.Bench;

/// <summary>Whether all servers converge in a container with so little memory, many small ones or few large ones.</summary>
internal static class MemoryBound
{
    public const long Limit = 40 << 20;

    private const int LargeServers = 50;
    private const long LargeLimit = 48 << 20;

    public static Task<MemoryBoundResult> RunAsync(Recording recording, int servers) => RunAsync(recording, servers, tools: 0, Limit);

    /// <summary>Five hundred tools each, with a description of three hundred characters: 200 kB.</summary>
    public static Task<MemoryBoundResult> LargeAsync(Recording recording) => RunAsync(recording, LargeServers, tools: 500, LargeLimit);

    private static async Task<MemoryBoundResult> RunAsync(Recording recording, int servers, int tools, long limit)
    {
        Progress.Say($"{servers} servers{(tools > 0 ? $" with {tools} tools" : "")}: in {limit >> 20} MiB");
        await using var arena = await Arena.StartWarmAsync(recording);
        await arena.Fleet.CreateAsync(servers, tools);
        await using var group = MemoryGroup.TryCreate(limit, arena.ControlPlane.Directory, Progress.Say);
        Converged? converged = null;
        try
        {
            converged = await Converging.ConvergeAsync(arena, group);
            await converged.Run.StopAsync();
        }
        catch (OperatorExitedException) when (group?.OutOfMemoryKills > 0)
        {
            Progress.Say("  killed for want of memory");
        }
        finally
        {
            if (converged is not null)
                await converged.Run.DisposeAsync();
        }

        var result = new MemoryBoundResult(
            servers, tools, limit, group?.Version ?? "VmHWM", group?.PeakUsage ?? converged!.Sample.Peak, group?.Reclaims ?? 0,
            group?.OutOfMemoryKills ?? 0, converged?.ConvergeSeconds, converged is null ? null : Memory.Of(converged.Sample));
        Progress.Say(
            $"  {result.How}: {(result.Held ? "held" : "NOT held")}; peak {result.PeakUsage / 1048576.0:0.0} MiB, " +
            $"{result.Reclaims} reclaims, {result.OutOfMemoryKills} kills");
        return result;
    }
}
