using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>What takes the node, or the operator on it, from everybody else: alone, after the other tests.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class NodeTests(Cluster cluster)
{
    public const string Name = "the node itself";

    [Fact]
    public async Task NoContainerEndsWithKubeletAndContainerd()
    {
        await using var ns = await RunningServerAsync();
        var before = await ContainersAsync(ns);
        foreach (var program in new[] { "containerd", "kubelet" })
            await Script.RunAsync("node", ["kill", program]);

        await ns.ServerAsync("next", "envVars: [{name: PORT, value: '8088'}]");
        await ReadyAsync(ns, "next");
        Assert.Equal(before, await ContainersAsync(ns));
    }

    [Fact]
    public async Task APodOfALostNodeShowsIt()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        try
        {
            await new Run(cluster).ShowAsync("node-lost", BrokenServers.OfALostNode, ns);
            await new Run(cluster).ShowAsync("node-lost-pod-deleted", BrokenServers.DeletedOnALostNode, ns);
        }
        finally
        {
            await Script.RunAsync("node", ["start", "kubelet"]);
            await Eventually.TrueAsync(
                "the node was ready again",
                () => cluster.Client.SendAsync(HttpMethod.Get, "api/v1/nodes"),
                nodes => nodes["items"]!.AsArray().All(node => BrokenServers.IsReady(node!.AsObject())),
                Cluster.Limit);
        }
    }

    private async Task<Namespace> RunningServerAsync()
    {
        var ns = await cluster.CreateNamespaceAsync();
        await ns.ServerAsync(BrokenServers.Name, "envVars: [{name: PORT, value: '8088'}]");
        await ReadyAsync(ns, BrokenServers.Name);
        return ns;
    }

    private static Task<IReadOnlyList<JsonObject>> ReadyAsync(Namespace ns, string server, int replicas = 1) => Eventually.TrueAsync(
        $"{replicas} pods of {server} were ready", () => ns.PodsAsync(server), pods => pods.Count(BrokenServers.IsReady) == replicas, Cluster.Limit);

    private static async Task<string[]> ContainersAsync(Namespace ns) =>
        [.. (await ns.PodsAsync(BrokenServers.Name)).SelectMany(BrokenServers.Statuses).Select(status => (string)status["containerID"]!)];
}
