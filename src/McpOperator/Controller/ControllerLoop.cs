using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>
/// Runs the reflectors, and for each lane workers that take keys from its queue to its reconcile function and act on the
/// outcome (controller-runtime pkg/internal/controller/controller.go). No key is looked at before every store is complete.
/// </summary>
/// <param name="lanes">Each with its queue, which is filled by the stores' change handlers and shut down at the end of a run.</param>
/// <param name="reflectors">What has to be in sync before.</param>
/// <param name="logger">For everything that a reconcile has not said itself.</param>
/// <param name="time">The clock of the graces.</param>
/// <param name="gate">
/// Awaited between sync and the first reconcile: leadership, so that a standby has warm stores.
/// </param>
public sealed class ControllerLoop(
    IReadOnlyList<Lane> lanes,
    IReadOnlyCollection<IReflector> reflectors,
    ILogger logger,
    TimeProvider time,
    Func<CancellationToken, Task>? gate = null)
{
    /// <summary>
    /// How long a reconcile in flight may go on after the stop; then its token is cancelled. Together with the two
    /// waits below it leaves more than a second of the process's five for the lease's release.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AfterCancel = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReflectorsEnd = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FirstSyncReport = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SyncReport = TimeSpan.FromSeconds(60);

    // Every request has its deadline, so that a pass ends, however slow the API server is: this is twenty of thirty
    // seconds. What is still not over then never will be.
    private static readonly TimeSpan LongestReconcile = TimeSpan.FromMinutes(10);

    private readonly Worker _worker = new(logger);
    private bool _isGated;

    /// <summary>True once every reflector has its first list.</summary>
    public bool HasSynced => reflectors.All(reflector => reflector.Synced.IsCompleted);

    /// <summary>For /healthz: a reconcile that hangs. Null when all is well.</summary>
    public string? StuckReconcile()
    {
        foreach (var lane in lanes)
        {
            var busy = lane.Counters.Busy();
            if (busy.Longest > LongestReconcile)
                return $"{lane.Name}: reconciling {busy.Key} has not ended for {busy.Longest.TotalSeconds:0} s";
        }

        return null;
    }

    /// <summary>
    /// For /healthz: a watch that hangs. One that the API server does not answer, or refuses, ends and is tried again,
    /// and a restart would not help it. Null when all is well.
    /// </summary>
    public string? StuckWatch() =>
        reflectors.FirstOrDefault(reflector => reflector.Hangs) is { } stuck
            ? $"the list or watch of {stuck.Name} has not ended in its time"
            : null;

    /// <summary>
    /// Runs until cancelled. Then nothing new is begun, whatever still waits in the queue (the next process lists and
    /// sees it all); what is in flight finishes, or is cancelled after <see cref="Grace"/>; and last the reflectors
    /// end, so that a reconcile sees a live store to its end.
    /// </summary>
    /// <param name="stop">Ends it.</param>
    /// <param name="cut">Ends it without the grace: what is in flight is cancelled at once.</param>
    /// <returns>Whether all that was in flight finished.</returns>
    public async Task<bool> RunAsync(CancellationToken stop, CancellationToken cut = default)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, cut);
        stop = ending.Token;
        using var reflecting = new CancellationTokenSource();
        // Behind the gate the queue only fills.
        using var trim = new MemoryTrim(() => _isGated || lanes.All(lane => lane.IsIdle), time);
        var running = Task.WhenAll(reflectors.Select(
            reflector => Task.Run(() => reflector.RunAsync(reflecting.Token), CancellationToken.None)));
        try
        {
            await SyncAsync(stop);
            trim.Idle();
            if (gate is not null)
            {
                _isGated = true;
                await gate(stop);
                _isGated = false;
            }

            return await WorkAsync(trim, stop, cut);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped before the first reconcile.
            return true;
        }
        finally
        {
            ShutDown();
            await reflecting.CancelAsync();
            await Task.WhenAny(running, Task.Delay(ReflectorsEnd, time, CancellationToken.None));
        }
    }

    private async Task SyncAsync(CancellationToken stop)
    {
        var synced = Task.WhenAll(reflectors.Select(reflector => reflector.Synced));
        for (var wait = FirstSyncReport; ; wait = SyncReport)
        {
            try
            {
                await synced.WaitAsync(wait, time, stop);
                Log.Synced(logger, reflectors.Count);
                return;
            }
            catch (TimeoutException)
            {
                var missing = reflectors.Where(reflector => !reflector.Synced.IsCompleted);
                Log.WaitingForSync(logger, string.Join(", ", missing.Select(reflector => reflector.Name)));
            }
        }
    }

    private async Task<bool> WorkAsync(MemoryTrim trim, CancellationToken stop, CancellationToken cut)
    {
        using var inFlight = CancellationTokenSource.CreateLinkedTokenSource(cut);
        // Task.Run: a reconcile that never really waits must not keep the other workers from starting.
        var all = Task.WhenAll(lanes.SelectMany(lane => Enumerable.Range(0, lane.Workers).Select(
            index => Task.Run(() => _worker.RunAsync(lane, index, trim, stop, inFlight.Token), CancellationToken.None))));
        var workers = lanes.Sum(lane => lane.Workers);
        Log.WorkersStarted(logger, workers);

        await Task.WhenAny(all, Task.Delay(Timeout.Infinite, stop));
        ShutDown();
        if (await EndsWithin(all, cut.IsCancellationRequested ? AfterCancel : Grace))
            return !cut.IsCancellationRequested;

        Log.CancellingReconciles(logger, ActiveWorkers);
        await inFlight.CancelAsync();
        if (!await EndsWithin(all, AfterCancel))
            Log.AbandoningReconciles(logger, ActiveWorkers);
        return false;
    }

    private int ActiveWorkers => lanes.Sum(lane => lane.Counters.ActiveWorkers);

    private void ShutDown()
    {
        foreach (var lane in lanes)
            lane.Queue.ShutDown();
    }

    private async Task<bool> EndsWithin(Task task, TimeSpan limit)
    {
        using var enough = new CancellationTokenSource();
        var ended = await Task.WhenAny(task, Task.Delay(limit, time, enough.Token)) == task;
        await enough.CancelAsync();
        return ended;
    }
}
