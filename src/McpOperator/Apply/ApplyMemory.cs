using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>
/// What is remembered of one thing that is written again and again: an object, or a status. It keeps the operator from sending the
/// same to an API server that makes something else of it (a webhook that rewrites our field, a value that is normalised, a list
/// that cannot be reordered, a CRD that prunes a field), from telling the same refusal twice, and from writing as fast as somebody else
/// who keeps changing it back.
/// </summary>
/// <remarks>One thread writes, others may read.</remarks>
internal sealed class ApplyMemory
{
    /// <summary>Managers have any name: somebody who always takes another one costs no more than this.</summary>
    private const int MostCopies = 8;

    /// <summary>Conflicts in a row. A writer who is faster each time is not a race any more, but somebody in the way.</summary>
    private const int MostRaces = 10;

    private Outcome? _outcome;
    private string? _refusal;
    private List<(string Uid, string Manager)>? _copies;
    private int _races;
    private Contest? _contest;

    /// <summary>True when there is nothing to remember.</summary>
    public bool IsEmpty => _outcome is null && _refusal is null && _races == 0 && CopyUid is null && _copies is null && Unwatched is null
        && _contest is null;

    /// <summary>What is said of it while somebody else keeps changing this back.</summary>
    public Problem? Contested(ulong wanted) => _contest?.Wanted == wanted ? _contest.Problem : null;

    /// <summary>Whether it has just become clear that somebody does: it is for the caller to find out who (<see cref="SayContested"/>).</summary>
    public bool IsContestNew(ulong wanted) => _contest is { Repairs: >= Contest.Tolerated, Problem: null } && _contest.Wanted == wanted;

    /// <summary>
    /// True when what stands there is what was wanted, or what the API server made of it before. Anybody else's change looks
    /// different.
    /// </summary>
    public bool IsSettled(ulong wanted, ulong live) =>
        wanted == live || (_outcome is { } outcome && outcome.Wanted == wanted && outcome.Live == live);

    /// <summary>The API server took it. Returns false when it made something else of it.</summary>
    public bool Taken(ulong wanted, ulong live)
    {
        _refusal = null;
        _races = 0;
        Settle(wanted, live);
        return wanted == live;
    }

    /// <summary>Somebody else wrote at the same time. False when that has happened too often to be chance.</summary>
    public bool Raced() => ++_races <= MostRaces;

    /// <summary>As long as this stands there, the same is not sent again.</summary>
    public void Settle(ulong wanted, ulong live) => _outcome = wanted == live ? null : new Outcome(wanted, live);

    /// <summary>
    /// The API server refused it. It is tried again for ever, and logged as a warning at its first time and when it reads differently.
    /// </summary>
    public Problem Refused(ILogger logger, string kind, ApiException refusal)
    {
        var level = NoteRefusal(refusal.Message);
        Log.ObjectRefused(logger, level, kind, refusal.Message);
        return new Problem(Problem.ApplyFailed, refusal.Message);
    }

    /// <summary>At which level a refusal is to be logged now.</summary>
    public LogLevel NoteRefusal(string refusal)
    {
        var level = _refusal == refusal ? LogLevel.Debug : LogLevel.Warning;
        _refusal = refusal;
        return level;
    }

    /// <summary>Of what stands in the place of a thing that is not wanted and was found to be of nobody's making that we know.</summary>
    public string? CopyUid { get; set; }

    /// <summary>Why the watch does not see what stands there; null when it does.</summary>
    public Problem? Unwatched { get; set; }

    /// <summary>
    /// Whether what a manager has copied is to be taken over: of each one once, for whoever takes it back means it, as another operator
    /// does that owns the same under another name.
    /// </summary>
    /// <param name="manager">Null for nobody.</param>
    public bool MayTakeOver(string uid, string? manager) =>
        manager is not null && (_copies is null || (_copies.Count < MostCopies && !_copies.Contains((uid, manager))));

    /// <summary>It is taken over now.</summary>
    public void TakeOver(string uid, string manager)
    {
        _copies ??= [];
        _copies.RemoveAll(copy => copy.Uid != uid);
        _copies.Add((uid, manager));
    }

    public void ForgetRefusal() => _refusal = null;

    /// <summary>Whether this was put right lately: to write it once more is another repair, whatever the status has said meanwhile.</summary>
    public bool IsRepaired(ulong wanted) => _contest?.Wanted == wanted;

    /// <summary>How long until this may be put right again; zero or less for now.</summary>
    public TimeSpan PauseBefore(ulong wanted, TimeProvider time, TimeSpan longest) =>
        QuietIn(time) is null || _contest!.Wanted != wanted ? TimeSpan.Zero : _contest.Pause(longest) - time.GetElapsedTime(_contest.LastAt);

    /// <summary>It was written. Where something else was contested before, that is forgotten.</summary>
    /// <param name="isRepair">Whether the same had been there before.</param>
    public void Wrote(ulong wanted, bool isRepair, TimeProvider time)
    {
        if (_contest?.Wanted == wanted)
            _contest = _contest with { Repairs = _contest.Repairs + 1, LastAt = time.GetTimestamp() };
        else
            _contest = isRepair ? new Contest(wanted, Repairs: 1, time.GetTimestamp()) : null;
    }

    public void SayContested(Problem problem) => _contest = _contest! with { Problem = problem };

    /// <summary>How long until nothing is remembered of repairs; null when nothing is.</summary>
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

    private sealed record Outcome(ulong Wanted, ulong Live);
}
