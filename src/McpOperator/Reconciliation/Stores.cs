using McpOperator.Access;
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
    /// <summary>
    /// How long a change of a grant or a session waits for others of the same server. They come in bursts (a directory that
    /// is applied, a team that is moved), and each document that is written reaches every gateway of the server.
    /// </summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(500);

    private readonly Action<ObjectKey, Priority> _enqueue;
    private readonly Action<ObjectKey, TimeSpan> _enqueueAfter;

    /// <param name="enqueue">Asks for a reconcile of the server with this key.</param>
    /// <param name="enqueueAfter">The same, after a while.</param>
    /// <param name="settings">Of the operator.</param>
    public Stores(Action<ObjectKey, Priority> enqueue, Action<ObjectKey, TimeSpan> enqueueAfter, OperatorSettings settings)
    {
        _enqueue = enqueue;
        _enqueueAfter = enqueueAfter;
        Routes = new RouteTable(settings);
        Servers = new Store<StoredServer>(OnServerChanged);
        Deployments = OfChildren<ObservedDeployment>("", DeploymentBuilder.CanarySuffix);
        Services = OfChildren<ObservedService>("");
        Ingresses = OfChildren<ObservedIngress>("");
        ConfigMaps = OfChildren<ObservedConfigMap>(PolicyConfigMapBuilder.Suffix);
        Grants = new Members(OnMemberChanged);
        Sessions = new Members(OnMemberChanged);
    }

    public Store<StoredServer> Servers { get; }

    public Store<ObservedDeployment> Deployments { get; }

    public Store<ObservedService> Services { get; }

    public Store<ObservedIngress> Ingresses { get; }

    public Store<ObservedConfigMap> ConfigMaps { get; }

    public Members Grants { get; }

    public Members Sessions { get; }

    public RouteTable Routes { get; }

    /// <summary>The servers' statuses that we wrote.</summary>
    public OwnReports Reports { get; } = new();

    /// <summary>Has the server looked at once more, after a while.</summary>
    public void LookAgain(ObjectKey server, TimeSpan delay) => _enqueueAfter(server, delay);

    /// <summary>
    /// Takes in the answer to the report of a server. It may hold an edit that was made since the server was read, and the
    /// edit's own event will be too old to be told when it comes.
    /// </summary>
    /// <param name="answer">The server as it now is.</param>
    /// <param name="reportedOn">Of the server that the report is about.</param>
    public void ObserveReport(StoredServer answer, ObjectMeta reportedOn)
    {
        if (!Servers.Observe(answer) || OwnReports.IsSame(answer.Metadata, reportedOn))
            return;
        foreach (var rival in Routes.Update(answer.Key, answer.Read()))
            _enqueue(rival, Priority.Changed);
        _enqueue(answer.Key, Priority.Edited);
    }

    private void OnServerChanged(StoredServer? before, StoredServer? after, bool isListed)
    {
        var key = (after ?? before)!.Key;
        if (!ClaimsTheSame(before, after))
        {
            foreach (var rival in Routes.Update(key, after?.Read()))
                _enqueue(rival, Priority.Changed);
        }

        if (Reports.IsEcho(before, after))
            return;
        var isEdited = before is not null && after is not null && before.Metadata.Generation != after.Metadata.Generation;
        _enqueue(key, isEdited ? Priority.Edited : Urgency(before, after, isListed));
    }

    /// <summary>What a list finds as it was, or for the first time, can wait for what changed.</summary>
    private static Priority Urgency(object? before, object? after, bool isListed) =>
        isListed && (before is null || before == after) ? Priority.Listed : Priority.Changed;

    /// <summary>A route comes from the spec, or from the URL that was reported: most events leave both as they were.</summary>
    private static bool ClaimsTheSame(StoredServer? before, StoredServer? after) =>
        before is not null && after is not null
        && before.Metadata.Uid == after.Metadata.Uid
        && before.Reported?.Url == after.Reported?.Url
        && before.Spec.Span.SequenceEqual(after.Spec.Span);

    /// <summary>At once what a list tells of, for all of it is there; else with the others of its burst.</summary>
    private void OnMemberChanged(ObjectKey server, bool isListed)
    {
        if (isListed)
            _enqueue(server, Priority.Listed);
        else
            _enqueueAfter(server, Burst);
    }

    /// <param name="suffixes">What their names may have after their server's.</param>
    private Store<T> OfChildren<T>(params string[] suffixes)
        where T : Observed =>
        new((before, after, isListed) =>
        {
            var priority = Urgency(before, after, isListed);
            EnqueueOwner(after, priority);
            EnqueueOwner(before, priority);
            // Its owner reference may be what somebody took away: children are found by their name as well.
            var key = (after ?? before)!.Key;
            foreach (var suffix in suffixes)
            {
                if (!key.Name.EndsWith(suffix, StringComparison.Ordinal))
                    continue;
                var server = key with { Name = key.Name[..^suffix.Length] };
                if (Servers.Get(server) is not null)
                    _enqueue(server, priority);
            }
        });

    private void EnqueueOwner(Observed? child, Priority priority)
    {
        if (child is { ControllerName: { } owner } && child.ControllerKind == MCPServer.Type.Kind)
            _enqueue(child.Key with { Name = owner }, priority);
    }
}
