using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>The operator as an administrator installs it.</summary>
public sealed class InstallTests(Cluster cluster)
{
    [Fact]
    public async Task BothReplicasBecomeReadyFromTheImageAndStayWithoutARestart()
    {
        var deployment = await Eventually.TrueAsync(
            "both replicas of the operator were available",
            () => cluster.Client.GetAsync(Resource.Deployments, Cluster.OperatorNamespace, Cluster.OperatorDeployment),
            live => (int?)live["status"]?["availableReplicas"] == 2 && (int?)live["status"]?["updatedReplicas"] == 2,
            Cluster.Limit);
        Assert.Equal(Environment.GetEnvironmentVariable("MCP_OPERATOR_IMAGE"), (string?)deployment["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]);
        foreach (var pod in await cluster.Client.ListAsync(Resource.Pods, Cluster.OperatorNamespace, "control-plane=controller-manager"))
            Assert.Equal(0, (int)pod["status"]!["containerStatuses"]!.AsArray().Single()!["restartCount"]!);
    }

    [Fact]
    public async Task AServerRunsAndItsServiceHasAnEndpoint()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.ServerAsync("hello", "envVars: [{name: PORT, value: '8088'}]");
        await Eventually.TrueAsync(
            "the pod was ready, and the operator said so",
            () => cluster.Client.GetAsync(Resource.MCPServers, ns.Name, "hello"),
            server => Conditions(server).Any(condition => (string?)condition["type"] == "DeploymentReady" && (string?)condition["status"] == "True"),
            Cluster.Limit);
        var endpoints = await Eventually.TrueAsync(
            "the Service had an endpoint",
            () => cluster.Client.SendAsync(HttpMethod.Get, $"api/v1/namespaces/{ns.Name}/endpoints/hello"),
            found => found["subsets"] is JsonArray { Count: > 0 },
            Cluster.Limit);
        var pod = Assert.Single(await ns.PodsAsync("hello"));
        Assert.Equal((string?)pod["status"]!["podIP"], (string?)endpoints["subsets"]![0]!["addresses"]![0]!["ip"]);
    }

    private static IEnumerable<JsonObject> Conditions(JsonObject live) =>
        ((JsonArray?)live["status"]?["conditions"] ?? []).Select(condition => condition!.AsObject());
}
