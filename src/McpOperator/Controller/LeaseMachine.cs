using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>The three durations of an election; the defaults are those of client-go's users.</summary>
/// <param name="LeaseDuration">For how long others leave a lease alone that nobody renews.</param>
/// <param name="RenewDeadline">For how long after its last renewal a leader leads.</param>
/// <param name="RetryPeriod">Between two looks or renewals.</param>
public sealed record LeaseTiming(TimeSpan LeaseDuration, TimeSpan RenewDeadline, TimeSpan RetryPeriod)
{
    /// <summary>Spreads candidates who all wait for the same lease (client-go's JitterFactor).</summary>
    public const double Jitter = 1.2;

    public static LeaseTiming Default { get; } =
        new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2));

    /// <summary>
    /// client-go's rule: a leader has given up before the others begin, and has tried at least once before it gives up.
    /// </summary>
    public bool IsSound => LeaseDuration > RenewDeadline && RenewDeadline > RetryPeriod * Jitter;
}

/// <summary>One moment on both clocks of this machine.</summary>
/// <param name="Steady">On the clock that is never set. It stands still while the machine is suspended (CLOCK_MONOTONIC).</param>
/// <param name="Utc">On the clock that people set.</param>
public readonly record struct Moment(TimeSpan Steady, DateTimeOffset Utc)
{
    /// <summary>For who must not take something away too early: no set clock may make it longer.</summary>
    public TimeSpan AtLeastSince(Moment earlier) => Steady - earlier.Steady;

    /// <summary>For who must not keep something for too long: a suspended machine's time counts.</summary>
    public TimeSpan AtMostSince(Moment earlier)
    {
        var (steady, utc) = (Steady - earlier.Steady, Utc - earlier.Utc);
        return steady > utc ? steady : utc;
    }
}

/// <summary>What a candidate does next.</summary>
public enum LeaseVerb
{
    Read,

    /// <summary>There is none.</summary>
    Create,

    /// <summary>Write what was just read.</summary>
    Claim,

    /// <summary>Write without reading first: nobody else should have written since.</summary>
    Renew,

    /// <summary>End, and write nothing any more.</summary>
    Lost,
}

/// <summary>One action of a candidate.</summary>
/// <param name="verb">What.</param>
/// <param name="delay">How long to wait first.</param>
public sealed class LeaseStep(LeaseVerb verb, TimeSpan delay)
{
    public LeaseVerb Verb => verb;

    public TimeSpan Delay => delay;
}

/// <summary>What became of a step.</summary>
/// <param name="Verb">The step's.</param>
/// <param name="Begun">Just before its request was sent.</param>
/// <param name="HasFailed">It is not known what the lease is.</param>
/// <param name="Lease">The lease as it is now; null when there is none.</param>
public readonly record struct LeaseInput(LeaseVerb Verb, Moment Begun, bool HasFailed, Lease? Lease);

/// <summary>What a candidate remembers between steps.</summary>
/// <param name="lease">As it was last seen.</param>
/// <param name="changedAt">When its record was first seen to be what it is.</param>
/// <param name="renewedAt">When the last write that succeeded was sent; null while somebody else leads.</param>
public sealed class LeaseState(Lease? lease, Moment changedAt, Moment? renewedAt)
{
    public static LeaseState Start { get; } = new(null, default, null);

    public Lease? Lease => lease;

    public Moment ChangedAt => changedAt;

    public Moment? RenewedAt => renewedAt;

    public LeaseState NotLeading() => new(lease, changedAt, null);
}

/// <summary>
/// The rules of an election by Lease, as a function of what happened (client-go tools/leaderelection). No I/O, no
/// clock. No time of another machine is ever compared with one of ours: a lease is held for as long as its own
/// leaseDurationSeconds after <em>we</em> saw it change.
/// </summary>
/// <remarks>
/// In two things it is stricter. client-go counts the renew deadline from the first attempt that failed, a retry period
/// after the last success; here it counts from the sending of the last write that succeeded, so that LeaseDuration −
/// RenewDeadline is left for what is on its way, whatever the retry period. And a leader who reads another holder ends at
/// once, rather than to contend again.
/// </remarks>
public sealed class LeaseMachine(string identity, LeaseTiming timing)
{
    // As controller-runtime has it (pkg/leaderelection): one request that hangs does not cost the lease.
    private readonly TimeSpan _requestLimit =
        timing.RenewDeadline / 2 > TimeSpan.FromSeconds(1) ? timing.RenewDeadline / 2 : TimeSpan.FromSeconds(1);

    public static LeaseStep Start { get; } = new(LeaseVerb.Read, TimeSpan.Zero);

    /// <summary>Whether it leads: no longer from the deadline on, whether or not anybody has noticed.</summary>
    public bool Leads(LeaseState state, Moment now) => state.RenewedAt is { } renewed && Left(renewed, now) > TimeSpan.Zero;

    /// <summary>What a request that begins now may take. Zero or less: the lease is lost.</summary>
    public TimeSpan Limit(LeaseState state, Moment now) =>
        state.RenewedAt is { } renewed ? Min(_requestLimit, Left(renewed, now)) : _requestLimit;

    /// <summary>What to write in order to become, or to stay, the holder.</summary>
    public LeaseRecord Claim(LeaseState state, Moment now)
    {
        var text = KubernetesTime.FormatMicro(now.Utc);
        // Up: 0 is not allowed, and others must not come before our own time is over.
        var seconds = (long)Math.Ceiling(timing.LeaseDuration.TotalSeconds);
        return state.Lease?.Record switch
        {
            null => new LeaseRecord(identity, seconds, text, text, 0),
            var held when held.Holder == identity => held with { DurationSeconds = seconds, RenewTime = text },
            var other => new LeaseRecord(identity, seconds, text, text, other.Transitions + 1),
        };
    }

    /// <summary>What to write in order to hand it over.</summary>
    public static LeaseRecord Release(LeaseRecord held, Moment now)
    {
        var text = KubernetesTime.FormatMicro(now.Utc);
        return held with { Holder = "", DurationSeconds = 1, AcquireTime = text, RenewTime = text };
    }

    public (LeaseState State, LeaseStep Step) Next(LeaseState state, in LeaseInput input, Moment now, double random) => input switch
    {
        // Perhaps it was written although no answer came, or somebody has put a label on it.
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

    /// <summary>A leader wakes up at its deadline at the latest.</summary>
    private TimeSpan Pause(LeaseState state, Moment now, double random) => state.RenewedAt is { } renewed
        ? Min(timing.RetryPeriod, Left(renewed, now))
        : timing.RetryPeriod * (1 + (LeaseTiming.Jitter * random));

    private TimeSpan Left(Moment renewed, Moment now) => timing.RenewDeadline - now.AtMostSince(renewed);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
