using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// All that is known of one kind of object that makes up a server: what is wanted of it, when, and what it says of the server. A row
/// of the table in <see cref="ServerKinds"/>.
/// </summary>
/// <param name="name">What a person calls it.</param>
internal abstract class OwnedKind(ResourceType type, string? name = null)
{
    public ResourceType Type => type;

    public string Name => name ?? type.Kind;

    /// <summary>Its place in the table.</summary>
    public int Index { get; set; }

    /// <summary>Whether the API server need not know the kind: nobody waits for it, and whoever wants one is told that it is missing.</summary>
    public virtual bool IsOptional => false;

    /// <summary>False of an optional kind that is not there.</summary>
    public virtual bool IsInstalled => true;

    /// <summary>Whether the servers of a namespace share one.</summary>
    public virtual bool IsShared => false;

    /// <summary>The name of the server's; null of what is not watched.</summary>
    public virtual ObjectKey? KeyOf(ObjectKey server) => null;

    /// <summary>Takes in an object that was read, where nothing is watched.</summary>
    public virtual void Load(JsonElement live)
    {
    }

    /// <summary>What is there under the server's name for it, whoever's it is; null, too, of what is not watched.</summary>
    public virtual Observed? FindAny(ObjectKey server) => null;

    /// <summary>What a pass goes by. As long as it is the same, and all else, another pass would come to the same.</summary>
    public virtual object? LookOf(ObjectKey server) => FindAny(server);

    /// <summary>False while something has to come first.</summary>
    public virtual bool IsDue(Pass pass) => true;

    /// <summary>What is wanted of it, for a server whose spec is valid.</summary>
    public abstract Wanted Want(Pass pass);

    /// <summary>Brings it to what is wanted.</summary>
    public abstract Task<ApplyResult<Observed>> ReconcileAsync(Applier applier, Pass pass, Wanted wanted, CancellationToken cancellationToken);

    /// <summary>What it says of the server.</summary>
    public virtual IEnumerable<Surface> Judge(Pass pass) => [];

    /// <summary>What others have put into it, where it is the spec's to say what there is; null for nothing.</summary>
    public virtual string? ForeignOf(Pass pass) => null;

    /// <summary>Where it leads clients; null when it leads nobody.</summary>
    public virtual string? UrlOf(Pass pass) => null;

    /// <summary>What was done to it and the server's events tell of.</summary>
    public virtual Change ChangeOf(Pass pass) => pass.Of(this).Change;

    /// <summary>The last server of a namespace has gone, and the namespace may go with it.</summary>
    public virtual void ForgetNamespace(string ns)
    {
    }

    /// <summary>What watches it in a namespace, or everywhere; null when another row does, or nobody.</summary>
    public virtual IReflector? Watch(ReflectorFactory reflectors, string? ns) => null;
}

/// <summary>A kind that is watched, and of which each server has one.</summary>
/// <param name="condition">Which of <see cref="ConditionTypes"/> tells of it.</param>
/// <param name="suffix">Of its name, after the server's.</param>
/// <param name="name">What a person calls it; null for the kind.</param>
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
        store.Apply(null, new WatchEvent<T>(WatchEventType.Added, loaded, loaded.ResourceVersion, Error: null));
    }

    public override T? FindAny(ObjectKey server) => store.Get(Key(server));

    /// <summary>What is there of the server's.</summary>
    public T? FindOwned(MCPServer server) => _objects.Find(server.AsOwner(), Key(server.Key));

    /// <summary>As it is after this pass.</summary>
    public T? LiveAfter(Pass pass) => (T?)pass.Of(this).Live;

    public override async Task<ApplyResult<Observed>> ReconcileAsync(
        Applier applier, Pass pass, Wanted wanted, CancellationToken cancellationToken)
    {
        var result = await ReconcileOwnAsync().ConfigureAwait(false);
        return new(result.Live, result.Problem, result.IsRaced, result.Change, result.PutOff);

        async Task<ApplyResult<T>> ReconcileOwnAsync()
        {
            var server = pass.Server;
            switch (wanted)
            {
                case Wanted.Apply apply:
                    var desired = new Desired<T>(
                        _ => apply.Manifest(), apply.IsRepair ?? server.IsReported(), server.Had(condition), apply.Recover,
                        Removal: apply.Removal, WasTaken: server.WasTaken(condition));
                    return await applier.ApplyAsync(
                        _objects, server.AsOwner(), Key(server.Key), desired, pass.Memory.Of(this), cancellationToken).ConfigureAwait(false);
                case Wanted.Absent:
                    return await DeleteAsync().ConfigureAwait(false) with { Live = null };
                case Wanted.Withhold { Problem: var problem }:
                    var live = FindOwned(server);
                    var deleted = await DeleteAsync().ConfigureAwait(false);
                    // Until the watch says that it is gone it is there, for its finalizers may hold it.
                    var isThere = deleted.Change == Change.Deleted || deleted.PutOff is not null || live?.Terminating is not null;
                    return deleted.Problem is null ? new(isThere ? live : null, problem, PutOff: deleted.PutOff) : deleted;
                default:
                    return new(FindOwned(server));
            }
        }

        Task<ApplyResult<T>> DeleteAsync() => applier.DeleteAsync(
            _objects, pass.Server.AsOwner(), Key(pass.Server.Key), pass.Memory.Of(this), cancellationToken);
    }

    public override IReflector? Watch(ReflectorFactory reflectors, string? ns) =>
        suffix.Length == 0 ? reflectors.Create(Type, ns, Labels.ManagedSelector, decode, store, isOptional: IsOptional) : null;

    /// <summary>What the object says of the server: what <paramref name="judge"/> says of one that is there to stay.</summary>
    /// <param name="problem">What keeps it from what is wanted.</param>
    protected Surface SurfaceOf(Pass pass, Problem? problem, Func<T, Surface> judge) => (LiveAfter(pass) switch
    {
        null => Unready(Reasons.NotCreated, $"the {Name} does not exist"),
        { Terminating: { } finalizers } => Unready(Reasons.Terminating, TerminatingMessage(finalizers)),
        var live => judge(live),
    }).With(problem);

    protected string TerminatingMessage(string finalizers) => finalizers.Length == 0
        ? $"the {Name} is being deleted"
        : $"the {Name} is being deleted, and is held by its finalizers: {finalizers}";

    protected Surface Ready(string reason, string message) => new(condition, Name, true, reason, message);

    protected Surface Unready(string reason, string message) => new(condition, Name, false, reason, message);

    private ObjectKey Key(ObjectKey server) => suffix.Length == 0 ? server : server with { Name = server.Name + suffix };
}
