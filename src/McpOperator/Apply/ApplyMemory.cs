using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>
/// The last write of one object or status. It keeps the operator from sending again what the API server stores differently (a
/// webhook rewrites a field, a value is normalised, a list cannot be reordered, a CRD prunes a field), from warning twice of the
/// same refusal, and from writing as fast as somebody who keeps changing it back.
/// </summary>
/// <remarks>One thread writes, others may read.</remarks>
internal sealed class ApplyMemory
{
    /// <summary>Whoever takes another manager name each time must not fill the memory.</summary>
    private const int MostCopies = 8;

    /// <summary>Conflicts in a row. More are no coincidence, and are reported.</summary>
    private const int MostRaces = 10;

    private Suppressed? _suppressed;
    private string? _refusal;
    private List<(string Uid, string Manager)>? _copies;
    private int _races;
    private Contest? _contest;

    /// <summary>True when there is nothing to remember.</summary>
    public bool IsEmpty => _suppressed is null && _refusal is null && _races == 0 && NotOursUid is null && _copies is null && Unwatched is null
        && _contest is null;

    /// <summary>The problem to report while somebody else keeps changing this back.</summary>
    public Problem? Contested(ulong wanted) => _contest?.Fingerprint == wanted ? _contest.Problem : null;

    /// <summary>
    /// Whether it is contested and not reported yet: the caller finds out by whom, and calls <see cref="SayContested"/>.
    /// </summary>
    public bool IsContestNew(ulong wanted) => _contest is { Repairs: >= Contest.Tolerated, Problem: null } && _contest.Fingerprint == wanted;

    /// <summary>True when the object carries what is wanted, or what the API server stored when the same was applied last.</summary>
    public bool IsUpToDate(ulong wanted, ulong live) =>
        wanted == live || (_suppressed is { } suppressed && suppressed.Wanted == wanted && suppressed.Live == live);

    /// <summary>Notes an accepted apply. False when the API server stored something else than was sent.</summary>
    public bool Accepted(ulong wanted, ulong live)
    {
        _refusal = null;
        _races = 0;
        Suppress(wanted, live);
        return wanted == live;
    }

    /// <summary>Notes a conflict (409). False when there were too many in a row to be chance.</summary>
    public bool Conflicted() => ++_races <= MostRaces;

    /// <summary>Until the object changes from <paramref name="live"/>, <paramref name="wanted"/> is not sent again.</summary>
    public void Suppress(ulong wanted, ulong live) => _suppressed = wanted == live ? null : new Suppressed(wanted, live);

    /// <summary>Notes and logs a refusal: as a warning when its text is new, else for debugging. The caller tries again.</summary>
    public Problem Refused(ILogger logger, string kind, ApiException refusal)
    {
        var level = NoteRefusal(refusal.Message);
        Log.ObjectRefused(logger, level, kind, refusal.Message);
        return new Problem(Problem.ApplyFailed, refusal.Message);
    }

    /// <summary>Notes a refusal. Returns the level to log it at.</summary>
    public LogLevel NoteRefusal(string refusal)
    {
        var level = _refusal == refusal ? LogLevel.Debug : LogLevel.Warning;
        _refusal = refusal;
        return level;
    }

    /// <summary>The uid of an object that is not wanted, but that neither this operator nor its predecessor wrote.</summary>
    public string? NotOursUid { get; set; }

    /// <summary>Why the watch does not see the object; null when it does.</summary>
    public Problem? Unwatched { get; set; }

    /// <summary>
    /// Whether a copying manager's share is to be taken. Once for each manager: one that takes it back means it, as another
    /// operator does that owns the same fields under another name.
    /// </summary>
    /// <param name="manager">Null for nobody.</param>
    public bool MayTakeOver(string uid, string? manager) =>
        manager is not null && (_copies is null || (_copies.Count < MostCopies && !_copies.Contains((uid, manager))));

    public void TakeOver(string uid, string manager)
    {
        _copies ??= [];
        _copies.RemoveAll(copy => copy.Uid != uid);
        _copies.Add((uid, manager));
    }

    public void ForgetRefusal() => _refusal = null;

    /// <summary>
    /// Whether the same was repaired lately: to write it again is another repair, even if a status was written in between.
    /// </summary>
    public bool IsRepaired(ulong wanted) => _contest?.Fingerprint == wanted;

    /// <summary>How long until this may be repaired again; zero or less for now.</summary>
    public TimeSpan PauseBefore(ulong wanted, TimeProvider time, TimeSpan longest) =>
        QuietIn(time) is null || _contest!.Fingerprint != wanted ? TimeSpan.Zero : _contest.Pause(longest) - time.GetElapsedTime(_contest.LastAt);

    /// <summary>Notes a write. It ends the contest for any other desired state.</summary>
    /// <param name="isRepair">Whether the object had carried the same before.</param>
    public void Wrote(ulong wanted, bool isRepair, TimeProvider time)
    {
        if (_contest?.Fingerprint == wanted)
            _contest = _contest with { Repairs = _contest.Repairs + 1, LastAt = time.GetTimestamp() };
        else
            _contest = isRepair ? new Contest(wanted, Repairs: 1, time.GetTimestamp()) : null;
    }

    public void SayContested(Problem problem) => _contest = _contest! with { Problem = problem };

    /// <summary>How long until the repairs are forgotten; null when none are remembered.</summary>
    public TimeSpan? QuietIn(TimeProvider time)
    {
        if (_contest is null)
            return null;
        var left = Contest.Quiet - time.GetElapsedTime(_contest.LastAt);
        if (left > TimeSpan.Zero)
            return left;
        _contest = null;
        return null;
    }

    private sealed record Suppressed(ulong Wanted, ulong Live);
}
