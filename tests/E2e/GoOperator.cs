using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>A server as the Go operator left it: its objects, by plain creates of <c>manager</c>.</summary>
internal static class GoOperator
{
    public const string Server = "web";
    public const string Manager = "manager";

    /// <summary>tests/Envtest/Data/go-operator/plain.yaml, with an image that this node has.</summary>
    public static async Task WriteAsync(KubeClient client, string ns)
    {
        var yaml = (await File.ReadAllTextAsync(Repository.PathTo("tests", "Envtest", "Data", "go-operator", "plain.yaml")))
            .Replace("example.org/web:1.0", Cluster.PodImage, StringComparison.Ordinal)
            .Replace("image: example.org/web", "image: localhost/pod", StringComparison.Ordinal)
            .Replace("imageTag: \"1.0\"", "imageTag: \"1\"", StringComparison.Ordinal)
            .Replace("name: A", "name: PORT", StringComparison.Ordinal)
            .Replace("value: a", "value: \"8088\"", StringComparison.Ordinal);
        var manifests = Manifest.ParseAll(yaml);
        await CreateAsync(Manifest.Parse(
            "{apiVersion: v1, kind: ServiceAccount, metadata: {name: mcp-workload, labels: {app.kubernetes.io/managed-by: mcp-runtime}}, automountServiceAccountToken: false}"));
        var server = await CreateAsync(manifests[0]);
        foreach (var manifest in manifests.Skip(1))
        {
            Manifest.SetController(manifest, server);
            await CreateAsync(manifest);
        }

        Task<JsonObject> CreateAsync(JsonObject manifest) => client.SendAsync(
            HttpMethod.Post, $"{Resource.Of(manifest).PathTo(ns)}?fieldManager={Manager}", KubeClient.Body(manifest));
    }
}
