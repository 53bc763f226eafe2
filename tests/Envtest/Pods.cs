using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Pods as a ReplicaSet makes them, and a kubelet reports of them.</summary>
internal static class Pods
{
    /// <summary>A kubelet before 1.31 does not say why.</summary>
    public const string BackOff = """{"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"example.org/web:1\""}}""";

    /// <param name="name">Ends with the hash of its ReplicaSet, and something more.</param>
    /// <param name="state">Of the server's container.</param>
    public static async Task CreateAsync(KubeClient client, string @namespace, string server, string name, string state, string hash = "1")
    {
        var live = await client.GetAsync(Resource.Deployments, @namespace, server);
        var pod = live["spec"]!["template"]!.DeepClone().AsObject();
        (pod["apiVersion"], pod["kind"]) = ("v1", "Pod");
        var metadata = pod["metadata"]!.AsObject();
        metadata["name"] = name;
        metadata["labels"]!["pod-template-hash"] = hash;
        metadata["ownerReferences"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "ReplicaSet",
            ["name"] = $"{server}-{hash}",
            ["uid"] = Guid.NewGuid().ToString(),
            ["controller"] = true,
        });
        await client.CreateAsync(pod, @namespace);
        await client.PatchStatusAsync(Resource.Pods, @namespace, name, new JsonObject
        {
            ["phase"] = "Pending",
            ["containerStatuses"] = new JsonArray(new JsonObject
            {
                ["name"] = server,
                ["ready"] = false,
                ["restartCount"] = 0,
                ["image"] = "example.org/web:1",
                ["imageID"] = "",
                ["state"] = state.AsJson(),
            }),
        });
    }

    /// <summary>One that runs, and is ready.</summary>
    public static async Task ServeAsync(KubeClient client, string @namespace, string server, string name, string ip, string hash = "1")
    {
        await CreateAsync(client, @namespace, server, name, """{"running": {}}""", hash);
        await client.PatchStatusAsync(Resource.Pods, @namespace, name, new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = ip,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = ip }),
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
        });
    }

    /// <summary>What a kubelet says of one in an event.</summary>
    public static Task WarnAsync(KubeClient client, string @namespace, string pod, string reason, string message) => client.CreateAsync(
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["name"] = $"{pod}.{Guid.NewGuid():N}" },
            ["involvedObject"] = new JsonObject { ["kind"] = "Pod", ["name"] = pod, ["namespace"] = @namespace },
            ["type"] = "Warning",
            ["reason"] = reason,
            ["message"] = message,
            ["lastTimestamp"] = "2026-05-06T07:08:09Z",
        },
        @namespace);
}
