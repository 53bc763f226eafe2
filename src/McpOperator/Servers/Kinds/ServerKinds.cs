using McpOperator.Api;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>The table of the kinds. Its order is that of the events; each row says what has to come before it.</summary>
internal sealed class ServerKinds
{
    public ServerKinds(Stores stores, OwnedFields ours, TimeProvider time)
    {
        var deployments = stores.CreateOwnedStore<ObservedDeployment>(runsPods: true, "", ObjectNames.CanarySuffix);
        Canary = new CanaryKind(this, deployments, stores.FormerVariables, ours);
        Stable = new StableKind(this, deployments, stores.FormerVariables, ours);
        ServiceAccount = new ServiceAccountKind(this);
        PullSecret = new PullSecretKind(this, time);
        All =
        [
            new PolicyKind(),
            ServiceAccount,
            PullSecret,
            Canary,
            Stable,
            new ServiceKind(this, stores.CreateOwnedStore<ObservedService>(runsPods: false, ""), ours),
            new IngressKind(stores.CreateOwnedStore<ObservedIngress>(runsPods: false, ""), ours),
        ];
        for (var i = 0; i < All.Count; i++)
            All[i].Index = i;
    }

    public IReadOnlyList<OwnedKind> All { get; }

    public StableKind Stable { get; }

    public CanaryKind Canary { get; }

    public ServiceAccountKind ServiceAccount { get; }

    public PullSecretKind PullSecret { get; }

    /// <summary>The pods of a server, by track.</summary>
    public List<GatewayPods> PodsOf(MCPServer server)
    {
        var pods = new List<GatewayPods>(capacity: 2);
        foreach (var kind in (ReadOnlySpan<DeploymentKind>)[Stable, Canary])
        {
            if (kind.Get(server.Key) is { } live && server.AsOwner().Controls(live))
            {
                pods.Add(new(
                    live.HasGateway, DeploymentKind.IsReady(live),
                    AreAllUpdated: live.ObservedGeneration >= live.Generation && live.Replicas == live.UpdatedReplicas, live.PolicyUid));
            }
        }

        return pods;
    }
}
