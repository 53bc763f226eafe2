using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>
/// Keys that wait for a worker, each at most once, with client-go's promises (util/workqueue): a key is never with two
/// workers; a burst of additions is one look; what is added while a worker has the key is looked at again afterwards.
/// And with controller-runtime's (pkg/controller/priorityqueue): a user's edit does not wait behind a thousand objects
/// that a start has listed. Safe for any number of threads.
/// </summary>
public sealed class WorkQueue : ILook, IDisposable
{
    // Timers end at 49 days. An hour-long requeue is common and a year-long one a mistake; looking early is harmless.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(30);

    private readonly Lock _lock = new();

    // By priority. A key whose priority rises stands in two of them; only the entry with its latest ticket counts.
    private readonly Queue<(ObjectKey Key, int Ticket)>[] _ready = [new(), new(), new()];
    private readonly Dictionary<ObjectKey, (Priority Priority, int Ticket, long Since)> _dirty = [];
    private readonly HashSet<ObjectKey> _processing = [];
    private readonly Dictionary<ObjectKey, int> _failures = [];
    private readonly DelayedKeys _delayed = new();

    // One permit for each ready key, and after the shutdown one more that getters hand on to each other.
    private readonly SemaphoreSlim _available = new(0);
    private readonly TimeProvider _time;
    private readonly long _epoch;
    private readonly Func<double> _random;
    private readonly Backoff _backoff;
    private readonly ITimer _timer;
    private int _depth;
    private int _lastTicket;
    private bool _shutDown;
    private long _adds;
    private long _retries;

    /// <param name="time">The clock of delayed additions.</param>
    /// <param name="random">In [0, 1), for jitter; called under the queue's lock.</param>
    /// <param name="backoff">Of <see cref="AddRateLimited"/>; <see cref="Backoff.Retry"/> when null.</param>
    public WorkQueue(TimeProvider time, Func<double> random, Backoff? backoff = null)
    {
        _time = time;
        _epoch = time.GetTimestamp();
        _random = random;
        _backoff = backoff ?? Backoff.Retry;
        _timer = time.CreateTimer(
            static queue => ((WorkQueue)queue!).MoveDelayed(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that wait for a worker now.</summary>
    public int Depth
    {
        get
        {
            lock (_lock)
                return _depth;
        }
    }

    /// <summary>Keys that wait for their time.</summary>
    public int Delayed
    {
        get
        {
            lock (_lock)
                return _delayed.Count;
        }
    }

    /// <summary>Additions so far, those left out that found their key already waiting.</summary>
    public long Adds => Interlocked.Read(ref _adds);

    /// <summary>Delayed additions so far, whatever the reason, as client-go counts them.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>
    /// How long keys waited for a worker: from the first addition, as client-go counts it, so with the time that another
    /// worker still had the key.
    /// </summary>
    public Histogram Waits { get; } = Histogram.OfQueue();

    /// <summary>
    /// Wants a look at the key as soon as a worker is free. A delayed addition of the same key stays: it is one more
    /// look at the cache, and whoever asked for it gets it. A key that waits already is moved ahead when this is more
    /// urgent, and never back.
    /// </summary>
    public void Add(ObjectKey key, Priority priority = Priority.Changed)
    {
        lock (_lock)
            AddLocked(key, priority);
    }

    /// <summary>
    /// Wants a look after <paramref name="delay"/>. A key waits for one moment only: the earliest that was asked for.
    /// </summary>
    public void AddAfter(ObjectKey key, TimeSpan delay)
    {
        lock (_lock)
            AddAfterLocked(key, delay);
    }

    /// <summary>Wants another look after a failure, later with each one until <see cref="Forget"/>.</summary>
    /// <returns>The delay.</returns>
    public TimeSpan AddRateLimited(ObjectKey key)
    {
        lock (_lock)
        {
            var failures = _failures.GetValueOrDefault(key);
            var delay = _backoff.Delay(failures, _random());
            if (_shutDown)
                return delay;

            _failures[key] = failures + 1;
            AddAfterLocked(key, delay);
            return delay;
        }
    }

    /// <summary>The key is well: its next failure is the first. Takes nothing out of the queue.</summary>
    public void Forget(ObjectKey key)
    {
        lock (_lock)
            _failures.Remove(key);
    }

    /// <summary>Failures since the key was last forgotten.</summary>
    public int Failures(ObjectKey key)
    {
        lock (_lock)
            return _failures.GetValueOrDefault(key);
    }

    /// <summary>
    /// Waits for a key. Whoever gets it owes a <see cref="Done"/>; until then nobody else gets it. Null once the queue
    /// is shut down and empty.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; no key was taken.</exception>
    public async ValueTask<ObjectKey?> GetAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        lock (_lock)
        {
            if (TryTake(out var key))
            {
                _processing.Add(key);
                _dirty.Remove(key, out var wanted);
                _depth--;
                Waits.Observe(_time.GetElapsedTime(wanted.Since));
                return key;
            }

            // Only the shutdown gives a permit without a key: on to the next getter with it.
            _available.Release();
            return null;
        }
    }

    /// <summary>The worker is finished with the key, whatever came of it.</summary>
    public void Done(ObjectKey key)
    {
        lock (_lock)
        {
            if (_processing.Remove(key) && _dirty.TryGetValue(key, out var wanted))
                MakeReady(key, wanted.Priority, wanted.Since);
        }
    }

    /// <summary>
    /// Ignores further additions and drops the delayed ones. Keys that wait can still be got, and so can a key that was
    /// added while a worker had it.
    /// </summary>
    public void ShutDown()
    {
        lock (_lock)
        {
            if (_shutDown)
                return;

            _shutDown = true;
            _delayed.Clear();
            _timer.Dispose();
            _available.Release();
        }
    }

    /// <summary>Shuts down. The semaphore stays usable for workers on their way out; it holds no handle.</summary>
    public void Dispose() => ShutDown();

    private TimeSpan Now => _time.GetElapsedTime(_epoch);

    private void AddLocked(ObjectKey key, Priority priority)
    {
        if (_shutDown)
            return;

        var isDirty = _dirty.TryGetValue(key, out var current);
        if (isDirty && priority <= current.Priority)
            return;

        if (!isDirty)
            Interlocked.Increment(ref _adds);
        var since = isDirty ? current.Since : _time.GetTimestamp();
        if (_processing.Contains(key))
            _dirty[key] = (priority, 0, since);
        else if (isDirty)
            Enqueue(key, priority, since);
        else
            MakeReady(key, priority, since);
    }

    private void MakeReady(ObjectKey key, Priority priority, long since)
    {
        Enqueue(key, priority, since);
        _depth++;
        _available.Release();
    }

    private void Enqueue(ObjectKey key, Priority priority, long since)
    {
        _dirty[key] = (priority, ++_lastTicket, since);
        _ready[(int)priority].Enqueue((key, _lastTicket));
    }

    private bool TryTake(out ObjectKey key)
    {
        for (var priority = _ready.Length - 1; priority >= 0; priority--)
        {
            while (_ready[priority].TryDequeue(out var entry))
            {
                key = entry.Key;
                if (_dirty.TryGetValue(key, out var current) && current.Ticket == entry.Ticket)
                    return true;
            }
        }

        key = default;
        return false;
    }

    private void AddAfterLocked(ObjectKey key, TimeSpan delay)
    {
        if (_shutDown)
            return;

        Interlocked.Increment(ref _retries);
        if (delay <= TimeSpan.Zero)
        {
            AddLocked(key, Priority.Changed);
            return;
        }

        var now = Now;
        if (_delayed.Add(key, now + (delay < LongestDelay ? delay : LongestDelay)))
            SetTimer(now);
    }

    private void MoveDelayed()
    {
        lock (_lock)
        {
            if (_shutDown)
                return;

            var now = Now;
            while (_delayed.TryTake(now, out var key))
                AddLocked(key, Priority.Changed);
            SetTimer(now);
        }
    }

    private void SetTimer(TimeSpan now)
    {
        // Rounded up: a timer counts whole milliseconds, and one that rang early would have to be set again and again.
        if (_delayed.Next is not { } next)
            return;

        var wait = TimeSpan.FromMilliseconds(Math.Ceiling((next - now).TotalMilliseconds));
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
