using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Mirror;

/// <summary>
/// The mirror of what the API server holds of the servers, where those who act on them meet; and which server is looked at again when
/// something in it, or of its objects, changes.
/// </summary>
internal sealed class Stores
{
    /// <summary>
    /// How long a server that waits for a route is not told that it waits for another one now: when hundreds go, one after another,
    /// each of them was the first for a moment.
    /// </summary>
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    private readonly ILook _servers;
    private readonly ILook _access;

    /// <param name="servers">Asks for a look at the server with a key.</param>
    /// <param name="access">Asks for a look at who may call it.</param>
    /// <param name="ending">Shared with whoever else writes into namespaces.</param>
    public Stores(ILook servers, ILook access, OperatorSettings settings, EndingNamespaces? ending = null)
    {
        Ending = ending ?? new EndingNamespaces();
        _servers = servers;
        _access = access;
        Routes = new RouteTable(settings);
        Servers = new Store<StoredServer>(OnServerChanged, StoredServer.DifferOnlyInStatus);
        Policies = new PolicyBoard(key => servers.Add(key, Priority.Changed));
    }

    public Store<StoredServer> Servers { get; }

    public RouteTable Routes { get; }

    public PolicyBoard Policies { get; }

    public FormerVariables FormerVariables { get; } = new();

    /// <summary>
    /// Servers whose policy was seen to be immutable, or to have taken the place of one that was. Kubelets do not look at the name of
    /// one again, whatever becomes of it. By what the watch tells alone, so that the next leader knows it as well.
    /// </summary>
    public KeyMap<object> ImmutablePolicies { get; } = new();

    /// <summary>Where nothing can be created for a server any more.</summary>
    public EndingNamespaces Ending { get; }

    /// <summary>Something was not created for this server, because its namespace is being deleted.</summary>
    /// <returns>Whether that is news.</returns>
    public bool NoteEnding(ObjectMeta server)
    {
        var isNews = Ending.Add(server.Namespace);
        // The answer may have come so late that the namespace has been made anew: then it holds other servers.
        if (Servers.Get(server.Key)?.Metadata.Uid != server.Uid)
            Ending.Remove(server.Namespace);
        return isNews;
    }

    private void OnServerChanged(StoredServer? before, StoredServer? after, Origin origin)
    {
        var key = (after ?? before)!.Key;
        // No server can be created in a namespace that is being deleted: this is another one of that name.
        if (after is not null && before?.Metadata.Uid != after.Metadata.Uid)
            Ending.Remove(key.Namespace);
        if (!ClaimsTheSame(before, after))
        {
            foreach (var (rival, stillWaits) in Routes.Update(key, after?.Read()))
            {
                if (stillWaits)
                    _servers.AddAfter(rival, Burst);
                else
                    _servers.Add(rival, Priority.Changed);
            }
        }

        var isEdited = before is not null && after is not null && before.Metadata.Generation != after.Metadata.Generation;
        if (isEdited && before!.Metadata.Uid == after!.Metadata.Uid)
            FormerVariables.Note(before, after);
        else if (before is not null && before.Metadata.Uid != after?.Metadata.Uid)
        {
            FormerVariables.Forget(key);
            ImmutablePolicies.Remove(key);
        }

        var priority = isEdited ? Priority.Edited : Urgency(before, after, origin);
        // Defaults that are written go on with the pass that wrote them, which is the server's.
        if (origin != Origin.OwnWrite || isEdited)
            _access.Add(key, priority);
        if (origin != Origin.OwnWrite)
            _servers.Add(key, priority);
    }

    /// <summary>What a list finds as it was, or for the first time, can wait for what changed.</summary>
    private static Priority Urgency(object? before, object? after, Origin origin) =>
        origin == Origin.List && (before is null || before == after) ? Priority.Listed : Priority.Changed;

    /// <summary>
    /// Routes come from the spec, and who has them from the URL that was reported: most events leave both as they were.
    /// </summary>
    private static bool ClaimsTheSame(StoredServer? before, StoredServer? after) =>
        before is not null && after is not null
        && before.Metadata.Uid == after.Metadata.Uid
        && before.Metadata.Generation == after.Metadata.Generation
        && before.Reported?.Url == after.Reported?.Url
        && before.Reported?.ObservedGeneration == after.Reported?.ObservedGeneration
        && before.Spec.Span.SequenceEqual(after.Spec.Span);

    /// <summary>For the objects of one kind that servers own: a change is a reason to look at their server.</summary>
    /// <param name="runPods">Whether they run pods, for which what is said of a policy may wait.</param>
    /// <param name="suffixes">What their names may have after their server's.</param>
    public Store<T> OfOwned<T>(bool runPods, params string[] suffixes)
        where T : Observed =>
        new((before, after, origin) =>
        {
            var priority = Urgency(before, after, origin);
            // Whoever wrote goes on by the answer; who looks after the access has not seen it.
            var isOwn = origin == Origin.OwnWrite;
            if (!isOwn)
            {
                LookAtOwner(after, priority);
                LookAtOwner(before, priority);
            }

            // Its owner reference may be what somebody took away: children are found by their name as well.
            var key = (after ?? before)!.Key;
            foreach (var suffix in suffixes)
            {
                if (!key.Name.EndsWith(suffix, StringComparison.Ordinal))
                    continue;
                var server = key with { Name = key.Name[..^suffix.Length] };
                if (runPods && Policies.AwaitsPods(server))
                    _access.Add(server, Priority.Changed);
                if (!isOwn && Servers.Get(server) is not null)
                    _servers.Add(server, priority);
            }
        },
        onInstalled: () =>
        {
            foreach (var server in Servers.Snapshot())
                _servers.Add(server.Key, Priority.Listed);
        });

    private void LookAtOwner(Observed? child, Priority priority)
    {
        if (child is { ControllerName: { } owner } && child.IsControlledBy(MCPServer.Type))
            _servers.Add(child.Key with { Name = owner }, priority);
    }
}
