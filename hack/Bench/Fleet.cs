using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Bench;

/// <summary>An MCPServer as it was created.</summary>
internal sealed record Server(string Namespace, string Name, string Uid, string ResourceVersion)
{
    public string Key => $"{Namespace}/{Name}";
}

/// <summary>
/// The MCPServers of one measurement, over ten namespaces. All names have the same length, so that the requests about one
/// are as long as those about another.
/// </summary>
internal sealed class Fleet(KubeClient client, string prefix, int namespaces = 10)
{
    private const string MetadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>The kinds of the objects that a server has of its own.</summary>
    public static IReadOnlyList<Resource> Children { get; } = [Resource.Deployments, Resource.Services, Resource.Ingresses];

    private readonly List<Server> _servers = [];

    public IReadOnlyList<Server> Servers => _servers;

    /// <summary>Makes the namespaces, at the first call, and so many servers.</summary>
    /// <param name="tools">Of each, behind a gateway; 0 for servers without one.</param>
    /// <param name="edit">Of each spec; null for none.</param>
    public async Task CreateAsync(int count, int tools = 0, Action<JsonNode>? edit = null)
    {
        if (_servers.Count == 0)
            await Parallel.ForEachAsync(Enumerable.Range(0, namespaces), AtOnce, async (i, _) => await client.CreateAsync(
                $"{{apiVersion: v1, kind: Namespace, metadata: {{name: {prefix}-{i}}}}}"));
        var made = new ConcurrentBag<Server>();
        await Progress.DuringAsync(
            Parallel.ForEachAsync(
                Enumerable.Range(_servers.Count, count), AtOnce, async (i, _) => made.Add(Created(await client.CreateAsync(Manifest(i, tools, edit))))),
            () => $"creating MCPServers: {made.Count} of {count}");
        _servers.AddRange(made.OrderBy(server => server.Name, StringComparer.Ordinal));
    }

    public async Task<Server> CreateOneAsync()
    {
        var server = Created(await client.CreateAsync(Manifest(_servers.Count, tools: 0)));
        _servers.Add(server);
        return server;
    }

    /// <summary>What a user changes most: the image of the server.</summary>
    public Task<JsonObject> EditAsync(Server server, string tag) => client.PatchAsync(
        Resource.MCPServers, server.Namespace, server.Name,
        new JsonObject { ["spec"] = new JsonObject { ["image"] = Image(server.Name, tag) } });

    /// <summary>
    /// Takes everything away again, one by one: there is no garbage collector, nor a collection delete for Services in 1.20.
    /// </summary>
    public async Task DeleteAsync()
    {
        await Parallel.ForEachAsync(_servers, AtOnce, async (server, _) =>
        {
            foreach (var kind in Children.Prepend(Resource.MCPServers))
                await client.DeleteAsync(kind, server.Namespace, server.Name);
        });
        _servers.Clear();
    }

    /// <summary>The servers that lack a child, or whose status is not about their current generation or not in that phase.</summary>
    /// <param name="phase">Null: any.</param>
    public async Task<IReadOnlyList<string>> UnconvergedAsync(string? phase = null)
    {
        var missing = new List<string>();
        var statuses = new Dictionary<string, string?>();
        foreach (var item in await ListAsync(Resource.MCPServers, "application/json"))
            if ((long?)item["status"]?["observedGeneration"] == (long)item["metadata"]!["generation"]!)
                statuses[KeyOf(item)] = (string?)item["status"]!["phase"];
        missing.AddRange(_servers
            .Where(server => !statuses.TryGetValue(server.Key, out var at) || (phase is not null && at != phase))
            .Select(server => $"status of {server.Key}"));
        foreach (var kind in Children)
        {
            var live = (await ListAsync(kind, MetadataOnly)).Select(KeyOf).ToHashSet();
            missing.AddRange(_servers.Where(server => !live.Contains(server.Key)).Select(server => $"{kind.Kind} {server.Key}"));
        }
        return missing;
    }

    private static string Image(string name, string tag) => $"registry.example.org/team/{name}:{tag}";

    private static string KeyOf(JsonNode item) =>
        $"{(string)item["metadata"]!["namespace"]!}/{(string)item["metadata"]!["name"]!}";

    private static Server Created(JsonObject live)
    {
        var metadata = live["metadata"]!;
        return new(
            (string)metadata["namespace"]!, (string)metadata["name"]!, (string)metadata["uid"]!, (string)metadata["resourceVersion"]!);
    }

    private async Task<IEnumerable<JsonNode>> ListAsync(Resource kind, string accept)
    {
        var list = await client.SendAsync(HttpMethod.Get, $"{kind.PathTo()}?resourceVersion=0", accept: accept);
        // An empty list of metadata has null for items.
        return (list["items"] as JsonArray ?? []).Select(item => item!);
    }

    // Small but not the smallest: a port of its own and an environment, as most have.
    private JsonObject Manifest(int number, int tools, Action<JsonNode>? edit = null)
    {
        var name = $"web-{number.ToString("00000", CultureInfo.InvariantCulture)}";
        var server = new JsonObject
        {
            ["apiVersion"] = Resource.MCPServers.ApiVersion,
            ["kind"] = Resource.MCPServers.Kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = $"{prefix}-{number % namespaces}" },
            ["spec"] = new JsonObject
            {
                ["image"] = Image(name, "1.4.2"),
                ["port"] = 8080,
                ["envVars"] = new JsonArray(
                    new JsonObject { ["name"] = "LOG_LEVEL", ["value"] = "info" },
                    new JsonObject { ["name"] = "DATABASE_HOST", ["value"] = $"{name}-db.example.org" },
                    new JsonObject { ["name"] = "MAX_SESSIONS", ["value"] = "64" }),
            },
        };
        if (tools > 0)
        {
            server["spec"]!["gateway"] = new JsonObject { ["enabled"] = true, ["image"] = Image("gateway", "1.0") };
            server["spec"]!["tools"] = new JsonArray([.. Enumerable.Range(0, tools).Select(tool => new JsonObject
            {
                ["name"] = $"tool-{tool}",
                ["sideEffect"] = "read",
                ["description"] = new string('x', 300),
            })]);
        }

        edit?.Invoke(server["spec"]!);
        return server;
    }
}
