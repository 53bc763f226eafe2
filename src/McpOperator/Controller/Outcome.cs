namespace McpOperator.Controller;

/// <summary>
/// Reconciles one object. It is never called for a key while another call for the same key runs. The token is cancelled when the
/// process must end. What it throws is logged, and the key is tried again.
/// </summary>
internal delegate Task<Outcome> Reconcile(ObjectKey key, CancellationToken cancellationToken);

/// <summary>
/// When to reconcile the object again if it does not change before. The default value is <see cref="Done"/>.
/// </summary>
internal readonly record struct Outcome
{
    private Outcome(OutcomeKind kind, TimeSpan delay)
    {
        Kind = kind;
        Delay = delay;
    }

    public OutcomeKind Kind { get; }

    /// <summary>Zero unless the kind is RequeueAfter.</summary>
    public TimeSpan Delay { get; }

    /// <summary>Not before something changes.</summary>
    public static Outcome Done => default;

    /// <summary>
    /// Soon, with the exponential backoff of the key. The loop logs nothing: the reconcile has logged the reason, or it needs
    /// no line, as a conflict does not.
    /// </summary>
    public static Outcome Retry => new(OutcomeKind.Retry, TimeSpan.Zero);

    /// <summary>The same, but not later than that; null changes nothing. What failed is tried again in its own time.</summary>
    public Outcome Within(TimeSpan? delay) => (delay, Kind) switch
    {
        (null, _) or (_, OutcomeKind.Retry) => this,
        ({ } latest, OutcomeKind.Done) => RequeueAfter(latest),
        ({ } latest, _) => RequeueAfter(latest < Delay ? latest : Delay),
    };

    /// <summary>After the delay at the latest. It is no failure, and resets the backoff of the key.</summary>
    public static Outcome RequeueAfter(TimeSpan delay) => new(OutcomeKind.RequeueAfter, delay);
}

/// <summary>The kinds of <see cref="Outcome"/>.</summary>
internal enum OutcomeKind
{
    Done,
    RequeueAfter,
    Retry,
}
