using System.Net;
using System.Text.Json.Nodes;
using McpOperator.Soak.Checking;

namespace McpOperator.Soak;

/// <summary>What a whole cluster has and a throw-away one has not: rollouts, an ingress controller, the garbage collector.</summary>
internal static class Controllers
{
    /// <summary>Does all there is to do at the moment.</summary>
    /// <returns>How much that was.</returns>
    public static async Task<int> PlayAsync(KubeClient client, Snapshot snapshot)
    {
        var done = await CollectGarbageAsync(client, snapshot);
        foreach (var live in snapshot.Of(Resource.Deployments).Where(live => !IsRolledOut(live)))
            done += await IfThereAsync(() => Kubelet.RollOutAsync(client, live.Namespace(), live.Name()));
        foreach (var live in snapshot.Of(Resource.Ingresses).Where(live => !live.Items("status", "loadBalancer", "ingress").Any()))
            done += await IfThereAsync(() => Kubelet.ServeIngressAsync(client, live.Namespace(), live.Name()));
        return done;
    }

    public static async Task<int> CollectGarbageAsync(KubeClient client, Snapshot snapshot)
    {
        var done = 0;
        var servers = snapshot.Of(Resource.MCPServers).Select(server => server.Uid()).ToHashSet();
        foreach (var kind in Snapshot.Children)
            foreach (var live in snapshot.Of(kind))
                if (live.Controller() is { } owner && owner.Raw("kind") == "MCPServer" && !servers.Contains(owner.Raw("uid")!)
                    // Created after the servers were listed, perhaps.
                    && (await client.FindAsync(Resource.MCPServers, live.Namespace(), owner.Raw("name")!))?.Uid() != owner.Raw("uid"))
                    done += await IfThereAsync(() => client.DeleteAsync(kind, live.Namespace(), live.Name()));
        return done;
    }

    private static bool IsRolledOut(JsonObject live)
    {
        var wanted = live.Number("spec", "replicas") ?? 1;
        var status = live["status"];
        return status.Number("observedGeneration") == live.Number("metadata", "generation")
            && (status.Number("replicas") ?? 0) == wanted
            && (status.Number("updatedReplicas") ?? 0) == wanted
            && (status.Number("readyReplicas") ?? 0) == wanted
            && (status.Number("availableReplicas") ?? 0) == wanted;
    }

    private static async Task<int> IfThereAsync(Func<Task> act)
    {
        try
        {
            await act();
            return 1;
        }
        catch (KubeException e) when (e.Code is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            return 0; // Deleted, or written, since the snapshot.
        }
    }
}
