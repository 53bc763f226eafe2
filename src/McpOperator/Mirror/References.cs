using McpOperator.Controller;

namespace McpOperator.Mirror;

/// <summary>Which objects of one kind the servers refer to, by name, in their own namespaces. Safe for any number of threads.</summary>
/// <param name="servers">A change of an object enqueues those that refer to it.</param>
internal sealed class References(IEnqueuer servers)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, IReadOnlyCollection<string>> _names = [];
    private readonly KeyMap<object> _changes = new();

    public bool Contains(ObjectKey server)
    {
        lock (_lock)
            return _names.ContainsKey(server);
    }

    /// <summary>Stands for what changed last of what a server refers to; null for nothing yet.</summary>
    public object? LastChangeFor(ObjectKey server) => _changes.Get(server);

    /// <summary>Says what a server refers to, in place of what was said before.</summary>
    public void Refer(ObjectKey server, IReadOnlyCollection<string> names)
    {
        lock (_lock)
        {
            if (names.Count > 0)
                _names[server] = names;
            else if (_names.Remove(server))
                _changes.Remove(server);
        }
    }

    public void Changed(ObjectKey key) => Tell((server, names) => server.Namespace == key.Namespace && names.Contains(key.Name));

    public void AllChanged() => Tell(static (_, _) => true);

    private void Tell(Func<ObjectKey, IReadOnlyCollection<string>, bool> concerns)
    {
        lock (_lock)
        {
            foreach (var (server, names) in _names)
            {
                if (!concerns(server, names))
                    continue;
                _changes.Set(server, new object());
                servers.Add(server, Priority.Changed);
            }
        }
    }
}
