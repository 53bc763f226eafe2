using McpOperator.Controller;

namespace McpOperator.Servers;

/// <summary>
/// Of a server that is not ready: when its progress is written next, and what of it was told in events. Who waits for it is told
/// of what lasts, not of each step.
/// </summary>
internal sealed class Quiet(TimeProvider time)
{
    /// <summary>What is waited for as a matter of course is no event before.</summary>
    public static readonly TimeSpan WaitIsTold = TimeSpan.FromSeconds(30);

    /// <summary>Of progress, once it is told at all.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private long _progressAt;
    private string? _wait;
    private bool _isWaitTold;

    /// <summary>Whether an event has told that it is not ready.</summary>
    public bool IsTold { get; private set; }

    /// <summary>Timestamp at which the wait becomes an event; <see cref="long.MaxValue"/> for never.</summary>
    public long DueAt { get; private set; } = long.MaxValue;

    /// <summary>How long until progress may be written; null for now.</summary>
    public TimeSpan? PutOff => time.Until(_progressAt) is var left && left > TimeSpan.Zero ? left : null;

    /// <summary>Its status was written.</summary>
    /// <param name="isSeen">Whether it was progress, or an error: what comes after it is progress that somebody watches.</param>
    /// <param name="diagnoseAfter">No progress is written so long after anything else, nor longer than people wait.</param>
    public void Wrote(bool isSeen, TimeSpan diagnoseAfter) =>
        _progressAt = After(isSeen ? Between : diagnoseAfter < Longest ? diagnoseAfter : Longest);

    /// <summary>An event has told that it is not ready.</summary>
    public void Told() => IsTold = true;

    /// <param name="reason">What is waited for; null for nothing, or what is no matter of course.</param>
    /// <param name="before">What was reported last; its time counts where it is the same.</param>
    /// <returns>Whether it is time to tell it.</returns>
    public bool IsWaitNews(string? reason, LastCondition? before)
    {
        if (reason != _wait)
        {
            _wait = reason;
            var waited = reason is not null && before?.Reason == reason && KubernetesTime.TryParse(before?.Since, out var since)
                ? time.GetUtcNow() - since : TimeSpan.Zero;
            // What lasts so long was told by the process before this one.
            _isWaitTold = reason is null || waited >= WaitIsTold;
            DueAt = _isWaitTold ? long.MaxValue : After(WaitIsTold - waited);
        }

        if (_isWaitTold || DueAt > time.GetTimestamp())
            return false;
        (_isWaitTold, DueAt) = (true, long.MaxValue);
        return true;
    }

    private long After(TimeSpan delay) => time.After(time.GetTimestamp(), delay);
}
