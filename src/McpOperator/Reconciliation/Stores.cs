using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Resources;

namespace McpOperator.Reconciliation;

/// <summary>
/// The mirror of what the API server holds of the servers and of their objects; and which server is looked at again
/// when something in it changes.
/// </summary>
public sealed class Stores
{
    private readonly Action<ObjectKey, Priority> _enqueue;
    private readonly KeyMap<object> _reported = new();

    /// <param name="enqueue">Asks for a reconcile of the server with this key.</param>
    /// <param name="settings">Of the operator.</param>
    public Stores(Action<ObjectKey, Priority> enqueue, OperatorSettings settings)
    {
        _enqueue = enqueue;
        Routes = new RouteTable(settings);
        Servers = new Store<StoredServer>(OnServerChanged);
        Deployments = new Store<ObservedDeployment>(OnChildChanged);
        Services = new Store<ObservedService>(OnChildChanged);
        Ingresses = new Store<ObservedIngress>(OnChildChanged);
    }

    public Store<StoredServer> Servers { get; }

    public Store<ObservedDeployment> Deployments { get; }

    public Store<ObservedService> Services { get; }

    public Store<ObservedIngress> Ingresses { get; }

    public RouteTable Routes { get; }

    /// <summary>Notes a status that is about to be written: its coming back by the watch is no reason to look again.</summary>
    public void Reporting(ObjectKey key, ulong fingerprint) => _reported.Set(key, fingerprint);

    /// <summary>
    /// Takes in the answer to the report of a server. It may hold an edit that was made since the server was read, and the
    /// edit's own event will be too old to be told when it comes.
    /// </summary>
    /// <param name="answer">The server as it now is.</param>
    /// <param name="reportedOn">Of the server that the report is about.</param>
    public void ObserveReport(StoredServer answer, ObjectMeta reportedOn)
    {
        if (!Servers.Observe(answer) || IsSame(answer.Metadata, reportedOn))
            return;
        foreach (var rival in Routes.Update(answer.Key, answer.Read()))
            _enqueue(rival, Priority.Changed);
        _enqueue(answer.Key, Priority.Edited);
    }

    public void ForgetReport(ObjectKey key) => _reported.Remove(key);

    private void OnServerChanged(StoredServer? before, StoredServer? after, bool isListed)
    {
        var key = (after ?? before)!.Key;
        if (!ClaimsTheSame(before, after))
        {
            foreach (var rival in Routes.Update(key, after?.Read()))
                _enqueue(rival, Priority.Changed);
        }

        if (IsOwnReport(before, after))
            return;
        var isEdited = before is not null && after is not null && before.Metadata.Generation != after.Metadata.Generation;
        _enqueue(key, isEdited ? Priority.Edited : Urgency(before, after, isListed));
    }

    /// <summary>What a list finds as it was, or for the first time, can wait for what changed.</summary>
    private static Priority Urgency(object? before, object? after, bool isListed) =>
        isListed && (before is null || before == after) ? Priority.Listed : Priority.Changed;

    /// <summary>
    /// True when nothing but the status changed, and it is the one that we wrote. Another look would be another try of
    /// what just failed, past its backoff, and without end where the message of the failure is never the same.
    /// </summary>
    private bool IsOwnReport(StoredServer? before, StoredServer? after)
    {
        if (before is null || after is null || _reported.Get(after.Key) is not ulong reported
            || !IsSame(before.Metadata, after.Metadata))
            return false;
        return after.Reported?.Fingerprint == reported && before.Reported?.Fingerprint != reported;
    }

    /// <summary>The generation counts the edits of the spec, and every write has a version.</summary>
    private static bool IsSame(ObjectMeta left, ObjectMeta right) =>
        left with { ResourceVersion = "" } == right with { ResourceVersion = "" };

    /// <summary>A route comes from the spec, or from the URL that was reported: most events leave both as they were.</summary>
    private static bool ClaimsTheSame(StoredServer? before, StoredServer? after) =>
        before is not null && after is not null
        && before.Metadata.Uid == after.Metadata.Uid
        && before.Reported?.Url == after.Reported?.Url
        && before.Spec.Span.SequenceEqual(after.Spec.Span);

    private void OnChildChanged(Observed? before, Observed? after, bool isListed)
    {
        var priority = Urgency(before, after, isListed);
        EnqueueOwner(after, priority);
        EnqueueOwner(before, priority);
        // Its owner reference may be what somebody took away: children are found by their name as well.
        var byName = (after ?? before)!.Key;
        if (Servers.Get(byName) is not null)
            _enqueue(byName, priority);
    }

    private void EnqueueOwner(Observed? child, Priority priority)
    {
        if (child is { ControllerName: { } owner } && child.ControllerKind == MCPServer.Type.Kind)
            _enqueue(child.Key with { Name = owner }, priority);
    }
}
