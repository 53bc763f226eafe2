using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// One kind of object that a server owns: its desired state, what has to come first, and its conditions. A row of the table in
/// <see cref="ServerKinds"/>.
/// </summary>
/// <param name="name">For people; the kind by default.</param>
internal abstract class OwnedKind(ResourceType type, string? name = null)
{
    public ResourceType Type => type;

    public string Name => name ?? type.Kind;

    /// <summary>Its place in the table.</summary>
    public int Index { get; set; }

    /// <summary>
    /// Whether its CRD may be missing. Readiness does not wait for it; a server that asks for one gets the reason NotInstalled.
    /// </summary>
    public virtual bool IsOptional => false;

    /// <summary>Nothing is asked of the API server before it completes; null for at once.</summary>
    public virtual Task? Wanted => null;

    /// <summary>False when the CRD of an optional kind is missing.</summary>
    public virtual bool IsInstalled => true;

    /// <summary>Whether the servers of a namespace share one.</summary>
    public virtual bool IsShared => false;

    /// <summary>The key of the server's object; null for a kind that is not watched.</summary>
    public virtual ObjectKey? KeyOf(ObjectKey server) => null;

    /// <summary>Puts an object that was read into the store: for <c>diff</c>, which watches nothing.</summary>
    public virtual void Load(JsonElement live)
    {
    }

    /// <summary>The live object under that key, whoever owns it; null when there is none, or the kind is not watched.</summary>
    public virtual Observed? Get(ObjectKey server) => null;

    /// <summary>The input of a pass: while this and all else stay the same, another pass would change nothing.</summary>
    public virtual object? InputOf(ObjectKey server) => Get(server);

    /// <summary>False while something has to come first.</summary>
    public virtual bool IsDue(Pass pass) => true;

    /// <summary>Its desired state, for a server whose spec is valid.</summary>
    public abstract DesiredState DesiredStateOf(Pass pass);

    /// <summary>Carries out the desired state.</summary>
    public abstract Task<ApplyResult> CarryOutAsync(Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken);

    /// <summary>What carrying it out would change, by the stores alone; nothing of what is not watched.</summary>
    public virtual Change ChangeBy(Pass pass, DesiredState desired) => Change.None;

    /// <summary>Its conditions.</summary>
    public virtual IEnumerable<ComponentCondition> ConditionsOf(Pass pass) => [];

    /// <summary>Fields of others in it, which the spec does not have; null for none.</summary>
    public virtual string? ForeignOf(Pass pass) => null;

    /// <summary>Whether it is there still, and is being deleted.</summary>
    public bool IsGoing(Pass pass) => pass.ResultOf(this) is { Live: { } live } result && (live.IsTerminating || result.Change == Change.Deleted);

    /// <summary>Whether it leads clients to the server.</summary>
    public virtual bool Serves(Pass pass) => false;

    /// <summary>The URL that it serves; null for a kind that serves none.</summary>
    public virtual string? UrlOf(Pass pass) => null;

    /// <summary>The change that an event reports.</summary>
    public virtual Change ChangeOf(Pass pass) => pass.ResultOf(this).Change;

    /// <summary>The last server of a namespace is gone; the namespace may be deleted with it.</summary>
    public virtual void ForgetNamespace(string ns)
    {
    }

    /// <summary>The reflector for one namespace, or for all; null when another row's covers it, or nothing is watched.</summary>
    public virtual IReflector? Watch(ReflectorFactory reflectors, string? ns) => null;
}

/// <summary>A watched kind, of which each server has at most one.</summary>
/// <param name="condition">Its condition type.</param>
/// <param name="suffix">Appended to the server's name.</param>
internal abstract class OwnedKind<T>(
    ResourceType type, string condition, Store<T> store, Decoder<T> decode, OwnedFields ours, string suffix = "", string? name = null)
    : OwnedKind(type, name)
    where T : Observed
{
    private readonly OwnedObjects<T> _objects = new(type, decode, store, Unwatched: json => WatchLabel.Overwritten(json, ours));

    public override bool IsInstalled => store.IsInstalled;

    public override ObjectKey? KeyOf(ObjectKey server) => Key(server);

    public override void Load(JsonElement live)
    {
        var loaded = decode(live);
        store.Apply(null, new WatchEvent(WatchEventType.Added, loaded, loaded.ResourceVersion, Error: null));
    }

    public override T? Get(ObjectKey server) => store.Get(Key(server));

    /// <summary>The live object, if the server controls it or may adopt it.</summary>
    public T? FindOwned(MCPServer server) => _objects.FindOwned(server.AsOwner(), Key(server.Key));

    /// <summary>The live object after its turn in this pass.</summary>
    public T? LiveAfter(Pass pass) => (T?)pass.ResultOf(this).Live;

    public override async Task<ApplyResult> CarryOutAsync(
        Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken)
    {
        var server = pass.Server;
        if (desired is DesiredState.Apply apply)
        {
            var request = new ApplyRequest<T>(
                _ => apply.Body(), apply.IsRepair ?? server.IsObservedGeneration(), server.ExistedAtLastStatus(condition), apply.RemedyFor,
                Removal: apply.Removal, HadNameConflict: server.HadNameConflict(condition),
                IsAfterPredecessor: server.IsTakenOver());
            return await applier.ApplyAsync(
                _objects, server.AsOwner(), Key(server.Key), request, pass.Memory.ApplyMemoryOf(this), cancellationToken).ConfigureAwait(false);
        }

        var live = FindOwned(server);
        // The predecessor's Ingresses have no label of ours.
        if (live is null && Type == ResourceTypes.Ingress && server.IsTakenOver())
            live = await applier.FindUnwatchedAsync(_objects, server.AsOwner(), Key(server.Key), cancellationToken).ConfigureAwait(false);
        if (desired is DesiredState.Keep)
            return ApplyResult.Unchanged(live);
        var deleted = live is null ? default
            : await applier.DeleteIfOursAsync(_objects, live, pass.Memory.ApplyMemoryOf(this), cancellationToken).ConfigureAwait(false);
        // What has finalizers is there until the watch says that it is gone.
        if (deleted.Change == Change.Deleted && live!.HasFinalizers)
            deleted = deleted with { Live = live };
        return desired is DesiredState.Withhold { Problem: var problem } && deleted.Problem is null ? deleted with { Problem = problem, Change = Change.None } : deleted;
    }

    public override Change ChangeBy(Pass pass, DesiredState desired)
    {
        var live = FindOwned(pass.Server);
        return desired switch
        {
            // Not installed, or somebody else's.
            DesiredState.Apply when live is null => IsInstalled && Get(pass.Server.Key) is null ? Change.Created : Change.None,
            DesiredState.Apply apply => pass.Memory.ApplyMemoryOf(this).IsUpToDate(OwnedFields.FingerprintOf(apply.Body()), live!.Fingerprint) ? Change.None : Change.Updated,
            DesiredState.Absent or DesiredState.Withhold => live is { IsTerminating: false, Fingerprint: not OwnedFields.None } ? Change.Deleted : Change.None,
            _ => Change.None,
        };
    }

    public override IReflector? Watch(ReflectorFactory reflectors, string? ns) =>
        IsWatched ? reflectors.Create(Type, ns, Labels.ManagedSelector, decode, store, isOptional: IsOptional, wanted: Wanted) : null;

    /// <summary>False when another row watches its store.</summary>
    protected virtual bool IsWatched => suffix.Length == 0;

    /// <summary>
    /// NotCreated, Terminating, or what <paramref name="conditionOf"/> makes of the live object; failed when there is a problem.
    /// </summary>
    protected ComponentCondition ConditionOf(Pass pass, Problem? problem, Func<T, ComponentCondition> conditionOf) => (LiveAfter(pass) switch
    {
        null => Unready(Reasons.NotCreated, $"the {Name} does not exist"),
        { } live when IsGoing(pass) => Unready(Reasons.Terminating, TerminatingMessage(live.Finalizers ?? "")),
        var live => conditionOf(live),
    }).With(problem);

    protected string TerminatingMessage(string finalizers) => finalizers.Length == 0
        ? $"the {Name} is being deleted"
        : $"the {Name} is being deleted, and is held by its finalizers: {finalizers}";

    protected ComponentCondition Ready(string reason, string message) => new(condition, Name, true, reason, message);

    protected ComponentCondition Unready(string reason, string message) => new(condition, Name, false, reason, message);

    private ObjectKey Key(ObjectKey server) => suffix.Length == 0 ? server : server with { Name = server.Name + suffix };
}
