using McpOperator.Api;
using McpOperator.Controller;

namespace McpOperator.Access;

/// <summary>
/// The grants, or the sessions, indexed by the server that they name: a change costs what its server has of them, not what the
/// cluster has. Safe for any number of threads.
/// </summary>
internal sealed class AccessByServer
{
    private readonly Action<ObjectKey, Origin> _onChange;
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, HashSet<ObjectKey>> _byServer = [];

    /// <param name="onChange">Receives the server whose grants or sessions changed.</param>
    public AccessByServer(Action<ObjectKey, Origin> onChange)
    {
        _onChange = onChange;
        Store = new Store<StoredAccess>(OnChanged, IReportedObject.DifferOnlyInStatus);
    }

    public Store<StoredAccess> Store { get; }

    /// <summary>Raised for each deleted one.</summary>
    public event Action<ObjectKey>? Gone;

    /// <summary>Those that name this server, in no order.</summary>
    public IReadOnlyList<StoredAccess> Of(ObjectKey server)
    {
        ObjectKey[] keys;
        lock (_lock)
        {
            if (!_byServer.TryGetValue(server, out var members))
                return [];
            keys = [.. members];
        }

        var found = new List<StoredAccess>(keys.Length);
        foreach (var key in keys)
        {
            // One that changes right now enqueues its server again.
            if (Store.Get(key) is { } member && member.Server == server)
                found.Add(member);
        }

        return found;
    }

    public bool Has(ObjectKey server)
    {
        lock (_lock)
            return _byServer.ContainsKey(server);
    }

    private void OnChanged(StoredAccess? before, StoredAccess? after, Origin origin)
    {
        Index(before, after);
        if (after is null)
            Gone?.Invoke(before!.Key);
        if (origin == Origin.OwnWrite)
            return;
        // What a list finds as it was is looked at all the same, once everything else has been.
        if (before == after || !IsAsBefore(before, after))
            Tell(before, after, before is null || before == after ? origin : Origin.Watch);
    }

    private void Tell(StoredAccess? before, StoredAccess? after, Origin origin)
    {
        if (after is not null)
            _onChange(after.Server, origin);
        if (before is not null && before.Server != after?.Server)
            _onChange(before.Server, origin);
    }

    private void Index(StoredAccess? before, StoredAccess? after)
    {
        lock (_lock)
        {
            if (before is not null && before.Server != after?.Server && _byServer.TryGetValue(before.Server, out var left)
                && left.Remove(before.Key) && left.Count == 0)
                _byServer.Remove(before.Server);
            if (after is null)
                return;
            if (!_byServer.TryGetValue(after.Server, out var members))
                _byServer.Add(after.Server, members = []);
            members.Add(after.Key);
        }
    }

    /// <summary>A label, an annotation: nothing that a policy or a status goes by.</summary>
    private static bool IsAsBefore(StoredAccess? before, StoredAccess? after) =>
        before is not null && after is not null && IReportedObject.DifferOnlyInStatus(before, after)
        && before.Reported?.Fingerprint == after.Reported?.Fingerprint;
}
