using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>Somebody else has the lease, or may have it: the process must end.</summary>
internal sealed class LeaseLostException(string message) : Exception(message);

/// <summary>
/// Leads while it holds a Lease. <see cref="LeaseMachine"/> decides what to do next; this class does it.
/// </summary>
/// <param name="api">A client whose writes do not depend on <see cref="Leads"/>, since it must write the lease first.</param>
/// <param name="identity">The holder that this process writes into the Lease. No other process may have the same.</param>
/// <param name="logger">Gets every change, and an error when its text changes. Repetitions are logged as Debug.</param>
/// <param name="random">In [0, 1); for jitter.</param>
internal sealed class LeaderElector(
    ApiClient api, ObjectKey key, string identity, LeaseTiming timing, ILogger logger, TimeProvider time, Func<double> random)
{
    // Counted from the stop on, and less than the host allows for it. The release has what the waits of the loop have left of it.
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(4.25);

    // From controller-runtime: a leader that still runs so long after the end of its lease hangs.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(20);

    private readonly LeaseMachine _rules = new(identity, timing);
    private readonly long _epoch = time.GetTimestamp();
    private readonly string _lease = key.ToString();
    private readonly TaskCompletionSource _renewal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken _ending;
    private volatile LeaseState _state = LeaseState.Start;
    private string? _fault;
    private string? _reportedHolder;
    private bool _hasWritten;
    private bool _hasLed;
    private long _slowPaths;

    /// <summary>Raised when the lease is of an older version than before: nothing that is held of the cluster can be believed.</summary>
    public event Action? Rewound;

    public string Name => key.Name;

    /// <summary>
    /// Whether a write may be sent now. It asks the clock: a process that was suspended and goes on after the end of its lease
    /// gets false, even before it has noticed that it has lost it.
    /// </summary>
    public bool Leads => _rules.Leads(_state, Now);

    /// <summary>Renewals that had to read the lease first.</summary>
    public long SlowPaths => Interlocked.Read(ref _slowPaths);

    private Moment Now => new(time.GetElapsedTime(_epoch), time.GetUtcNow());

    /// <summary>For /healthz: a leader that has neither renewed its lease nor ended. Null when all is well.</summary>
    public string? StuckLeader() =>
        _state.RenewedAt is { } renewed && Now.AtMostSince(renewed) > timing.LeaseDuration + Tolerance
            ? "the lease has expired, and the process has not ended"
            : null;

    /// <summary>
    /// Runs the work, and cuts it off when the lease is lost. When the work ends otherwise, the lease is released.
    /// </summary>
    /// <param name="work">
    /// Must await <see cref="AcquireAsync"/> before its first write. Its first token asks it to end, the second one cuts it
    /// off. It returns true when nothing that it began is still in flight, so that another process may lead.
    /// </param>
    /// <param name="stop">Asks the work to end.</param>
    /// <exception cref="LeaseLostException">The lease was lost, and the process must end.</exception>
    public async Task RunAsync(Func<CancellationToken, CancellationToken, Task<bool>> work, CancellationToken stop)
    {
        var stoppedAt = 0L;
        using var noting = stop.UnsafeRegister(_ => Volatile.Write(ref stoppedAt, time.GetTimestamp()), null);
        using var cut = new CancellationTokenSource();
        using var ending = new CancellationTokenSource();
        _ending = ending.Token;
        bool isThrough;
        try
        {
            var working = work(stop, cut.Token);
            if (await Task.WhenAny(working, _renewal.Task) == _renewal.Task)
                await cut.CancelAsync();
            isThrough = await working;
        }
        finally
        {
            await ending.CancelAsync();
        }

        if (_hasLed)
            await _renewal.Task;
        // From here on no write is sent, however late somebody tries.
        _state = _state.NotLeading();
        if (_hasWritten && isThrough)
            await ReleaseAsync(ReleaseLimit - (Volatile.Read(ref stoppedAt) is var since and not 0 ? time.GetElapsedTime(since) : TimeSpan.Zero));
    }

    /// <summary>Waits until this process leads. The lease is renewed from then on.</summary>
    public async Task AcquireAsync(CancellationToken stop)
    {
        var step = LeaseMachine.Start;
        while (_state.RenewedAt is null)
            step = await TakeAsync(step, stop);
        Log.LeaseAcquired(logger, _lease, identity);
        _hasLed = true;
        _ = RenewAsync(step);
    }

    private async Task RenewAsync(LeaseStep step)
    {
        try
        {
            while (step.Verb != LeaseVerb.Lost)
                step = await TakeAsync(step, _ending);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            _renewal.SetResult();
            return;
        }
#pragma warning disable CA1031 // Nobody awaits this method: RunAsync gets the exception from _renewal.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _renewal.SetException(exception);
            return;
        }

        var reason = _state is { RenewedAt: null, Lease.Record.Holder: var holder }
            ? $"its holder is \"{holder}\""
            : $"it was not renewed for {timing.RenewDeadline.TotalSeconds} s";
        Log.LeaseLost(logger, _lease, reason);
        _renewal.SetException(new LeaseLostException($"lease {_lease}: {reason}"));
    }

    private async Task<LeaseStep> TakeAsync(LeaseStep step, CancellationToken stop)
    {
        if (step.Delay > TimeSpan.Zero)
            await Task.Delay(step.Delay, time, stop);

        var begun = Now;
        var limit = _rules.Limit(_state, begun);
        if (limit <= TimeSpan.Zero)
            return new(LeaseVerb.Lost, TimeSpan.Zero);

        using var expiry = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, expiry.Token);
        Lease? lease = null;
        Exception? fault = null;
        try
        {
            lease = await SendAsync(step.Verb, begun, either.Token);
        }
#pragma warning disable CA1031 // Whatever it is, LeaseMachine decides what comes next, and it is logged.
        catch (Exception exception) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            fault = expiry.IsCancellationRequested
                ? new TimeoutException($"no answer within {limit.TotalSeconds:0.###} s", exception)
                : exception;
        }

        if (lease is not null && _state.Lease is { } before && ResourceVersion.IsNewer(before.Version, lease.Version))
            Rewound?.Invoke();
        var now = Now;
        var (state, next) = _rules.Next(_state, new(step.Verb, begun, fault is not null, lease), now, random());
        _state = state;
        Report(step.Verb, next.Verb, fault);
        return next;
    }

    private Task<Lease?> SendAsync(LeaseVerb verb, Moment now, CancellationToken cancellationToken)
    {
        if (verb == LeaseVerb.Read)
            return api.FindAsync(Lease.Type, key, Lease.Decode, resourceVersion: null, cancellationToken);
        _hasWritten = true;
        var claim = _rules.Claim(_state, now);
        return verb == LeaseVerb.Create
            ? api.CreateAsync<Lease?>(Lease.Type, key.Namespace, Lease.Body(key, claim), Lease.Decode, cancellationToken)
            : api.UpdateAsync<Lease?>(Lease.Type, key, _state.Lease!.With(claim), Lease.Decode, cancellationToken);
    }

    private void Report(LeaseVerb verb, LeaseVerb next, Exception? fault)
    {
        if (fault is not null)
        {
            if (verb == LeaseVerb.Renew)
                Interlocked.Increment(ref _slowPaths);
            var message = (fault as ApiException)?.Status.Message ?? fault.Message;
            // Another candidate was faster, or somebody edited the Lease. Resource versions are there to notice it.
            var isRace = fault is ApiException { IsConflict: true } or ApiException { IsAlreadyExists: true };
            if (isRace || message == _fault)
            {
                Log.LeaseContested(logger, _lease, message);
                return;
            }

            _fault = message;
            Log.LeaseFailed(logger, _lease, message);
            return;
        }

        _fault = null;
        if (next != LeaseVerb.Read || _state.Lease?.Record.Holder is not { } holder || holder == _reportedHolder)
            return;
        _reportedHolder = holder;
        Log.StandingBy(logger, _lease, holder);
    }

    private async Task ReleaseAsync(TimeSpan left)
    {
        using var limit = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        try
        {
            // It is read first, since a renewal that was cut off may have been written.
            while (await api.FindAsync(Lease.Type, key, Lease.Decode, resourceVersion: null, limit.Token) is { } lease
                && lease.Record.Holder == identity)
            {
                try
                {
                    var released = lease.With(LeaseMachine.Release(lease.Record, Now));
                    await api.UpdateAsync(Lease.Type, key, released, Lease.Decode, limit.Token);
                    Log.LeaseReleased(logger, _lease);
                    return;
                }
                catch (ApiException exception) when (exception.IsConflict)
                {
                    // The renewal that was cut off was written just now: read it again.
                }
            }
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException or OperationCanceledException)
        {
            Log.LeaseNotReleased(logger, _lease, exception.Message);
        }
    }
}
