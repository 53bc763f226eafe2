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
    private readonly Action<ObjectKey> _enqueue;

    /// <param name="enqueue">Asks for a reconcile of the server with this key.</param>
    /// <param name="settings">Of the operator.</param>
    public Stores(Action<ObjectKey> enqueue, OperatorSettings settings)
    {
        _enqueue = enqueue;
        Routes = new RouteTable(settings);
        Servers = new Store<MCPServer>(OnServerChanged);
        Deployments = new Store<ObservedDeployment>(OnChildChanged);
        Services = new Store<ObservedService>(OnChildChanged);
        Ingresses = new Store<ObservedIngress>(OnChildChanged);
    }

    public Store<MCPServer> Servers { get; }

    public Store<ObservedDeployment> Deployments { get; }

    public Store<ObservedService> Services { get; }

    public Store<ObservedIngress> Ingresses { get; }

    public RouteTable Routes { get; }

    private void OnServerChanged(MCPServer? before, MCPServer? after)
    {
        var key = (after ?? before)!.Key;
        foreach (var rival in Routes.Update(key, after))
            _enqueue(rival);
        _enqueue(key);
    }

    private void OnChildChanged(Observed? before, Observed? after)
    {
        EnqueueOwner(after);
        EnqueueOwner(before);
        // Its owner reference may be what somebody took away: children are found by their name as well.
        var byName = (after ?? before)!.Key;
        if (Servers.Get(byName) is not null)
            _enqueue(byName);
    }

    private void EnqueueOwner(Observed? child)
    {
        if (child is { ControllerName: { } owner } && child.ControllerKind == MCPServer.Type.Kind)
            _enqueue(child.Key with { Name = owner });
    }
}
