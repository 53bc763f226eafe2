namespace McpOperator.Controller;

/// <summary>
/// Turns for what must not happen too often: <paramref name="burst"/> of them at once, and one more after each
/// <paramref name="interval"/> (Limiter.Reserve in golang.org/x/time/rate). Not thread-safe.
/// </summary>
internal sealed class TokenBucket(int burst, TimeSpan interval)
{
    /// <summary>When it is full again, if nobody takes more. Each turn that is taken puts that off.</summary>
    private TimeSpan _full;

    /// <param name="now">On a clock that never goes back.</param>
    /// <returns>When the next turn is; the past when it is now.</returns>
    public TimeSpan Take(TimeSpan now)
    {
        _full = (_full > now ? _full : now) + interval;
        return _full - (burst * interval);
    }
}
