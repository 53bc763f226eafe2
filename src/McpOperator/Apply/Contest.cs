namespace McpOperator.Apply;

/// <summary>
/// How often the same desired state had to be restored lately. The first repair is at once, the next ones are ever later: two
/// writers that want different things would else write for ever, as fast as the API server can.
/// </summary>
/// <param name="Fingerprint">The fingerprint of the desired state.</param>
/// <param name="LastAt">Time of the last repair, as a timestamp.</param>
/// <param name="Problem">What is reported of it; null while it may be a person who tries something.</param>
internal sealed record Contest(ulong Fingerprint, int Repairs, long LastAt, Problem? Problem = null)
{
    /// <summary>After so many repairs another change is no mistake.</summary>
    public const int Tolerated = 2;

    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>So long after the last repair the contest is over.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(10);

    /// <summary>Between the last repair and the next one.</summary>
    public TimeSpan Pause(TimeSpan longest)
    {
        var pause = FirstPause * (1L << Math.Min(Repairs - 1, 30));
        return pause < longest ? pause : longest;
    }
}
