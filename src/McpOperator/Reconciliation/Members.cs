using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>
/// The grants, or the sessions, of all servers, and which server each one names: a change of one costs what its server has
/// of them, not what the cluster has. Safe for any number of threads.
/// </summary>
public sealed class Members
{
    private readonly Action<ObjectKey, bool> _onChange;
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, OfServer> _byServer = [];
    private long _lastVersion;

    /// <param name="onChange">Told which server is to be looked at, and whether a list says so.</param>
    public Members(Action<ObjectKey, bool> onChange)
    {
        _onChange = onChange;
        Store = new Store<StoredMember>(OnChanged);
    }

    public Store<StoredMember> Store { get; }

    public OwnReports Reports { get; } = new();

    /// <summary>Told of each one that was deleted, so that nobody remembers anything of it.</summary>
    public event Action<ObjectKey>? Gone;

    /// <summary>Those that name this server, in no order.</summary>
    public IReadOnlyList<StoredMember> Of(ObjectKey server)
    {
        ObjectKey[] keys;
        lock (_lock)
        {
            if (!_byServer.TryGetValue(server, out var members))
                return [];
            keys = [.. members.Keys];
        }

        var found = new List<StoredMember>(keys.Length);
        foreach (var key in keys)
        {
            // One that has just moved or gone is told of in a moment.
            if (Store.Get(key) is { } member && member.Server == server)
                found.Add(member);
        }

        return found;
    }

    /// <summary>Another one after each change that can make a difference; 0 while none names this server.</summary>
    public long VersionOf(ObjectKey server)
    {
        lock (_lock)
            return _byServer.TryGetValue(server, out var members) ? members.Version : 0;
    }

    /// <summary>
    /// Takes in the answer to the report of one of them. It may hold an edit that was made since it was read, and the
    /// edit's own event will be too old to be told when it comes.
    /// </summary>
    /// <param name="answer">As it now is.</param>
    /// <param name="reportedOn">Of what the report is about.</param>
    public void ObserveReport(StoredMember answer, ObjectMeta reportedOn)
    {
        var before = Store.Get(answer.Key);
        if (!Store.Observe(answer) || OwnReports.IsSame(answer.Metadata, reportedOn))
            return;
        Note(before, answer);
        Tell(before, answer, isListed: false);
    }

    private void OnChanged(StoredMember? before, StoredMember? after, bool isListed)
    {
        var isNews = before != after && !IsAsBefore(before, after) && !Reports.IsEcho(before, after);
        if (after is null)
            Gone?.Invoke(before!.Key);
        if (isNews)
            Note(before, after);
        if (isNews || isListed)
            Tell(before, after, isListed);
    }

    private void Tell(StoredMember? before, StoredMember? after, bool isListed)
    {
        if (after is not null)
            _onChange(after.Server, isListed);
        if (before is not null && before.Server != after?.Server)
            _onChange(before.Server, isListed);
    }

    private void Note(StoredMember? before, StoredMember? after)
    {
        lock (_lock)
        {
            if (before is not null && before.Server != after?.Server && _byServer.TryGetValue(before.Server, out var left))
            {
                left.Keys.Remove(before.Key);
                left.Version = ++_lastVersion;
                if (left.Keys.Count == 0)
                    _byServer.Remove(before.Server);
            }

            if (after is null)
                return;
            if (!_byServer.TryGetValue(after.Server, out var members))
                _byServer.Add(after.Server, members = new OfServer());
            members.Keys.Add(after.Key);
            members.Version = ++_lastVersion;
        }
    }

    /// <summary>A label, an annotation: nothing that a policy or a status goes by.</summary>
    private static bool IsAsBefore(StoredMember? before, StoredMember? after) =>
        before is not null && after is not null && OwnReports.IsSame(before.Metadata, after.Metadata)
        && before.Reported?.Fingerprint == after.Reported?.Fingerprint;

    private sealed class OfServer
    {
        public HashSet<ObjectKey> Keys { get; } = [];

        public long Version { get; set; }
    }
}
