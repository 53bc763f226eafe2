namespace McpOperator.Controller;

/// <summary>
/// The reconciles of a lane: how many ended with which result (the label values of controller_runtime_reconcile_total), how
/// long they took, and which are in flight.
/// </summary>
internal sealed class ReconcileCounters(int workers, TimeProvider time)
{
    private readonly Lock _lock = new();

    // By worker: its key, and since when it has it; null while it has none.
    private readonly ObjectKey[] _keys = new ObjectKey[workers];
    private readonly long?[] _since = new long?[workers];
    private long _succeeded;
    private long _failed;
    private long _panicked;
    private long _requeued;
    private long _requeuedAfter;

    public long Succeeded => Interlocked.Read(ref _succeeded);

    /// <summary>Those that ended with an exception.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Those of the failed ones whose exception was none of the API server and of the connection to it.</summary>
    public long Panicked => Interlocked.Read(ref _panicked);

    /// <summary>Those that are tried again with backoff.</summary>
    public long Requeued => Interlocked.Read(ref _requeued);

    public long RequeuedAfter => Interlocked.Read(ref _requeuedAfter);

    /// <summary>How long the reconciles took that have ended.</summary>
    public Histogram Durations { get; } = Histogram.OfReconciles();

    /// <summary>The same durations in the buckets of a queue's metrics.</summary>
    public Histogram WorkDurations { get; } = Histogram.OfQueue();

    /// <summary>How many workers have a key now.</summary>
    public int ActiveWorkers => Busy().Workers;

    public BusyWorkers Busy()
    {
        var (count, together, longest, key) = (0, TimeSpan.Zero, TimeSpan.Zero, default(ObjectKey));
        lock (_lock)
        {
            for (var worker = 0; worker < workers; worker++)
            {
                if (_since[worker] is not { } since)
                    continue;
                var elapsed = time.GetElapsedTime(since);
                count++;
                together += elapsed;
                if (elapsed >= longest)
                    (longest, key) = (elapsed, _keys[worker]);
            }
        }

        return new BusyWorkers { Workers = count, Together = together, Longest = longest, Key = key };
    }

    internal void Success() => Interlocked.Increment(ref _succeeded);

    internal void Error() => Interlocked.Increment(ref _failed);

    internal void Panic() => Interlocked.Increment(ref _panicked);

    internal void Requeue() => Interlocked.Increment(ref _requeued);

    internal void RequeueAfter() => Interlocked.Increment(ref _requeuedAfter);

    internal void Enter(int worker, ObjectKey key)
    {
        var now = time.GetTimestamp();
        lock (_lock)
            (_keys[worker], _since[worker]) = (key, now);
    }

    internal void Leave(int worker)
    {
        TimeSpan elapsed;
        lock (_lock)
        {
            elapsed = time.GetElapsedTime(_since[worker]!.Value);
            _since[worker] = null;
        }

        Durations.Observe(elapsed);
        WorkDurations.Observe(elapsed);
    }
}

/// <summary>The workers that have a key at one moment.</summary>
internal readonly ref struct BusyWorkers
{
    public int Workers { get; init; }

    /// <summary>The sum of the times that they have had their keys.</summary>
    public TimeSpan Together { get; init; }

    /// <summary>The longest of these times.</summary>
    public TimeSpan Longest { get; init; }

    /// <summary>The key of the worker with the longest time.</summary>
    public ObjectKey Key { get; init; }
}
