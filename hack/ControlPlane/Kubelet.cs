using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <summary>
/// Writes the statuses that controllers and kubelets write in a whole cluster. They are written once: when the spec
/// changes afterwards, the status is that of the old generation, as it is in a cluster for a moment.
/// </summary>
public static class Kubelet
{
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>All replicas updated and available, none of the old left.</summary>
    public static async Task<JsonObject> RollOutAsync(KubeClient client, string @namespace, string deployment) =>
        await RollOutAsync(client, await client.GetAsync(Resource.Deployments, @namespace, deployment));

    /// <summary>The rollout is observed and its pods exist, but so many of them are ready: zero unless told.</summary>
    public static async Task<JsonObject> NotReadyAsync(KubeClient client, string @namespace, string deployment, int ready = 0)
    {
        var live = await client.GetAsync(Resource.Deployments, @namespace, deployment);
        var replicas = (int?)live["spec"]!["replicas"] ?? 1;
        return await WriteAsync(client, live, replicas, ready, Condition("Available", "False", "MinimumReplicasUnavailable"));
    }

    /// <summary>What an ingress controller writes when it serves the Ingress; no address takes it away again.</summary>
    public static Task<JsonObject> ServeIngressAsync(KubeClient client, string @namespace, string ingress, string? ip = "192.0.2.1") =>
        client.PatchStatusAsync(Resource.Ingresses, @namespace, ingress, new JsonObject
        {
            ["loadBalancer"] = new JsonObject
            {
                ["ingress"] = ip is null ? null : new JsonArray(new JsonObject { ["ip"] = ip }),
            },
        });

    /// <summary>Every Deployment of the namespace rolled out, every Ingress served; null: of all namespaces.</summary>
    public static async Task ServeAllAsync(KubeClient client, string? @namespace)
    {
        await ServeIngressesAsync(client, @namespace);
        await RollOutAllAsync(client, @namespace);
    }

    public static async Task RollOutAllAsync(KubeClient client, string? @namespace = null) => await Parallel.ForEachAsync(
        await client.ListAsync(Resource.Deployments, @namespace), AtOnce, async (deployment, _) => await RollOutAsync(client, deployment));

    public static async Task ServeIngressesAsync(KubeClient client, string? @namespace = null) => await Parallel.ForEachAsync(
        await client.ListAsync(Resource.Ingresses, @namespace), AtOnce, async (ingress, _) => await ServeIngressAsync(
            client, (string)ingress["metadata"]!["namespace"]!, (string)ingress["metadata"]!["name"]!));

    private static Task<JsonObject> RollOutAsync(KubeClient client, JsonObject live)
    {
        var replicas = (int?)live["spec"]!["replicas"] ?? 1;
        return WriteAsync(client, live, replicas, replicas, Condition("Available", "True", "MinimumReplicasAvailable"));
    }

    private static Task<JsonObject> WriteAsync(KubeClient client, JsonObject live, int replicas, int ready, params JsonNode[] conditions) =>
        client.PatchStatusAsync(
            Resource.Deployments,
            (string)live["metadata"]!["namespace"]!,
            (string)live["metadata"]!["name"]!,
            new JsonObject
            {
                ["observedGeneration"] = (long)live["metadata"]!["generation"]!,
                ["replicas"] = replicas,
                ["updatedReplicas"] = replicas,
                ["readyReplicas"] = ready,
                ["availableReplicas"] = ready,
                ["unavailableReplicas"] = replicas - ready,
                ["conditions"] = new JsonArray(conditions),
            });

    private static JsonObject Condition(string type, string status, string reason) => new()
    {
        ["type"] = type,
        ["status"] = status,
        ["reason"] = reason,
        ["lastTransitionTime"] = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };
}
