using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>
/// Runs the reflectors, and for each lane the workers that reconcile the keys of its queue (controller-runtime
/// pkg/internal/controller/controller.go). Nothing is reconciled before every store is complete.
/// </summary>
/// <param name="lanes">The change handlers of the stores fill their queues, which are shut down at the end of a run.</param>
/// <param name="gate">
/// Awaited after the sync and before the first reconcile. It waits for leadership here, so that the stores of a standby are warm.
/// </param>
internal sealed class ControllerLoop(
    IReadOnlyList<Lane> lanes,
    IReadOnlyCollection<IReflector> reflectors,
    ILogger logger,
    TimeProvider time,
    Func<CancellationToken, Task>? gate = null)
{
    /// <summary>
    /// How long a reconcile in flight may go on after the stop. Then its token is cancelled. With the two waits below, more
    /// than a second of the five that the process has to end is left for the release of the lease.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AfterCancel = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReflectorsEnd = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FirstSyncReport = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SyncReport = TimeSpan.FromSeconds(60);

    // A request ends within some 70 s, however slow the API server is and whatever it asks for, and a reconcile sends a dozen at
    // most: one that has not ended by then hangs.
    private static readonly TimeSpan LongestReconcile = TimeSpan.FromMinutes(20);

    private readonly Worker _worker = new(logger);
    private bool _isGated;

    /// <summary>True once every reflector has its first list.</summary>
    public bool HasSynced => reflectors.All(reflector => reflector.Synced.IsCompleted);

    /// <summary>For /healthz: names a reconcile that hangs. Null when there is none.</summary>
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
    /// For /healthz: names a list or watch that hangs. Null when there is none. One that the API server refuses or does not
    /// answer does not count: it ends and is tried again, and a restart would not help.
    /// </summary>
    public string? StuckWatch() =>
        reflectors.FirstOrDefault(reflector => reflector.Hangs) is { } stuck
            ? $"the list or watch of {stuck.Name} has not ended in its time"
            : null;

    /// <summary>
    /// Runs until cancelled. Then no reconcile is begun any more, whatever still waits in a queue: the next process lists
    /// everything. Those in flight finish, or are cancelled after <see cref="Grace"/>. The reflectors end last, so that the
    /// stores are up to date for every reconcile to its end.
    /// </summary>
    /// <param name="stop">Ends the run.</param>
    /// <param name="cut">Ends the run without the grace: reconciles in flight are cancelled at once.</param>
    /// <returns>Whether every reconcile in flight finished.</returns>
    public async Task<bool> RunAsync(CancellationToken stop, CancellationToken cut = default)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, cut);
        stop = ending.Token;
        using var reflecting = new CancellationTokenSource();
        // While the gate is closed, keys wait in the queues and nothing is done.
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
        // Task.Run, as a reconcile that runs synchronously must not keep the other workers from starting.
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
