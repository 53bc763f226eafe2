namespace McpOperator.Controller;

/// <summary>The three durations of an election. The defaults are those that programs with client-go have.</summary>
/// <param name="LeaseDuration">For how long other candidates leave a lease alone that is not renewed.</param>
/// <param name="RenewDeadline">For how long a leader leads after its last renewal.</param>
/// <param name="RetryPeriod">The time between two renewals, or two reads of another candidate's lease.</param>
internal sealed record LeaseTiming(TimeSpan LeaseDuration, TimeSpan RenewDeadline, TimeSpan RetryPeriod)
{
    /// <summary>Spreads the candidates that wait for the same lease (client-go's JitterFactor).</summary>
    public const double Jitter = 1.2;

    public static LeaseTiming Default { get; } =
        new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2));

    /// <summary>
    /// client-go's rule: a leader gives up before another one can begin, and has tried to renew at least once before it gives up.
    /// </summary>
    public bool IsSound => LeaseDuration > RenewDeadline && RenewDeadline > RetryPeriod * Jitter;
}

/// <summary>A moment on both clocks of this machine.</summary>
/// <param name="Steady">
/// On the clock that nobody can set, and that stands still while the machine is suspended (CLOCK_MONOTONIC).
/// </param>
/// <param name="Utc">On the clock that goes on meanwhile, and that can be set.</param>
internal readonly record struct Moment(TimeSpan Steady, DateTimeOffset Utc)
{
    /// <summary>
    /// The shorter estimate of the time since then, for taking over a lease: setting the clock cannot make it longer.
    /// </summary>
    public TimeSpan AtLeastSince(Moment earlier) => Steady - earlier.Steady;

    /// <summary>The longer estimate of the time since then, for keeping a lease: the time of a suspended machine counts.</summary>
    public TimeSpan AtMostSince(Moment earlier)
    {
        var (steady, utc) = (Steady - earlier.Steady, Utc - earlier.Utc);
        return steady > utc ? steady : utc;
    }
}

/// <summary>What a candidate does next.</summary>
internal enum LeaseVerb
{
    Read,

    /// <summary>Create the lease, since there is none.</summary>
    Create,

    /// <summary>Write the lease that was just read.</summary>
    Claim,

    /// <summary>Write without reading first. The resource version makes it a conflict when somebody else has written.</summary>
    Renew,

    /// <summary>Write nothing any more, and end the process.</summary>
    Lost,
}

/// <summary>One action of a candidate.</summary>
/// <param name="delay">How long to wait before it.</param>
internal sealed class LeaseStep(LeaseVerb verb, TimeSpan delay)
{
    public LeaseVerb Verb => verb;

    public TimeSpan Delay => delay;
}

/// <summary>What became of a step.</summary>
/// <param name="Begun">When its request was about to be sent.</param>
/// <param name="HasFailed">Whether it failed, so that it is not known what the lease is.</param>
/// <param name="Lease">The lease as it is now; null when there is none.</param>
internal readonly record struct LeaseInput(LeaseVerb Verb, Moment Begun, bool HasFailed, Lease? Lease);

/// <summary>What a candidate remembers between steps.</summary>
/// <param name="lease">The lease as it was last read or written.</param>
/// <param name="changedAt">When its record was seen to have changed.</param>
/// <param name="renewedAt">When the last write that succeeded was sent; null while this process does not lead.</param>
internal sealed class LeaseState(Lease? lease, Moment changedAt, Moment? renewedAt)
{
    public static LeaseState Start { get; } = new(null, default, null);

    public Lease? Lease => lease;

    public Moment ChangedAt => changedAt;

    public Moment? RenewedAt => renewedAt;

    public LeaseState NotLeading() => new(lease, changedAt, null);
}

/// <summary>
/// The rules of an election by Lease, as a function of what happened (client-go tools/leaderelection). No I/O, no clock. The
/// time of another machine is never compared with the time of this one: another candidate holds the lease for its
/// leaseDurationSeconds after <em>this</em> process has seen it change.
/// </summary>
/// <remarks>
/// It is stricter than client-go in two ways. client-go counts the renew deadline from the first attempt that failed, which is
/// a retry period after the last success. Here it counts from the sending of the last write that succeeded, so that requests in
/// flight have LeaseDuration − RenewDeadline to end, whatever the retry period is. And a leader that reads another holder ends
/// at once, while client-go's would try to get the lease back.
/// </remarks>
internal sealed class LeaseMachine(string identity, LeaseTiming timing)
{
    // From controller-runtime (pkg/leaderelection): one request that hangs does not lose the lease.
    private readonly TimeSpan _requestLimit =
        timing.RenewDeadline / 2 > TimeSpan.FromSeconds(1) ? timing.RenewDeadline / 2 : TimeSpan.FromSeconds(1);

    public static LeaseStep Start { get; } = new(LeaseVerb.Read, TimeSpan.Zero);

    /// <summary>Whether this process leads. From the deadline on it does not, even if nobody has noticed yet.</summary>
    public bool Leads(LeaseState state, Moment now) => state.RenewedAt is { } renewed && Left(renewed, now) > TimeSpan.Zero;

    /// <summary>How long a request that begins now may take. When it is not above zero, the lease is lost.</summary>
    public TimeSpan Limit(LeaseState state, Moment now) =>
        state.RenewedAt is { } renewed ? Min(_requestLimit, Left(renewed, now)) : _requestLimit;

    /// <summary>The record to write in order to become the holder, or to stay it.</summary>
    public LeaseRecord Claim(LeaseState state, Moment now)
    {
        var text = KubernetesTime.FormatMicro(now.Utc);
        // Rounded up: 0 is not allowed, and no other candidate may begin before our time is over.
        var seconds = (long)Math.Ceiling(timing.LeaseDuration.TotalSeconds);
        return state.Lease?.Record switch
        {
            null => new LeaseRecord(identity, seconds, text, text, 0),
            var held when held.Holder == identity => held with { DurationSeconds = seconds, RenewTime = text },
            var other => new LeaseRecord(identity, seconds, text, text, other.Transitions + 1),
        };
    }

    /// <summary>The record to write in order to give the lease up.</summary>
    public static LeaseRecord Release(LeaseRecord held, Moment now)
    {
        var text = KubernetesTime.FormatMicro(now.Utc);
        return held with { Holder = "", DurationSeconds = 1, AcquireTime = text, RenewTime = text };
    }

    public (LeaseState State, LeaseStep Step) Next(LeaseState state, in LeaseInput input, Moment now, double random) => input switch
    {
        // It may have been written although no answer came, or somebody edited the object. Read it at once.
        { HasFailed: true, Verb: LeaseVerb.Renew } => (state, LeaseMachine.Start),
        { HasFailed: true } => (state, new(LeaseVerb.Read, Pause(state, now, random))),
        { Verb: LeaseVerb.Read } => AfterRead(state, input.Lease, now, random),
        _ => Written(new(input.Lease, now, input.Begun), now),
    };

    private (LeaseState, LeaseStep) Written(LeaseState state, Moment now) =>
        (state, new(LeaseVerb.Renew, Pause(state, now, 0)));

    private (LeaseState, LeaseStep) AfterRead(LeaseState state, Lease? lease, Moment now, double random)
    {
        if (lease is null)
            return (new(null, state.ChangedAt, state.RenewedAt), new(LeaseVerb.Create, TimeSpan.Zero));

        var record = lease.Record;
        state = new(lease, record == state.Lease?.Record ? state.ChangedAt : now, state.RenewedAt);
        if (record.Holder != identity)
        {
            if (state.RenewedAt is not null)
                return (state.NotLeading(), new(LeaseVerb.Lost, TimeSpan.Zero));
            if (record.Holder.Length > 0 && now.AtLeastSince(state.ChangedAt).TotalSeconds < record.DurationSeconds)
                return (state, new(LeaseVerb.Read, Pause(state, now, random)));
        }

        return (state, new(LeaseVerb.Claim, TimeSpan.Zero));
    }

    /// <summary>How long to wait until the next step; for a leader not beyond its deadline.</summary>
    private TimeSpan Pause(LeaseState state, Moment now, double random) => state.RenewedAt is { } renewed
        ? Min(timing.RetryPeriod, Left(renewed, now))
        : timing.RetryPeriod * (1 + (LeaseTiming.Jitter * random));

    private TimeSpan Left(Moment renewed, Moment now) => timing.RenewDeadline - now.AtMostSince(renewed);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
