namespace McpOperator.Bench;

/// <summary>Whether all servers converge in a container with so little memory.</summary>
internal static class MemoryBound
{
    public const long Limit = 40 << 20;

    public static async Task<MemoryBoundResult> RunAsync(Recording recording, int servers)
    {
        await using var arena = await Arena.StartWarmAsync(recording);
        await arena.Fleet.CreateAsync(servers);
        await using var group = MemoryGroup.TryCreate(Limit, arena.ControlPlane.Directory);
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
            servers, Limit, group?.Version ?? "VmHWM", group?.PeakUsage ?? converged!.Sample.Peak, group?.Reclaims ?? 0,
            group?.OutOfMemoryKills ?? 0, converged?.ConvergeSeconds, converged is null ? null : Memory.Of(converged.Sample));
        Progress.Say(
            $"  {result.How}: {(result.Held ? "held" : "NOT held")}; peak {result.PeakUsage / 1048576.0:0.0} MiB, " +
            $"{result.Reclaims} reclaims, {result.OutOfMemoryKills} kills");
        return result;
    }
}
