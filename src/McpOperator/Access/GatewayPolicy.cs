using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>Keeps the ConfigMap in which a server's gateways find their policy, and says on the board what stands there.</summary>
internal sealed class GatewayPolicy(
    Stores stores, AccessStores mirror, Func<MCPServer, List<GatewayPods>> podsOf, PolicyRefresh? refresh, ApiClient api, WriteCounters counters,
    TimeProvider time, ILogger logger)
{
    /// <summary>Between two repairs of one that somebody else keeps changing: what is taken away is another document, and written at once.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Applier _applier = new(api, counters, time, logger);

    private readonly OwnedObjects<ObservedConfigMap> _configMaps = new(
        ResourceTypes.ConfigMap, json => new ObservedConfigMap(json, api.Identity.OwnedFields), mirror.ConfigMaps, IsExact: true,
        LongestPause, json => WatchLabel.Overwritten(json, api.Identity.OwnedFields));

    private readonly KeyMap<Memory> _memories = new();

    /// <summary>What is said of a document that holds no more than the last valid one did.</summary>
    public static Problem Frozen { get; } = new(
        Reasons.PolicyOutdated, "the spec does not say what the policy is: the last valid one stays, without what was taken away since");

    public static Problem TooLarge { get; } = new(Reasons.PolicyTooLarge,
        $"the policy does not fit into a ConfigMap ({PolicyConfigMapBuilder.MaxBytes} bytes) even without grants and sessions: " +
        "shorten the descriptions and labels of the server's tools; the last one that fitted stays, without what was taken away since");

    /// <summary>Of ConfigMaps in a row that were immutable before anything is said of it.</summary>
    private const int MostRemovals = 3;

    private static Problem Closed { get; } = new(
        Problem.ApplyFailed, "the ConfigMap is immutable, so that no change of it reaches a gateway, and is not replaced: it goes with its server, " +
        "a finalizer holds it, or somebody makes each one immutable");

    public static ObjectKey KeyOf(ObjectKey server) => server with { Name = ObjectNames.Policy(server.Name) };

    /// <summary>Whether running pods have a gateway, and so hold a policy, whatever stands in its ConfigMap.</summary>
    public bool HasPods(MCPServer server) => podsOf(server).Exists(static pods => pods.HasGateway);

    /// <summary>Whether a document stands there, or may be held by pods, that has to follow what is taken away.</summary>
    /// <param name="server">With its spec in effect.</param>
    /// <param name="isOff">
    /// Whether it has switched its gateway off: then the pods that still have one need theirs, and the Deployments' next
    /// change is looked at.
    /// </param>
    public bool IsInUse(MCPServer server, bool isOff)
    {
        var own = Own(server);
        if (own is null && !HasPods(server))
            return false;
        if (!isOff)
            return true;
        // Somebody's copy, of a server that has had no gateway: no pod holds it, whatever its rollout is about.
        if (own is { IsProvablyOurs: false } && !HasPods(server) && !HasHadGateway(server))
            return false;
        // Before the look, or a change in between would be missed.
        stores.Policies.AwaitPods(server.Key, true);
        if (podsOf(server).Exists(MayUse))
            return true;
        stores.Policies.AwaitPods(server.Key, false);
        if (_memories.Get(server.Key) is { } memory)
            memory.HasSeen = false;
        return false;
    }

    /// <summary>As far as this process knows, or the last report, which is another one once the gateway is off.</summary>
    private bool HasHadGateway(MCPServer server) =>
        _memories.Get(server.Key) is { HasSeen: true } || server.Reported?.Find(ConditionTypes.PolicyReady) is not null;

    /// <summary>
    /// What the document that stands there says of its server; when it is not one that we wrote, or the operator before us, one that
    /// lets nobody in.
    /// </summary>
    public async Task<PolicyHead> LastHeadAsync(MCPServer server, OperatorSettings settings, CancellationToken cancellationToken)
    {
        var stored = Find(server) is { Policy: not null } live
            ? await api.FindAsync(ResourceTypes.ConfigMap, live.Key, json => StoredHead.Decode(json, api.Identity), cancellationToken: cancellationToken).ConfigureAwait(false)
            : null;
        return stored?.Head is { } head && head.Server == server.Key ? head : PolicyHead.Closed(server.Key, settings);
    }

    /// <summary>Writes the document, unless it stands there already: then its text stays, time and all.</summary>
    /// <param name="server">With its spec in effect.</param>
    /// <param name="mayCreate">Whether it is written also where none of the server's own stands.</param>
    public async Task<ApplyResult<ObservedConfigMap>> ApplyAsync(
        MCPServer server, PolicyDocument document, bool mayCreate, CancellationToken cancellationToken)
    {
        var live = Find(server);
        var own = Own(server);
        // What goes with its server, or its namespace, is not made anew, nor is it replaced. What stands there follows what is taken away.
        var isEnding = stores.Ending.Contains(server.Metadata.Namespace);
        var isGoing = isEnding || server.Metadata.DeletionTimestamp is not null;
        if (own is null && (isEnding || (!mayCreate && (isGoing || _memories.Get(server.Key)?.Removed is null))))
            return default;
        var memory = MemoryOf(server);

        if (live is { IsImmutable: true } && !isGoing && live.Uid != memory.Removed?.Uid && (own is not null || live.IsProvablyOurs))
            return await RemoveImmutableAsync(server, live, memory, cancellationToken).ConfigureAwait(false);

        // A kubelet that has seen an immutable ConfigMap never looks at its name again. Nor is it known what one was that is gone
        // since before this process looked.
        var wasImmutable = stores.ImmutablePolicies.Get(server.Key) is not null;
        var isUnknown = !memory.HasSeen && HasPods(server);
        bool NeedsNewPods(ObservedConfigMap? found) =>
            wasImmutable || (found is null ? isUnknown : found.ReplacesPods || IsMounted(server, found.Uid));
        var stored = new[] { live?.Policy, memory.Written }
            .FirstOrDefault(policy => policy?.Revision == document.Revision) ?? new StoredPolicy(document.Revision, time.GetUtcNow());
        // A grant that changes makes another policy, though not another generation of the server. But one that stood there, and is wanted
        // still, was changed by somebody else.
        var isRepair = memory.Stood == document.Revision
            || (live?.Policy is { } before ? before.Revision == document.Revision : server.IsReported());
        memory.Written = stored;
        var wanted = new Desired<ObservedConfigMap>(
            found => PolicyConfigMapBuilder.Build(server, document, stored.GeneratedAt, found, NeedsNewPods(found)),
            isRepair, server.Had(ConditionTypes.PolicyReady), FreeTheData, memory.Removed,
            WasTaken: server.WasTaken(ConditionTypes.PolicyReady));
        var ensured = await _applier.ApplyAsync(
            _configMaps, server.AsOwner(), KeyOf(server.Key), wanted, memory.Apply, cancellationToken).ConfigureAwait(false);
        // Closed since it was read, or hidden: without our label no watch tells of it.
        if (ensured is { IsRaced: false, Live: { IsImmutable: true } closed } && IsOwn(closed, server))
        {
            stores.ImmutablePolicies.Set(server.Key, this);
            return isGoing || closed.Uid == memory.Removed?.Uid
                ? ensured with { Problem = ensured.Problem ?? Closed }
                : await RemoveImmutableAsync(server, closed, memory, cancellationToken).ConfigureAwait(false);
        }

        if (ensured is { Stands: true, Live: not null })
        {
            memory.HasSeen = true;
            memory.Stood = document.Revision;
            memory.Removed = null;
            memory.Removals = 0;
        }

        // One that is created is mounted by pods from after it, unless there were some already.
        if (ensured.Change is not (Change.None or Change.Created) || (ensured.Change == Change.Created && HasPods(server)))
            refresh?.Ask(server.Key, document.Revision);
        return ensured;
    }

    /// <summary>
    /// The first half of replacing it: deletes the one that nobody can change. What is to stand there is judged anew after that,
    /// for the deletion may have taken its time.
    /// </summary>
    private async Task<ApplyResult<ObservedConfigMap>> RemoveImmutableAsync(
        MCPServer server, ObservedConfigMap live, Memory memory, CancellationToken cancellationToken)
    {
        stores.ImmutablePolicies.Set(server.Key, this);
        var removal = await _applier.DeleteAsync(_configMaps, live, memory.Apply, cancellationToken).ConfigureAwait(false);
        if (removal.Problem is not null)
            return removal;
        memory.Removed = live;
        // Each one that is made comes back so: that is said, and tried again later and later.
        return ++memory.Removals > MostRemovals ? new(live, Closed) : new(live, IsRaced: true);
    }

    /// <summary>Deletes the ConfigMap of a server that has no gateway, nor a pod with one.</summary>
    public Task<ApplyResult<ObservedConfigMap>> RemoveAsync(MCPServer server, CancellationToken cancellationToken) =>
        Find(server) is null
            ? Task.FromResult<ApplyResult<ObservedConfigMap>>(default)
            : _applier.DeleteAsync(_configMaps, server.AsOwner(), KeyOf(server.Key), MemoryOf(server).Apply, cancellationToken);

    /// <summary>Says on the board what stands there.</summary>
    /// <param name="server">With its spec in effect.</param>
    /// <param name="hasGateway">Whether one is wanted.</param>
    /// <param name="problem">Why the document is not the one that the spec asks for; null when it is.</param>
    /// <param name="document">The one that is to stand there; null for none.</param>
    /// <returns>Whether that document is in force: it stands there, and each gateway is shown it.</returns>
    public bool Say(MCPServer server, bool hasGateway, in ApplyResult<ObservedConfigMap> result, Problem? problem, PolicyDocument? document)
    {
        var live = IsOwn(result.Live, server) ? result.Live : null;
        var stands = document is not null && live?.Policy?.Revision == document.Revision;
        // Never of one that is immutable itself: it is about to go.
        var podsUid = live is { ReplacesPods: true, IsImmutable: false } ? live.Uid : null;
        var isShown = podsUid is null && live is not { IsImmutable: true };
        if (podsUid is not null)
        {
            // Before the look, or a change in between would be missed.
            stores.Policies.AwaitPods(server.Key, true);
            isShown = podsOf(server).TrueForAll(pods => IsShown(pods, podsUid));
        }

        if (isShown && (hasGateway || document is null))
            stores.Policies.AwaitPods(server.Key, false);
        var surface = PolicyState.SurfaceOf(live is not null, stands && problem is null, stands && isShown);
        if ((result.Problem ?? problem) is { } why && hasGateway)
            surface = surface.With(why);
        stores.Policies.Set(server.Key, new PolicyState(
            server.Metadata.Uid, server.Metadata.Generation, hasGateway ? surface : null, MayRun: live is { Policy: not null, HoldsOurs: true, IsImmutable: false }, podsUid,
            hasGateway ? null : result.Problem, result.Change));
        return stands && isShown;
    }

    /// <summary>
    /// Nothing came of a look, as when the API server cannot be asked. Whoever runs the pods goes by what is held of the
    /// ConfigMap then, rather than wait without a word.
    /// </summary>
    public void SayUnknown(MCPServer server)
    {
        if (server.Spec.HasGateway() && stores.Policies.Get(server.Key)?.IsAbout(server.Metadata) != true)
            Say(server, hasGateway: true, new(Own(server)), problem: null, document: null);
    }

    /// <summary>How long until it is to be looked at again because of whoever keeps changing it; null when nobody does.</summary>
    public TimeSpan? ContestedFor(ObjectKey server, in ApplyResult<ObservedConfigMap> result) =>
        result.PutOff ?? (result.Problem?.Reason == Problem.Contested ? _memories.Get(server)?.Apply.QuietIn(time) : null);

    public void Forget(ObjectKey server)
    {
        refresh?.Forget(server);
        _memories.Remove(server);
        stores.Policies.Remove(server);
    }

    private Memory MemoryOf(MCPServer server)
    {
        if (_memories.Get(server.Key) is { } memory)
            return memory;
        memory = new Memory();
        _memories.Set(server.Key, memory);
        return memory;
    }

    private ObservedConfigMap? Find(MCPServer server) => _configMaps.Find(server.AsOwner(), KeyOf(server.Key));

    /// <summary>What stands there, when the server controls it: labels alone are anybody's to give.</summary>
    private ObservedConfigMap? Own(MCPServer server) =>
        mirror.ConfigMaps.Get(KeyOf(server.Key)) is var live && IsOwn(live, server) ? live : null;

    private static bool IsOwn(Observed? live, MCPServer server) => live is not null && live.ControllerUid == server.Metadata.Uid;

    /// <summary>Whether pods were made for this very ConfigMap.</summary>
    private bool IsMounted(MCPServer server, string uid) => podsOf(server).Exists(pods => pods.PolicyUid == uid);

    /// <summary>Whether a pod may still need the ConfigMap, of a Deployment whose gateway is switched off.</summary>
    private static bool MayUse(GatewayPods pods) => pods.HasGateway || !pods.AreReady;

    /// <summary>Whether no pod is left from before the ConfigMap.</summary>
    private static bool IsShown(GatewayPods pods, string uid) => !pods.HasGateway || (pods.PolicyUid == uid && pods.AreAllNew);

    /// <summary>What others put there goes. The fault that is found is of the data, not of what is in their way.</summary>
    private static Remedy.TakeOver? FreeTheData(in Attempt attempt) =>
        !attempt.IsNew && attempt.Tried.Count == 0
            ? new Remedy.TakeOver(PolicyConfigMapBuilder.Exclusive)
            : null;

    /// <summary>Of one server.</summary>
    private sealed class Memory
    {
        public ApplyMemory Apply { get; } = new();

        /// <summary>
        /// So that a policy which somebody makes something else of, each time, has one text, and is not written again with
        /// every second that passes.
        /// </summary>
        public StoredPolicy? Written { get; set; }

        /// <summary>The revision of the one that was last seen to stand there as wanted.</summary>
        public string? Stood { get; set; }

        /// <summary>Whether this process has seen a ConfigMap of it, since its gateway was last switched on.</summary>
        public bool HasSeen { get; set; }

        /// <summary>Of immutable ones, since the last one that was not.</summary>
        public int Removals { get; set; }

        /// <summary>The immutable one that was deleted last: it may be held for a moment still.</summary>
        public ObservedConfigMap? Removed { get; set; }
    }

    /// <summary>Null when what a ConfigMap holds is no policy of ours, whatever it hashes to.</summary>
    private sealed record StoredHead(PolicyHead? Head)
    {
        public static StoredHead Decode(JsonElement json, ApiIdentity identity)
        {
            // Of what the Go operator wrote we own nothing before the first document of our own.
            var isOurs = identity.OwnedFields.Owns(json, "f:data", "f:policy.json")
                || (identity.OwnedFields.Fingerprint(json) == OwnedFields.None
                    && FieldOwnership.PatchOfPredecessor(json, isStatus: false, identity) is not null);
            if (!isOurs || json.Child("data"u8)?.Child("policy.json"u8) is not { ValueKind: JsonValueKind.String } value)
                return new StoredHead(Head: null);
            using var text = JsonText.Of(value);
            return new StoredHead(PolicyHead.Read(text.Bytes));
        }
    }
}
