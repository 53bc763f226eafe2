using System.Globalization;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Mirror;

namespace McpOperator.Servers.Readiness;

/// <summary>
/// Asks the servers whose readiness is theirs to tell: at once when a revision is complete, and then rarely. It is a lane of its own, so that a
/// server that hangs holds up no reconcile, and it runs only while this process leads. Safe for any number of threads.
/// </summary>
/// <param name="ask">Asks one; nothing of what it throws is its fault.</param>
/// <param name="random">In [0, 1).</param>
/// <param name="stopping">Ends what is under way at once: nothing depends on it.</param>
internal sealed class McpProber(
    IEnqueuer queue, McpStates states, Func<McpTarget, McpWay?, CancellationToken, Task<McpAnswer>> ask, TimeProvider time, Func<double> random,
    CancellationToken stopping)
{
    /// <summary>How many are asked at a time.</summary>
    public const int Workers = 8;

    /// <summary>So many of one namespace, that those which hang there leave room for others.</summary>
    public const int WorkersPerNamespace = Workers / 2;

    /// <summary>A server that has answered loses its readiness with so many failures in a row.</summary>
    public const int Misses = 3;

    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    /// <summary>Of one that has not answered yet.</summary>
    private static readonly Backoff Again = new(TimeSpan.FromSeconds(1), 2, TimeSpan.FromMinutes(5), Jitter: 0.2, TimeSpan.MaxValue);

    /// <summary>Of one that has.</summary>
    private static readonly Backoff Doubt = Again with { Min = TimeSpan.FromSeconds(5) };

    /// <summary>
    /// So often, for about half a minute, pods of the revision before are not asked. No list lags for longer; and what was taken for that revision may be of this one,
    /// where it was the news of the Deployment that lagged.
    /// </summary>
    private const int Patience = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, McpEntry> _entries = [];
    private readonly Dictionary<string, (int Running, Queue<ObjectKey> Parked)> _namespaces = new(StringComparer.Ordinal);

    /// <summary>The server is to be asked.</summary>
    /// <param name="isKnown">Whether it has answered at this revision, as far as its status says: that is taken, and asked again in a while.</param>
    /// <param name="isUrgent">Whether it is to be asked at once all the same, unless it was asked since.</param>
    public void Want(McpTarget target, bool isKnown, bool isUrgent)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var entry = _entries.GetValueOrDefault(target.Server);
            var isChanged = entry is null || entry.IsHeld || entry.Target != target;
            if (entry is null || entry.Target.Uid != target.Uid || entry.Target.Revision != target.Revision)
            {
                // Evenly over the period: after a restart all are new.
                entry = _entries[target.Server] = new McpEntry(target)
                {
                    HasAnswered = isKnown,
                    DueAt = isKnown && !isUrgent ? time.After(now, Period * random()) : now,
                    IsParked = entry?.IsParked == true,
                    Info = entry?.Target.Uid == target.Uid ? entry.Info : null,
                    FormerHash = entry is not null && IsNext(entry.Target.Revision, target.Revision) ? entry.PodHash : null,
                };
            }
            else if (entry.Target != target)
            {
                (entry.DueAt, entry.Way) = (now, null);
            }
            else if ((isUrgent && !entry.IsAsked) || (entry.IsHeld && entry.Misses + entry.Absences > 0))
            {
                // One that was held may have other pods than those that did not answer.
                (isChanged, entry.DueAt) = (true, now);
            }

            (entry.Target, entry.IsHeld) = (target, false);
            if (isChanged)
                queue.AddAfter(target.Server, time.Until(entry.DueAt));
        }
    }

    /// <summary>The server is not to be asked for now; what is known of it stays.</summary>
    public void Hold(ObjectKey server)
    {
        lock (_lock)
        {
            if (_entries.GetValueOrDefault(server) is { } entry)
                entry.IsHeld = true;
        }
    }

    /// <summary>The server is not asked any more. Cheap where it never was.</summary>
    public void Forget(ObjectKey server)
    {
        lock (_lock)
        {
            _entries.Remove(server);
            states.Remove(server);
        }
    }

    /// <summary>Asks one server, if it is due.</summary>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        McpEntry? entry;
        McpTarget target;
        lock (_lock)
        {
            entry = _entries.GetValueOrDefault(key);
            var dueIn = entry is null or { IsHeld: true } or { IsParked: true } ? default(TimeSpan?) : time.Until(entry.DueAt);
            if (dueIn is not { } left || left > TimeSpan.Zero)
            {
                // It may have been called in the place of another one of its namespace.
                CallNext(key.Namespace);
                return Outcome.Done.Within(dueIn);
            }

            if (!Enter(key))
            {
                entry!.IsParked = true;
                return Outcome.Done;
            }

            target = entry!.Target;
        }

        var result = McpResult.NotAsked;
        states.Begin();
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
            var answer = await ask(target with { FormerHash = entry.Absences < Patience ? entry.FormerHash : null }, entry.Way, either.Token).ConfigureAwait(false);
            either.Token.ThrowIfCancellationRequested();
            result = answer.Result;
            return Take(entry, target, answer);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            return Outcome.Done;
        }
        finally
        {
            states.End(result);
            Leave(key.Namespace);
        }
    }

    /// <summary>Draws the conclusions.</summary>
    private Outcome Take(McpEntry entry, McpTarget target, McpAnswer answer)
    {
        McpState? state;
        TimeSpan delay;
        lock (_lock)
        {
            // It was about what is not wanted any more.
            if (!ReferenceEquals(_entries.GetValueOrDefault(target.Server), entry) || entry.IsHeld)
                return Outcome.Done;
            if (entry.Target != target)
                return Outcome.RequeueAfter(TimeSpan.Zero);
            entry.IsAsked = true;
            if (answer.PodHash is { } hash)
                (entry.PodHash, entry.FormerHash) = (hash, null);
            (delay, state) = answer switch
            {
                { IsAnswer: true } => Answered(entry, answer),
                { Result: McpResult.NotAsked } => NotAsked(entry, answer),
                _ => Missed(entry, answer),
            };
            entry.DueAt = time.After(time.GetTimestamp(), delay);
            // Within the lock: else it could come after the server was forgotten.
            if (state is not null)
                states.Set(target.Server, state);
        }

        return Outcome.RequeueAfter(delay);
    }

    private (TimeSpan Delay, McpState State) Answered(McpEntry entry, McpAnswer answer)
    {
        var target = entry.Target;
        // Servers that came up together are not asked together for ever.
        var delay = entry.HasAnswered ? Period * (0.9 + (0.2 * random())) : Period * (0.1 + random());
        (entry.HasAnswered, entry.Misses, entry.Absences, entry.Failure, entry.Way) = (true, 0, 0, null, answer.Way);
        entry.Info = answer.Info! with { Revision = target.Revision };
        return (delay, new McpState(target.Uid, target.Revision, IsAnswering: true, answer.Reason, McpWords.Of(answer.Reason), entry.Info, answer.Tools));
    }

    /// <summary>
    /// Whether the Deployment has made the second revision after the first, with nothing in between: then their templates differ. (With another one in between it may
    /// have been rolled back to the first.)
    /// </summary>
    private static bool IsNext(string first, string second)
    {
        var at = first.LastIndexOf('-') + 1;
        return int.TryParse(first.AsSpan(at), CultureInfo.InvariantCulture, out var number)
            && second == first[..at] + (number + 1).ToString(CultureInfo.InvariantCulture);
    }

    private (TimeSpan Delay, McpState? State) NotAsked(McpEntry entry, McpAnswer answer)
    {
        var target = entry.Target;
        var delay = Again.Delay(entry.Absences++, random());
        // That a server does not answer, or does, is known from when it was asked.
        var isKnown = entry.HasAnswered || entry.Misses > 0;
        return (delay, isKnown ? null : new McpState(
            target.Uid, target.Revision, IsAnswering: false, Reasons.McpPending, answer.Detail, entry.Info, states.Get(target.Server)?.Tools));
    }

    private (TimeSpan Delay, McpState? State) Missed(McpEntry entry, McpAnswer answer)
    {
        var target = entry.Target;
        var delay = (entry.HasAnswered ? Doubt : Again).Delay(entry.Misses, random());
        (entry.Misses, entry.Absences, entry.Way) = (entry.Misses + 1, 0, null);
        if (entry.HasAnswered && entry.Misses < Misses)
            return (delay, null);
        var failure = $"{answer.Reason} {answer.Detail}";
        var known = states.Get(target.Server);
        // Of another pod it is no news.
        if (failure == entry.Failure && known is { IsAnswering: false } && known.Revision == target.Revision)
            return (delay, null);
        entry.Failure = failure;
        return (delay, new McpState(
            target.Uid, target.Revision, IsAnswering: false, answer.Reason, McpWords.OfFailure(answer), entry.Info, known?.Tools));
    }

    /// <summary>Whether there is room for one more of its namespace; else it waits until there is.</summary>
    private bool Enter(ObjectKey key)
    {
        var (running, parked) = _namespaces.GetValueOrDefault(key.Namespace);
        parked ??= new Queue<ObjectKey>();
        var mayEnter = running < WorkersPerNamespace;
        if (!mayEnter)
            parked.Enqueue(key);
        _namespaces[key.Namespace] = (mayEnter ? running + 1 : running, parked);
        return mayEnter;
    }

    private void Leave(string ns)
    {
        lock (_lock)
        {
            var (running, parked) = _namespaces[ns];
            _namespaces[ns] = (running - 1, parked);
            CallNext(ns);
            if (running == 1 && parked.Count == 0)
                _namespaces.Remove(ns);
        }
    }

    private void CallNext(string ns)
    {
        if (!_namespaces.TryGetValue(ns, out var room) || room.Running == WorkersPerNamespace)
            return;
        while (room.Parked.TryDequeue(out var next))
        {
            if (_entries.GetValueOrDefault(next) is not { IsParked: true } waiting)
                continue;
            waiting.IsParked = false;
            queue.Add(next);
            return;
        }
    }
}
