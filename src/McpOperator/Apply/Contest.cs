namespace McpOperator.Apply;

/// <summary>
/// How often the very same had to be put right lately. The first time is at once; whoever changes it back each time is answered ever
/// more seldom, or two that want different things would write for ever, as fast as the API server can.
/// </summary>
/// <param name="Wanted">What it was put back to.</param>
/// <param name="Repairs">How often.</param>
/// <param name="LastAt">When it was done last, as a timestamp.</param>
/// <param name="Problem">What is said of it; null while it may be nothing but a person who tries something.</param>
internal sealed record Contest(ulong Wanted, int Repairs, long LastAt, Problem? Problem = null)
{
    /// <summary>After so many repairs the next change is no mistake.</summary>
    public const int Tolerated = 2;

    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>So long after the last repair it is over, and the next one is a first one.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(10);

    /// <summary>Between the last repair and the next one.</summary>
    public TimeSpan Pause(TimeSpan longest)
    {
        var pause = FirstPause * (1L << Math.Min(Repairs - 1, 30));
        return pause < longest ? pause : longest;
    }
}
