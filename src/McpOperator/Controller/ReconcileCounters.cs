using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>
/// What the loop has done, by result (the label values of controller_runtime_reconcile_total), how long it took, and what
/// it is at now.
/// </summary>
public sealed class ReconcileCounters(int workers, TimeProvider time)
{
    private readonly Lock _lock = new();

    // By worker: its key, and since when; null for one that waits.
    private readonly ObjectKey[] _keys = new ObjectKey[workers];
    private readonly long?[] _since = new long?[workers];
    private long _succeeded;
    private long _failed;
    private long _panicked;
    private long _requeued;
    private long _requeuedAfter;

    public long Succeeded => Interlocked.Read(ref _succeeded);

    /// <summary>Ended with an exception.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Those of them that nobody foresaw.</summary>
    public long Panicked => Interlocked.Read(ref _panicked);

    /// <summary>To be tried again with backoff.</summary>
    public long Requeued => Interlocked.Read(ref _requeued);

    public long RequeuedAfter => Interlocked.Read(ref _requeuedAfter);

    /// <summary>Of the reconciles that have ended.</summary>
    public Histogram Durations { get; } = Histogram.OfReconciles();

    /// <summary>The same, in the buckets of a queue.</summary>
    public Histogram WorkDurations { get; } = Histogram.OfQueue();

    /// <summary>Workers that have a key now.</summary>
    public int ActiveWorkers => Busy().Workers;

    /// <summary>What the workers are at now.</summary>
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

/// <summary>What the workers are at.</summary>
public readonly ref struct BusyWorkers
{
    /// <summary>How many have a key.</summary>
    public int Workers { get; init; }

    /// <summary>How long they have had theirs, added up.</summary>
    public TimeSpan Together { get; init; }

    /// <summary>How long the one has had its key that has had it the longest.</summary>
    public TimeSpan Longest { get; init; }

    /// <summary>That key.</summary>
    public ObjectKey Key { get; init; }
}
