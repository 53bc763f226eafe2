using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>Of one test, and deleted at its end.</summary>
public sealed class Namespace(Cluster cluster, string name) : IAsyncDisposable
{
    public string Name => name;

    /// <summary>Creates an MCPServer of hack/node-pod.c's image, unless the spec names another one, on a route of its own.</summary>
    /// <param name="spec">YAML in flow style, without the braces.</param>
    public Task<JsonObject> ServerAsync(string server, string spec, int? replicas = null)
    {
        var parsed = Manifest.Parse($"{{{spec}}}");
        parsed.TryAdd("image", Cluster.PodImage);
        parsed.TryAdd("publicPathPrefix", $"{name}/{server}");
        if (replicas is { } number)
            parsed["replicas"] = number;
        return cluster.Client.CreateAsync(
            new JsonObject
            {
                ["apiVersion"] = Resource.MCPServers.ApiVersion,
                ["kind"] = Resource.MCPServers.Kind,
                ["metadata"] = new JsonObject { ["name"] = server },
                ["spec"] = parsed,
            },
            name);
    }

    /// <summary>Creates one of hack/HelloMcp, version 1.0.0, and waits until it is ready.</summary>
    public async Task<Hello> HelloAsync(string server, string spec = "")
    {
        var parsed = Manifest.Parse($"{{{spec}}}");
        parsed.TryAdd("image", "ghcr.io/example/hello-mcp:1.0.0");
        parsed.TryAdd("ingressClass", Cluster.IngressClass);
        parsed.TryAdd("ingressHost", $"{name}.example.test");
        parsed.TryAdd("publicPathPrefix", $"{name}/{server}");
        parsed.TryAdd("envVars", Hello.Environment());
        var hello = new Hello(cluster, this, server);
        await ServerAsync(server, parsed.ToJsonString()[1..^1]);
        await hello.ReadyAsync();
        return hello;
    }

    public Task<IReadOnlyList<JsonObject>> PodsAsync(string server) => cluster.Client.ListAsync(Resource.Pods, name, $"app={server}");

    public async ValueTask DisposeAsync() => await cluster.Client.DeleteAsync(Resource.Namespaces, null, name);
}
