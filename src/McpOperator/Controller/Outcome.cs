using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>
/// Looks at one object and does what it needs. Never called for the same key twice at a time. The token is cancelled
/// when the process has to end. What it throws is logged as an error, once, and the key is tried again.
/// </summary>
public delegate Task<Outcome> Reconcile(ObjectKey key, CancellationToken cancellationToken);

/// <summary>
/// When to look at the object again, beyond its next change. The default value is <see cref="Done"/>.
/// </summary>
public readonly record struct Outcome
{
    private Outcome(OutcomeKind kind, TimeSpan delay)
    {
        Kind = kind;
        Delay = delay;
    }

    public OutcomeKind Kind { get; }

    /// <summary>Of RequeueAfter.</summary>
    public TimeSpan Delay { get; }

    /// <summary>When something changes.</summary>
    public static Outcome Done => default;

    /// <summary>
    /// Soon, with the key's own exponential backoff. Nothing is logged as an error: the reconcile has said why, or it
    /// is not worth a line, as with a conflict.
    /// </summary>
    public static Outcome Retry => new(OutcomeKind.Retry, TimeSpan.Zero);

    /// <summary>After the delay, at the latest. Nothing is wrong: the key's backoff starts afresh.</summary>
    public static Outcome RequeueAfter(TimeSpan delay) => new(OutcomeKind.RequeueAfter, delay);
}

/// <summary>The kinds of <see cref="Outcome"/>.</summary>
public enum OutcomeKind
{
    Done,
    RequeueAfter,
    Retry,
}
