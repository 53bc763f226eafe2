using McpOperator.Kubernetes;
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

    private bool _isGated;

    // Counts up from anywhere, so that the ids of two runs of the process hardly ever meet in a log.
    private int _lastId = Environment.TickCount;

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
            worker => Task.Run(() => WorkerAsync(lane, worker, trim, stop, inFlight.Token), CancellationToken.None))));
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

    private async Task WorkerAsync(Lane lane, int worker, MemoryTrim trim, CancellationToken stop, CancellationToken inFlight)
    {
        while (!stop.IsCancellationRequested)
        {
            ObjectKey key;
            try
            {
                if (await lane.Queue.GetAsync(stop) is not { } next)
                    return;
                key = next;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            lane.Counters.Enter(worker, key);
            try
            {
                // Got in the same moment as the stop: it merely waited.
                if (!stop.IsCancellationRequested)
                    await ProcessAsync(lane, key, inFlight);
            }
            finally
            {
                lane.Queue.Done(key);
                lane.Counters.Leave(worker);
            }

            if (lane.Queue.Depth == 0)
                trim.Idle();
        }
    }

    private async Task ProcessAsync(Lane lane, ObjectKey key, CancellationToken inFlight)
    {
        var (queue, counters) = (lane.Queue, lane.Counters);
        using var scope = logger.BeginScope(new ReconcileScope((uint)Interlocked.Increment(ref _lastId), key));
        Outcome outcome;
        try
        {
            outcome = await lane.Reconcile(key, inFlight);
        }
        catch (OperationCanceledException) when (inFlight.IsCancellationRequested)
        {
            return;
        }
        catch (ApiException exception) when (exception.IsConflict)
        {
            // Somebody else was faster. Not an error; the next look sees what they did.
            Log.Conflict(logger, key, exception.Message);
            outcome = Outcome.Retry;
        }
        catch (Exception exception) when (exception is HttpRequestException or ApiException { IsPassing: true })
        {
            // The way to the API server, not the object: every key meets it, and the reflectors report it as well. So
            // one line a key and outage, and no stack.
            var level = queue.Failures(key) == 0 ? LogLevel.Warning : LogLevel.Debug;
            counters.Error();
            var delay = queue.AddRateLimited(key);
            Log.NotReached(logger, level, key, delay.TotalSeconds, exception.Message);
            return;
        }
        catch (ApiException exception)
        {
            // Of the pass as a whole, as a status that cannot be written. It stays until somebody grants or repairs
            // something, so it is said once, and again when it changes.
            var level = lane.Refusals.Get(key) == exception.Message ? LogLevel.Debug : LogLevel.Error;
            lane.Refusals.Set(key, exception.Message);
            counters.Error();
            var delay = queue.AddRateLimited(key);
            Log.ReconcileFailed(logger, level, key, delay.TotalSeconds, exception);
            return;
        }
#pragma warning disable CA1031 // One object's trouble must not become another's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            counters.Error();
            counters.Panic();
            var delay = queue.AddRateLimited(key);
            Log.ReconcileFailed(logger, LogLevel.Error, key, delay.TotalSeconds, exception);
            return;
        }

        lane.Refusals.Remove(key);
        switch (outcome.Kind)
        {
            case OutcomeKind.Retry:
                counters.Requeue();
                queue.AddRateLimited(key);
                break;
            case OutcomeKind.RequeueAfter:
                counters.RequeueAfter();
                queue.Forget(key);
                queue.AddAfter(key, outcome.Delay);
                break;
            default:
                counters.Success();
                queue.Forget(key);
                break;
        }
    }
}
