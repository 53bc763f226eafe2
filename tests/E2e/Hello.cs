using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>A server of hack/HelloMcp, and clients of it.</summary>
public sealed class Hello(Cluster cluster, Namespace ns, string name)
{
    public string Name => name;

    /// <summary>What it gets of a spec without <c>envVars</c>: its pods serve on for ten seconds when they are to end, since a busy node takes its time to tell kube-proxy.</summary>
    /// <param name="port">Also in <c>spec.port</c>, if it is not the default.</param>
    public static JsonArray Environment(int port = 8088) => Manifest.Parse(
        $"{{list: [{{name: PORT, value: '{port}'}}, {{name: HELLO_DRAIN, value: '10'}}]}}")["list"]!.DeepClone().AsArray();

    /// <summary>In a spec: its pods end at once.</summary>
    public const string EndsAtOnce = "envVars: [{name: HELLO_DRAIN, value: '0'}]";

    public Task<JsonObject> GetAsync() => cluster.Client.GetAsync(Resource.MCPServers, ns.Name, name);

    /// <param name="spec">A merge patch of the spec, in YAML.</param>
    public Task EditAsync(string spec) => EditAsync(Manifest.Parse(spec));

    public Task EditAsync(JsonObject spec) => cluster.Client.PatchAsync(Resource.MCPServers, ns.Name, name, new JsonObject { ["spec"] = spec });

    /// <summary>Waits until it is ready as it is specified now.</summary>
    public Task<JsonObject> ReadyAsync() => Eventually.TrueAsync($"{name} was ready", GetAsync, IsReady, Cluster.Limit);

    public static bool IsReady(JsonObject server) =>
        (int?)server["status"]?["observedGeneration"] == (int)server["metadata"]!["generation"]! && Condition(server, "Ready") is { } ready
        && (string?)ready["status"] == "True" && (int?)ready["observedGeneration"] == (int)server["metadata"]!["generation"]!;

    public static JsonObject? Condition(JsonObject server, string type) =>
        BrokenServers.Conditions(server).FirstOrDefault(condition => (string?)condition["type"] == type);

    /// <summary>A client of the official SDK, at the URL that the status names.</summary>
    public async Task<ToolCaller> ConnectAsync(string? human = null)
    {
        var url = new Uri((string)(await GetAsync())["status"]!["url"]!);
        return await Eventually.TrueAsync(
            $"{url} was served",
            () => ToolCaller.ConnectAsync(url, human is null ? null : new Dictionary<string, string> { ["X-MCP-Human-ID"] = human }, cluster.IngressAddress),
            _ => true,
            Cluster.Limit);
    }
}
