namespace McpOperator.Controller;

/// <summary>
/// How long to wait after a failure: <paramref name="Min"/> after the first, then longer by <paramref name="Factor"/> each
/// time, up to <paramref name="Max"/>. It holds no state, so that one instance serves all keys and reflectors.
/// </summary>
/// <param name="Max">Without jitter, which comes on top.</param>
/// <param name="Jitter">
/// A delay d becomes a random one in [d, d × (1 + Jitter)), so that what failed at the same time is not tried again at the same
/// time (apimachinery wait.Jitter).
/// </param>
/// <param name="Reset">After this time without a failure, the next one counts as the first.</param>
internal sealed record Backoff(TimeSpan Min, double Factor, TimeSpan Max, double Jitter, TimeSpan Reset)
{
    /// <summary>For lists and watches, with the figures of client-go's reflector (tools/cache/reflector.go) and kube-rs.</summary>
    public static Backoff Watch { get; } = new(
        TimeSpan.FromMilliseconds(800), 2, TimeSpan.FromSeconds(30), 1.0, TimeSpan.FromMinutes(2));

    /// <summary>
    /// For a key that failed: 5 ms, then doubled. A jitter of a fifth spreads keys that one cause broke at the same moment, and
    /// makes the longest delay 5 minutes. Only success resets it.
    /// </summary>
    public static Backoff Retry { get; } = new(
        TimeSpan.FromMilliseconds(5), 2, TimeSpan.FromSeconds(250), 0.2, TimeSpan.MaxValue);

    /// <summary>The delay after a failure.</summary>
    /// <param name="failures">How many failures in a row there were before this one.</param>
    /// <param name="random">In [0, 1).</param>
    public TimeSpan Delay(int failures, double random)
    {
        // Math.Pow may become infinite, and Min takes Max then.
        var ticks = Math.Min(Min.Ticks * Math.Pow(Factor, failures), Max.Ticks);
        return TimeSpan.FromTicks((long)(ticks * (1 + (Jitter * random))));
    }

    /// <summary>The delay after a failure at <paramref name="now"/>, and what to remember of it.</summary>
    public (TimeSpan Delay, BackoffProgress Progress) Next(BackoffProgress progress, TimeSpan now, double random)
    {
        var failures = now - progress.LastFailure > Reset ? 0 : progress.Failures;
        return (Delay(failures, random), new BackoffProgress(failures + 1, now));
    }
}

/// <summary>What a <see cref="Backoff"/> must know of the past. The default value is "no failure yet".</summary>
/// <param name="Failures">How many there were in a row.</param>
/// <param name="LastFailure">On a clock that never goes back.</param>
internal readonly record struct BackoffProgress(int Failures, TimeSpan LastFailure);
