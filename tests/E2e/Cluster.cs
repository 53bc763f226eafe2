using System.Text.Json.Nodes;
using McpOperator.E2e;

[assembly: AssemblyFixture(typeof(Cluster))]

namespace McpOperator.E2e;

/// <summary>
/// The cluster that <c>hack/node</c> printed, with the operator on it as an administrator installs it. One for the whole run; every
/// test makes a <see cref="Namespace"/> of its own.
/// </summary>
public sealed class Cluster : IAsyncLifetime
{
    public const string OperatorNamespace = "mcp-runtime";
    public const string OperatorDeployment = "mcp-runtime-operator-controller-manager";

    /// <summary>Of hack/node-pod.c: does what its variables say.</summary>
    public const string PodImage = "localhost/pod:1";

    /// <summary>Pods are slow on a machine that is busy, and only a test that fails waits for all of it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public KubeClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Client = KubeClient.FromKubeconfig(Required("KUBECONFIG"));
        await Script.RunAsync("deploy", ["deploy"], ("IMG", Required("MCP_OPERATOR_IMAGE")));
        await StartRegistryAsync();
    }

    public ValueTask DisposeAsync()
    {
        Client?.Dispose();
        return ValueTask.CompletedTask;
    }

    public async Task<Namespace> CreateNamespaceAsync()
    {
        var name = $"e2e-{Guid.NewGuid():N}"[..12];
        await Client.CreateAsync($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");
        return new(Client, name);
    }

    // In the node's own network, where containerd asks it as one of localhost, and without TLS.
    private async Task StartRegistryAsync()
    {
        await Client.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: e2e-registry}}");
        await Client.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: registry, namespace: e2e-registry}
            spec:
              hostNetwork: true
              terminationGracePeriodSeconds: 0
              containers:
              - {name: registry, image: '{{PodImage}}', env: [{name: PORT, value: '5000'}]}
            """);
        await Eventually.TrueAsync(
            "the registry that refuses everything was running",
            () => Client.GetAsync(Resource.Pods, "e2e-registry", "registry"),
            pod => (string?)pod["status"]?["phase"] == "Running",
            Limit);
    }

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{variable} is not set: `make e2e` brings a node up and sets it");
}

/// <summary>Of one test, and deleted at its end.</summary>
public sealed class Namespace(KubeClient client, string name) : IAsyncDisposable
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
        return client.CreateAsync(
            new JsonObject
            {
                ["apiVersion"] = Resource.MCPServers.ApiVersion,
                ["kind"] = Resource.MCPServers.Kind,
                ["metadata"] = new JsonObject { ["name"] = server },
                ["spec"] = parsed,
            },
            name);
    }

    public Task<IReadOnlyList<JsonObject>> PodsAsync(string server) => client.ListAsync(Resource.Pods, name, $"app={server}");

    public async ValueTask DisposeAsync() => await client.DeleteAsync(Resource.Namespaces, null, name);
}
