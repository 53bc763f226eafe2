namespace McpOperator.Controller;

/// <summary>What the loop has done, by result: the label values of controller_runtime_reconcile_total.</summary>
public sealed class ReconcileCounters
{
    private long _succeeded;
    private long _failed;
    private long _requeued;
    private long _requeuedAfter;
    private int _active;

    public long Succeeded => Interlocked.Read(ref _succeeded);

    /// <summary>Ended with an exception.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>To be tried again with backoff.</summary>
    public long Requeued => Interlocked.Read(ref _requeued);

    public long RequeuedAfter => Interlocked.Read(ref _requeuedAfter);

    /// <summary>Workers that have a key now.</summary>
    public int ActiveWorkers => Volatile.Read(ref _active);

    internal void Success() => Interlocked.Increment(ref _succeeded);

    internal void Error() => Interlocked.Increment(ref _failed);

    internal void Requeue() => Interlocked.Increment(ref _requeued);

    internal void RequeueAfter() => Interlocked.Increment(ref _requeuedAfter);

    internal void Enter() => Interlocked.Increment(ref _active);

    internal void Leave() => Interlocked.Decrement(ref _active);
}
