namespace McpOperator.Controller;

/// <summary>
/// Keys that wait for a worker, each at most once, with the guarantees of client-go (util/workqueue): two workers never have
/// the same key; a burst of additions leads to one reconcile; a key that is added while a worker has it comes again afterwards.
/// And with that of controller-runtime (pkg/controller/priorityqueue): a user's edit does not wait behind a thousand objects
/// that were listed at the start. Safe for any number of threads.
/// </summary>
internal sealed class WorkQueue : IEnqueuer, IDisposable
{
    // Timers overflow at 49 days. A longer delay is a mistake, and to reconcile earlier does no harm.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(30);

    private readonly Lock _lock = new();

    // By priority. A key whose priority was raised is in two of the queues. Only the entry with its latest ticket counts.
    private readonly Queue<(ObjectKey Key, int Ticket)>[] _ready = [new(), new(), new()];
    private readonly Dictionary<ObjectKey, (Priority Priority, int Ticket, long Since)> _dirty = [];
    private readonly HashSet<ObjectKey> _processing = [];
    private readonly Dictionary<ObjectKey, (int Count, TimeSpan Turn)> _failures = [];

    // Over all keys: as many retries of failures as client-go allows (DefaultTypedControllerRateLimiter).
    private readonly TokenBucket _retryTurns = new(burst: 100, TimeSpan.FromMilliseconds(100));
    private readonly DelayedKeys _delayed = new();

    // One permit for each ready key. After the shutdown there is one more, which each getter passes on to the next one.
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

    /// <param name="time">For delayed additions.</param>
    /// <param name="random">In [0, 1); for jitter. Called under the lock of the queue.</param>
    /// <param name="backoff">For <see cref="AddRateLimited"/>; <see cref="Backoff.Retry"/> when null.</param>
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

    /// <summary>How many keys wait for a worker.</summary>
    public int Depth
    {
        get
        {
            lock (_lock)
                return _depth;
        }
    }

    /// <summary>How many keys wait until their delay is over.</summary>
    public int Delayed
    {
        get
        {
            lock (_lock)
                return _delayed.Count;
        }
    }

    /// <summary>How many keys were added so far, without additions of a key that was waiting already.</summary>
    public long Adds => Interlocked.Read(ref _adds);

    /// <summary>How many keys were added with a delay so far, for whatever reason, as client-go counts them.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>
    /// How long keys waited for a worker. As in client-go it counts from the first addition, and so includes the time in which
    /// a worker still had the key from before.
    /// </summary>
    public Histogram Waits { get; } = Histogram.OfQueue();

    /// <summary>
    /// Adds the key for the next free worker. A delayed addition of the same key remains, so that whoever asked for that
    /// reconcile gets it. A key that waits already is moved forward when the new priority is higher, and never back.
    /// </summary>
    public void Add(ObjectKey key, Priority priority = Priority.Changed)
    {
        lock (_lock)
            AddLocked(key, priority);
    }

    /// <summary>
    /// Adds the key after <paramref name="delay"/>. Of several delays of a key, the one that ends first counts.
    /// </summary>
    public void AddAfter(ObjectKey key, TimeSpan delay)
    {
        lock (_lock)
            AddAfterLocked(key, delay);
    }

    /// <summary>
    /// Adds the key after a failure, with a delay that grows with each call until <see cref="Forget"/>. Where many keys fail it is longer:
    /// after the first hundred, ten of them come back a second.
    /// </summary>
    /// <returns>The delay.</returns>
    public TimeSpan AddRateLimited(ObjectKey key)
    {
        lock (_lock)
        {
            var (failures, turn) = _failures.GetValueOrDefault(key);
            var delay = _backoff.Delay(failures, _random());
            if (_shutDown)
                return delay;

            // A key that fails again before its turn, because of an event, keeps it: it must not use up those of the others.
            var now = Now;
            if (turn <= now)
                turn = _retryTurns.Take(now);
            if (turn - now > delay)
                delay = turn - now;
            _failures[key] = (failures + 1, turn);
            AddAfterLocked(key, delay);
            return delay;
        }
    }

    /// <summary>Resets the failures of the key. Takes nothing out of the queue.</summary>
    public void Forget(ObjectKey key)
    {
        lock (_lock)
            _failures.Remove(key);
    }

    /// <summary>How often the key has failed since <see cref="Forget"/>.</summary>
    public int Failures(ObjectKey key)
    {
        lock (_lock)
            return _failures.GetValueOrDefault(key).Count;
    }

    /// <summary>
    /// Waits for a key. The caller must call <see cref="Done"/> for it; until then nobody else gets it. Null when the queue is
    /// shut down and empty.
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

            // Only the shutdown releases a permit without a key. The next getter gets it.
            _available.Release();
            return null;
        }
    }

    /// <summary>The worker no longer has the key, whether it succeeded or not.</summary>
    public void Done(ObjectKey key)
    {
        lock (_lock)
        {
            if (_processing.Remove(key) && _dirty.TryGetValue(key, out var wanted))
                MakeReady(key, wanted.Priority, wanted.Since);
        }
    }

    /// <summary>
    /// Ignores further additions and drops the delayed ones. Keys that wait, and keys that were added while a worker had them,
    /// can still be taken.
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

    /// <summary>
    /// Shuts down. The semaphore has no handle, and is not disposed: workers that are about to end may still use it.
    /// </summary>
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
        // Rounded up: timers count whole milliseconds, and one that fires early would have to be set again.
        if (_delayed.Next is not { } next)
            return;

        var wait = TimeSpan.FromMilliseconds(Math.Ceiling((next - now).TotalMilliseconds));
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
