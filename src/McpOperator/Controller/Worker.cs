using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>
/// What each worker of a <see cref="ControllerLoop"/> does: takes keys from its lane's queue, has them reconciled, and acts on
/// what came of it. Any number of workers may run at once.
/// </summary>
internal sealed class Worker(ILogger logger)
{
    // Begins anywhere, so that the ids of two runs of the process hardly ever meet in a log.
    private int _lastId = Environment.TickCount;

    /// <summary>Runs worker number <paramref name="index"/> of the lane until the stop. <paramref name="inFlight"/> cancels what it is at.</summary>
    public async Task RunAsync(Lane lane, int index, MemoryTrim trim, CancellationToken stop, CancellationToken inFlight)
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

            lane.Counters.Enter(index, key);
            try
            {
                // A key that was taken in the moment of the stop is left, as those that still wait are.
                if (!stop.IsCancellationRequested)
                    await ProcessAsync(lane, key, inFlight);
            }
            finally
            {
                lane.Queue.Done(key);
                lane.Counters.Leave(index);
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
            // Somebody else has written the object meanwhile. That is no error: the next pass sees what they wrote.
            Log.Conflict(logger, key, exception.Message);
            outcome = Outcome.Retry;
        }
        catch (Exception exception) when (exception is HttpRequestException or ApiException { IsTransient: true })
        {
            // The API server cannot be reached or cannot answer, which has nothing to do with the object: every key fails, and
            // the reflectors log it as well. So there is one line for each key and outage, without a stack.
            var level = queue.Failures(key) == 0 ? LogLevel.Warning : LogLevel.Debug;
            counters.Error();
            var delay = queue.AddRateLimited(key);
            Log.NotReached(logger, level, key, delay.TotalSeconds, exception.Message);
            return;
        }
        catch (ApiException exception)
        {
            // The API server refuses something without which the pass cannot end, such as the status. It will do so until
            // somebody grants or repairs something, so it is logged once, and again when it changes.
            var level = lane.LastErrors.Get(key) == exception.Message ? LogLevel.Debug : LogLevel.Error;
            lane.LastErrors.Set(key, exception.Message);
            counters.Error();
            var delay = queue.AddRateLimited(key);
            Log.ReconcileFailed(logger, level, key, delay.TotalSeconds, exception);
            return;
        }
#pragma warning disable CA1031 // A fault with one object must not stop the others.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            counters.Error();
            counters.Panic();
            var delay = queue.AddRateLimited(key);
            Log.ReconcileFailed(logger, LogLevel.Error, key, delay.TotalSeconds, exception);
            return;
        }

        lane.LastErrors.Remove(key);
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
