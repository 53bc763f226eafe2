using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>Keeps the ConfigMap with the policy of a server's gateways, and publishes its state (<see cref="PolicyStates"/>).</summary>
internal sealed class GatewayPolicy(
    Stores stores, AccessStores accessStores, Func<MCPServer, List<GatewayPods>> podsOf, PolicyRefresh? refresh, ApiClient api, WriteCounters counters,
    TimeProvider time, ILogger logger)
{
    /// <summary>
    /// Between two repairs of a contested ConfigMap. Another document, one that takes access away, is written at once.
    /// </summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Applier _applier = new(api, counters, time, logger);

    private readonly OwnedObjects<ObservedConfigMap> _configMaps = new(
        ResourceTypes.ConfigMap, json => new ObservedConfigMap(json, api.Identity.OwnedFields), accessStores.ConfigMaps, HasPreconditions: true,
        LongestPause, json => WatchLabel.Overwritten(json, api.Identity.OwnedFields));

    private readonly KeyMap<Memory> _memories = new();

    /// <summary>Immutable ConfigMaps in a row that are deleted before it is reported.</summary>
    private const int MostRemovals = 3;

    public static ObjectKey KeyOf(ObjectKey server) => server with { Name = ObjectNames.Policy(server.Name) };

    /// <summary>Whether running pods have a gateway, and so hold a policy, whatever the ConfigMap says.</summary>
    public bool HasPods(MCPServer server) => podsOf(server).Exists(static pods => pods.HasGateway);

    /// <summary>Whether there is a document, in the ConfigMap or in pods, from which access may have to be taken away.</summary>
    /// <param name="server">With the defaults filled in.</param>
    /// <param name="isOff">
    /// Whether its gateway is switched off: pods that still have one need the document, and the next change of the Deployments
    /// enqueues the server.
    /// </param>
    public bool IsInUse(MCPServer server, bool isOff)
    {
        var own = FindControlled(server);
        if (own is null && !HasPods(server))
            return false;
        if (!isOff)
            return true;
        // A copy of somebody, for a server that has had no gateway: no pod mounts it.
        if (own is { WasAppliedByUs: false } && !HasPods(server) && !HasHadGateway(server))
            return false;
        // Before the look, or a change in between would be missed.
        stores.Policies.WatchPods(server.Key, true);
        if (podsOf(server).Exists(MayUse))
            return true;
        stores.Policies.WatchPods(server.Key, false);
        if (Remembered(server.Metadata) is { } memory)
            memory.HasSeen = false;
        return false;
    }

    /// <summary>From this process, or the last status (which loses the condition once the gateway is off).</summary>
    private bool HasHadGateway(MCPServer server) =>
        Remembered(server.Metadata) is { HasSeen: true } || server.Reported?.Find(ConditionTypes.PolicyReady) is not null;

    /// <summary>The head of the stored document; when neither we nor the predecessor wrote it, one that lets nobody in.</summary>
    public async Task<PolicyHead> LastHeadAsync(MCPServer server, OperatorSettings settings, CancellationToken cancellationToken) =>
        await StoredHeadAsync(server, cancellationToken).ConfigureAwait(false) ?? PolicyHead.DenyAll(server.Key, settings);

    /// <summary>The head of the stored document; null when neither we nor the predecessor wrote it.</summary>
    public async Task<PolicyHead?> StoredHeadAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var stored = FindOwned(server) is { Policy: not null } live
            ? await api.FindAsync(ResourceTypes.ConfigMap, live.Key, json => StoredHead.Decode(json, api.Identity, server.IsTakenOver()), cancellationToken: cancellationToken).ConfigureAwait(false)
            : null;
        return stored?.Head is { } head && head.Server == server.Key ? head : null;
    }

    /// <summary>Writes the document, unless the ConfigMap has it already: then its text stays, with its time.</summary>
    /// <param name="server">With the defaults filled in.</param>
    /// <param name="mayCreate">Whether to create it where the server has none.</param>
    public async Task<ApplyResult> ApplyAsync(
        MCPServer server, PolicyDocument document, bool mayCreate, CancellationToken cancellationToken)
    {
        var live = FindOwned(server);
        var own = FindControlled(server);
        // With its server or namespace deleted, nothing is created or replaced; but what exists follows what is taken away.
        var isEnding = stores.Ending.Contains(server.Metadata.Namespace);
        var isGoing = isEnding || server.Metadata.DeletionTimestamp is not null;
        if (own is null && (isEnding || (!mayCreate && (isGoing || Remembered(server.Metadata)?.Removed is null))))
            return default;
        var memory = MemoryOf(server);

        if (live is { IsImmutable: true } && !isGoing && live.Uid != memory.Removed?.Uid && (own is not null || live.WasAppliedByUs))
            return await RemoveImmutableAsync(server, live, memory, cancellationToken).ConfigureAwait(false);

        // A kubelet that has seen an immutable ConfigMap never reads that name again. Nor is it known what a ConfigMap was that
        // was gone before this process began.
        var wasImmutable = stores.ImmutablePolicies.Get(server.Key) is not null;
        var isUnknown = !memory.HasSeen && HasPods(server);
        bool NeedsNewPods(ObservedConfigMap? found) =>
            wasImmutable || (found is null ? isUnknown : found.NeedsNewPods || IsMounted(server, found.Uid));
        var stored = new[] { live?.Policy, memory.Written }
            .FirstOrDefault(policy => policy?.Revision == document.Revision) ?? new StoredPolicy(document.Revision, time.GetUtcNow());
        // A grant that changes makes another policy, though not another generation of the server. But one that stood there, and is wanted
        // still, was changed by somebody else.
        var isRepair = memory.Stood == document.Revision
            || (live?.Policy is { } before ? before.Revision == document.Revision : server.IsObservedGeneration());
        memory.Written = stored;
        var request = new ApplyRequest<ObservedConfigMap>(
            found => PolicyConfigMapBuilder.Build(server, document, stored.GeneratedAt, found, NeedsNewPods(found)),
            isRepair, server.ExistedAtLastStatus(ConditionTypes.PolicyReady), TakeOverData, memory.Removed,
            HadNameConflict: server.HadNameConflict(ConditionTypes.PolicyReady), IsAfterPredecessor: server.IsTakenOver());
        var result = await _applier.ApplyAsync(
            _configMaps, server.AsOwner(), KeyOf(server.Key), request, memory.Apply, cancellationToken).ConfigureAwait(false);
        // Made immutable since it was read, or not watched for want of our label.
        if (result is { IsConflict: false, Live: ObservedConfigMap { IsImmutable: true } immutable } && server.AsOwner().Controls(immutable))
        {
            stores.ImmutablePolicies.Set(server.Key, this);
            return isGoing || immutable.Uid == memory.Removed?.Uid
                ? result with { Problem = result.Problem ?? PolicyProblems.ImmutableHeld }
                : await RemoveImmutableAsync(server, immutable, memory, cancellationToken).ConfigureAwait(false);
        }

        if (result is { Stands: true, Live: not null })
        {
            memory.HasSeen = true;
            memory.Stood = document.Revision;
            memory.Removed = null;
            memory.Removals = 0;
            memory.Unwritten = null;
        }
        else if (result is { IsConflict: false, PutOff: null, Problem: { Reason: Apply.Problem.ApplyFailed } refused } && memory.Unwritten != document.Revision)
        {
            memory.Unwritten = document.Revision;
            Log.PolicyNotWritten(logger, server.Key, refused.Message);
        }

        // Pods that start later mount a new one by themselves.
        if (result.Change is not (Change.None or Change.Created) || (result.Change == Change.Created && HasPods(server)))
            refresh?.Ask(server.Key, document.Revision);
        return result;
    }

    /// <summary>
    /// The first half of replacing an immutable ConfigMap: deletes it. The next reconcile creates the new one, from the inputs of
    /// that time.
    /// </summary>
    private async Task<ApplyResult> RemoveImmutableAsync(
        MCPServer server, ObservedConfigMap live, Memory memory, CancellationToken cancellationToken)
    {
        stores.ImmutablePolicies.Set(server.Key, this);
        var removal = await _applier.DeleteAsync(_configMaps, live, memory.Apply, cancellationToken).ConfigureAwait(false);
        if (removal.Problem is not null)
            return removal;
        memory.Removed = live;
        // If every new one comes back immutable it is reported, and retried ever later.
        return ++memory.Removals > MostRemovals ? ApplyResult.Refused(live, PolicyProblems.ImmutableHeld) : ApplyResult.Conflict(live);
    }

    /// <summary>Deletes the ConfigMap when neither the server nor a pod has a gateway.</summary>
    public Task<ApplyResult> RemoveAsync(MCPServer server, CancellationToken cancellationToken) =>
        FindOwned(server) is null
            ? Task.FromResult<ApplyResult>(default)
            : _applier.DeleteAsync(_configMaps, server.AsOwner(), KeyOf(server.Key), MemoryOf(server).Apply, cancellationToken);

    /// <summary>Publishes the state of the policy.</summary>
    /// <param name="server">With the defaults filled in.</param>
    /// <param name="problem">Why the document is not what the spec asks for; null when it is.</param>
    /// <param name="document">The desired document; null for none.</param>
    /// <returns>Whether that document is in force: the ConfigMap holds it, and each gateway sees it.</returns>
    public bool Publish(MCPServer server, bool hasGateway, in ApplyResult result, Problem? problem, PolicyDocument? document)
    {
        var live = server.AsOwner().Controls(result.Live) ? (ObservedConfigMap?)result.Live : null;
        var stands = document is not null && live?.Policy?.Revision == document.Revision;
        // Not of an immutable one: it is about to be deleted.
        var policyUid = live is { NeedsNewPods: true, IsImmutable: false } ? live.Uid : null;
        var seenByPods = policyUid is null && live is not { IsImmutable: true };
        if (policyUid is not null)
        {
            // Before the look, or a change in between would be missed.
            stores.Policies.WatchPods(server.Key, true);
            seenByPods = podsOf(server).TrueForAll(pods => IsSeenBy(pods, policyUid));
        }

        if (seenByPods && (hasGateway || document is null))
            stores.Policies.WatchPods(server.Key, false);
        var component = PolicyState.ConditionOf(live is not null, stands && problem is null, stands && seenByPods);
        if ((result.Problem ?? problem) is { } why && hasGateway)
            component = why.Reason == Reasons.Paused ? component with { IsReady = false, Reason = why.Reason, Message = why.Message } : component.With(why);
        stores.Policies.Set(server.Key, new PolicyState(
            server.Metadata.Uid, server.Metadata.Generation, hasGateway ? component : null, MayRunGateway: live is { Policy: not null, HoldsOurs: true, IsImmutable: false }, policyUid,
            hasGateway ? null : result.Problem, result.Change));
        return stands && seenByPods;
    }

    /// <summary>
    /// After a failed reconcile, as when the API server cannot be reached: publishes the stored ConfigMap, so that the server
    /// controller does not wait in silence.
    /// </summary>
    public void PublishUnknown(MCPServer server)
    {
        if (server.Spec.HasGateway() && stores.Policies.Get(server.Key)?.IsAbout(server.Metadata) != true)
            Publish(server, hasGateway: true, ApplyResult.Unchanged(FindControlled(server)), problem: null, document: null);
    }

    /// <summary>How long until the next reconcile of a contested ConfigMap; null when it is not contested.</summary>
    public TimeSpan? ContestedFor(ObjectKey server, in ApplyResult result) =>
        result.PutOff ?? (result.Problem?.Reason == Problem.Contested ? _memories.Get(server)?.Apply.QuietIn(time) : null);

    public void Forget(ObjectKey server)
    {
        refresh?.Forget(server);
        _memories.Remove(server);
        stores.Policies.Remove(server);
    }

    private Memory MemoryOf(MCPServer server)
    {
        if (Remembered(server.Metadata) is { } memory)
            return memory;
        memory = new Memory(server.Metadata.Uid);
        _memories.Set(server.Key, memory);
        return memory;
    }

    /// <summary>Null, too, when it is of a former server of this name.</summary>
    private Memory? Remembered(ObjectMeta server) => _memories.Get(server.Key) is { } memory && memory.Uid == server.Uid ? memory : null;

    private ObservedConfigMap? FindOwned(MCPServer server) => _configMaps.FindOwned(server.AsOwner(), KeyOf(server.Key));

    /// <summary>The stored ConfigMap, if the server controls it: labels alone anybody can give.</summary>
    private ObservedConfigMap? FindControlled(MCPServer server) =>
        accessStores.ConfigMaps.Get(KeyOf(server.Key)) is var live && server.AsOwner().Controls(live) ? live : null;

    /// <summary>Whether pods were made for exactly this ConfigMap.</summary>
    private bool IsMounted(MCPServer server, string uid) => podsOf(server).Exists(pods => pods.PolicyUid == uid);

    /// <summary>Whether a pod of a Deployment may still need the ConfigMap after the gateway was switched off.</summary>
    private static bool MayUse(GatewayPods pods) => pods.HasGateway || !pods.AreReady;

    /// <summary>Whether no pod is older than the ConfigMap.</summary>
    private static bool IsSeenBy(GatewayPods pods, string uid) => !pods.HasGateway || (pods.PolicyUid == uid && pods.AreAllUpdated);

    /// <summary>Takes over the data, whatever the refusal names: it names our data, not what is beside it.</summary>
    private static Remedy.TakeOver? TakeOverData(RefusedApply refused) =>
        !refused.IsNew && refused.Tried.Count == 0
            ? new Remedy.TakeOver(PolicyConfigMapBuilder.ExclusivePaths)
            : null;

    private sealed class Memory(string uid)
    {
        public string Uid => uid;

        public ApplyMemory Apply { get; } = new();

        /// <summary>
        /// The last document and its time: while somebody keeps changing it, it is written with the same text, not with the time
        /// of each second.
        /// </summary>
        public StoredPolicy? Written { get; set; }

        /// <summary>The revision of the one that was last seen to stand there as wanted.</summary>
        public string? Stood { get; set; }

        /// <summary>The revision that was refused last.</summary>
        public string? Unwritten { get; set; }

        /// <summary>Whether this process has seen its ConfigMap since the gateway was last switched on.</summary>
        public bool HasSeen { get; set; }

        /// <summary>Immutable ConfigMaps in a row that were deleted.</summary>
        public int Removals { get; set; }

        /// <summary>The immutable one that was deleted last: finalizers may hold it.</summary>
        public ObservedConfigMap? Removed { get; set; }
    }
}
