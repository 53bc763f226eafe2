using McpOperator.Controller;

namespace McpOperator.Mirror;

/// <summary>The ConfigMaps and Secrets that servers are to be restarted for.</summary>
internal sealed class Configuration(IEnqueuer servers)
{
    public ConfigurationKind ConfigMaps { get; } = new(ResourceTypes.ConfigMap, servers);

    public ConfigurationKind Secrets { get; } = new(ResourceTypes.Secret, servers, "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token");

    public IReadOnlyList<ConfigurationKind> All => field ??= [ConfigMaps, Secrets];

    /// <summary>What of it is not seen, for want of a right.</summary>
    public IEnumerable<string> DoubtsOf(ObjectKey server) => All.Where(kind => kind.IsDeniedTo(server)).Select(static kind =>
        $"spec.restartOnChange: changes of {kind.Type.Plural} are not seen, since the operator may not list and watch them (docs/api.md, Restart on change)");

    public void Forget(ObjectKey server)
    {
        foreach (var kind in All)
            kind.Refer(server, []);
    }
}

/// <summary>
/// Names and versions of one of the two kinds, in all namespaces that are watched: their metadata is all that is asked for, and only once a
/// server needs it. A change enqueues the servers that refer to the object.
/// </summary>
internal sealed class ConfigurationKind
{
    private readonly References _references;
    private readonly TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="fields">A field selector: most Secrets of a cluster are such as no pod of a server refers to.</param>
    public ConfigurationKind(ResourceType type, IEnqueuer servers, string? fields = null)
    {
        (Type, Fields, _references) = (type, fields, new References(servers));
        Store = new Store<ObjectVersion>(OnChange, onInstalled: _references.AllChanged);
    }

    public ResourceType Type { get; }

    public string? Fields { get; }

    public Store<ObjectVersion> Store { get; }

    /// <summary>Completes with the first reference.</summary>
    public Task Wanted => _wanted.Task;

    /// <summary>Whether the server refers to some, of which nothing is known because the operator may not list them.</summary>
    public bool IsDeniedTo(ObjectKey server) => _references.Contains(server) && Store.IsDenied(server.Namespace);

    /// <summary>Whether its objects there are known, or are not to be had.</summary>
    public bool IsSettled(string ns) => Store.IsDenied(ns) || Store.Reached(ns) is not null;

    /// <inheritdoc cref="References.LastChangeFor"/>
    public object? LastChangeFor(ObjectKey server) => _references.LastChangeFor(server);

    /// <summary>The version of an object; null when there is none, or it is not known.</summary>
    public string? VersionOf(ObjectKey key) => Store.Get(key)?.ResourceVersion;

    /// <inheritdoc cref="References.Refer"/>
    public void Refer(ObjectKey server, IReadOnlyCollection<string> names)
    {
        _references.Refer(server, names);
        if (names.Count > 0)
            _wanted.TrySetResult();
    }

    // What is deleted leaves its servers as they are.
    private void OnChange(ObjectVersion? before, ObjectVersion? after, Origin origin)
    {
        if (after is not null && before?.ResourceVersion != after.ResourceVersion)
            _references.Changed(after.Key);
    }
}
