using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Mirror;

/// <summary>The stores that both controllers share. A change in one of them enqueues the servers that it concerns.</summary>
internal sealed class Stores
{
    /// <summary>
    /// Delay before a waiting server learns that its route has another holder now: when hundreds are deleted one after another,
    /// each of the next has it for a moment.
    /// </summary>
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    private readonly IEnqueuer _servers;
    private readonly IEnqueuer _access;

    /// <param name="servers">The queue of the server controller.</param>
    /// <param name="access">The queue of the access controller.</param>
    /// <param name="ending">Shared with whoever else writes into namespaces.</param>
    public Stores(IEnqueuer servers, IEnqueuer access, OperatorSettings settings, EndingNamespaces? ending = null)
    {
        Ending = ending ?? new EndingNamespaces();
        _servers = servers;
        _access = access;
        Routes = new RouteTable(settings);
        Servers = new Store<StoredServer>(OnServerChanged, StoredServer.DifferOnlyInStatus);
        Configuration = new Configuration(servers);
        Policies = new PolicyStates(key => servers.Add(key, Priority.Changed));
        Certificates = new References(servers);
        Mcp = new McpStates(key => servers.Add(key, Priority.Changed));
    }

    public Store<StoredServer> Servers { get; }

    public RouteTable Routes { get; }

    public PolicyStates Policies { get; }

    public McpStates Mcp { get; }

    public Configuration Configuration { get; }

    public OptionalKinds Optional { get; } = new();

    /// <summary>The certificates of the servers' Ingresses, which cert-manager makes.</summary>
    public References Certificates { get; }

    public FormerVariables FormerVariables { get; } = new();

    /// <summary>
    /// Servers whose policy ConfigMap was immutable, or replaced one that was: kubelets never read that name again. Known from
    /// the watch alone, so that the next leader knows it as well.
    /// </summary>
    public KeyMap<object> ImmutablePolicies { get; } = new();

    /// <summary>Namespaces in which nothing can be created any more.</summary>
    public EndingNamespaces Ending { get; }

    /// <summary>Notes that the server's namespace is being deleted.</summary>
    /// <returns>Whether it was not known.</returns>
    public bool NoteEnding(ObjectMeta server)
    {
        var isNews = Ending.Add(server.Namespace);
        // A late answer: the namespace may have been created anew, with other servers in it.
        if (Servers.Get(server.Key)?.Metadata.Uid != server.Uid)
            Ending.Remove(server.Namespace);
        return isNews;
    }

    private void OnServerChanged(StoredServer? before, StoredServer? after, Origin origin)
    {
        var key = (after ?? before)!.Key;
        // A new server: no namespace that is being deleted takes one, so this is another namespace of that name.
        if (after is not null && before?.Metadata.Uid != after.Metadata.Uid)
            Ending.Remove(key.Namespace);
        if (!ClaimsTheSame(before, after))
        {
            var server = after?.Read();
            if (server is not null)
                Optional.Note(server);
            foreach (var (rival, stillWaits) in Routes.Update(key, server))
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
            Certificates.Refer(key, []);
        }

        var priority = isEdited ? Priority.Edited : Urgency(before, after, origin);
        // After our own write (defaults) the server's pass goes on with the answer; the access controller did not write, and must
        // see an edit.
        if (origin != Origin.OwnWrite || isEdited)
            _access.Add(key, priority);
        if (origin != Origin.OwnWrite)
            _servers.Add(key, priority);
    }

    /// <summary>What a list finds new or unchanged comes after what changed.</summary>
    public static Priority Urgency(object? before, object? after, Origin origin) =>
        origin == Origin.List && (before is null || before == after) ? Priority.Listed : Priority.Changed;

    /// <summary>A server's claims follow from its spec and a part of its status; most events change neither.</summary>
    private static bool ClaimsTheSame(StoredServer? before, StoredServer? after) =>
        before is not null && after is not null
        && before.Metadata.Uid == after.Metadata.Uid
        && before.Metadata.Generation == after.Metadata.Generation
        && RouteClaims.ReadsTheSame(before.Reported, after.Reported)
        && before.Spec.Span.SequenceEqual(after.Spec.Span);

    /// <summary>A store for objects that servers own: a change enqueues the server.</summary>
    /// <param name="runsPods">Whether they run pods, which the access controller may be waiting for.</param>
    /// <param name="suffixes">Their names are the server's with one of these appended.</param>
    public Store<T> CreateOwnedStore<T>(bool runsPods, params string[] suffixes)
        where T : Observed => CreateOwnedStore<T>(runsPods, references: null, suffixes);

    /// <param name="references">To others of the kind, which servers only read.</param>
    public Store<T> CreateOwnedStore<T>(bool runsPods, References? references, params string[] suffixes)
        where T : Observed =>
        new((before, after, origin) =>
        {
            var priority = Urgency(before, after, origin);
            // The server's pass goes on with the answer to its write; the access controller has not seen it.
            var isOwn = origin == Origin.OwnWrite;
            if (!isOwn)
            {
                EnqueueOwner(after, priority);
                EnqueueOwner(before, priority);
            }

            // Somebody may have removed the owner reference, so the server is found by name, too.
            var key = (after ?? before)!.Key;
            if (before != after)
                references?.Changed(key);
            foreach (var suffix in suffixes)
            {
                if (!key.Name.EndsWith(suffix, StringComparison.Ordinal))
                    continue;
                var server = key with { Name = key.Name[..^suffix.Length] };
                if (runsPods && Policies.WatchesPods(server))
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

    private void EnqueueOwner(Observed? child, Priority priority)
    {
        if (child is { ControllerName: { } owner } && child.IsControlledBy(MCPServer.Type))
            _servers.Add(child.Key with { Name = owner }, priority);
    }
}
