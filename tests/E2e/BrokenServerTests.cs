using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>
/// Servers that cannot come up, on a real node. With MCP_SAVE_PODS=DIRECTORY what the API server says of each is saved there, a file
/// a case, as the unit tests of the diagnosis read it (tests/Unit/Data/pods).
/// </summary>
public sealed class BrokenServerTests(BrokenServerTests.Runs runs) : IClassFixture<BrokenServerTests.Runs>
{
    public static TheoryData<string> Cases => [.. BrokenServers.All.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public Task ShowsOnThePodsAndInTheStatus(string name) => runs.ResultOf(name);

    /// <summary>All of them side by side, for each one waits most of its time, for kubelet's patience to end.</summary>
    public sealed class Runs : IDisposable
    {
        private const int AtOnce = 30;

        private readonly SemaphoreSlim _room = new(AtOnce);
        private readonly Dictionary<string, Task> _results;

        public Runs(Cluster cluster) => _results = BrokenServers.All.Keys.ToDictionary(name => name, name => Task.Run(async () =>
        {
            await _room.WaitAsync();
            try
            {
                await new Run(cluster).ShowAsync(name, BrokenServers.All[name]);
            }
            finally
            {
                _room.Release();
            }
        }));

        public Task ResultOf(string name) => _results[name];

        public void Dispose() => _room.Dispose();
    }
}

/// <summary>One of <see cref="BrokenServers"/>.</summary>
internal sealed class Run(Cluster cluster)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task ShowAsync(string name, BrokenServer broken)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ShowAsync(name, broken, ns);
    }

    public async Task ShowAsync(string name, BrokenServer broken, Namespace ns)
    {
        if (broken.Objects is { } objects)
            await cluster.Client.CreateAsync(objects, ns.Name);
        if (broken is { PodPatch: { } patch, Spec: { } spec })
            await CreatePatchedAsync(ns, spec, Manifest.Parse(patch));
        else if (broken.Spec is not null)
            await ns.ServerAsync(BrokenServers.Name, broken.Spec);
        if (broken.Deed is { } deed)
        {
            await Eventually.TrueAsync(
                "a pod ran", () => ns.PodsAsync(BrokenServers.Name), pods => pods.Any(pod => (string?)pod["status"]?["phase"] == "Running"), Cluster.Limit);
            await deed(cluster.Client, ns.Name);
        }

        try
        {
            await Eventually.TrueAsync(
                $"the pods of {name} showed it",
                async () => (Pods: await ns.PodsAsync(BrokenServers.Name), Deployment: await cluster.Client.GetAsync(Resource.Deployments, ns.Name, BrokenServers.Name)),
                seen => broken.Shows(seen.Pods, seen.Deployment),
                Cluster.Limit);
            await SaveAsync(name, ns);
            if (broken.Cause is { } cause)
                await SaidAsync(ns, cause);
        }
        finally
        {
            // Only what made it takes it off again.
            foreach (var pod in await ns.PodsAsync(BrokenServers.Name))
                if (pod["metadata"]!["finalizers"] is not null)
                    await cluster.Client.PatchAsync(Resource.Pods, ns.Name, (string)pod["metadata"]!["name"]!, """{"metadata": {"finalizers": null}}""");
        }
    }

    private static bool Is(JsonObject? condition, string[] cause) =>
        (string?)condition?["reason"] == cause[0] && ((string?)condition["message"])!.Contains(cause[1], StringComparison.Ordinal);

    // In the condition, in the server's message, and by `kubectl describe` in an event, if it is a cause.
    private async Task SaidAsync(Namespace ns, string cause)
    {
        var parts = cause.Split(": ", 2);
        var server = await Eventually.TrueAsync(
            $"the operator said {cause}",
            () => cluster.Client.GetAsync(Resource.MCPServers, ns.Name, BrokenServers.Name),
            server => Is(Hello.Condition(server, "DeploymentReady"), parts) || Is(Hello.Condition(server, "Ready"), parts),
            Cluster.Limit);
        if (!Hello.IsReady(server))
            Assert.Contains(parts[1], (string)server["status"]!["message"]!, StringComparison.Ordinal);
    }

    // With no replica at first, so that no pod comes up before the patch.
    private async Task CreatePatchedAsync(Namespace ns, string spec, JsonObject patch)
    {
        await ns.ServerAsync(BrokenServers.Name, spec, replicas: 0);
        await Eventually.TrueAsync(
            "there was a Deployment", () => cluster.Client.FindAsync(Resource.Deployments, ns.Name, BrokenServers.Name), found => found is not null, Cluster.Limit);
        await cluster.Client.PatchAsync(
            Resource.Deployments, ns.Name, BrokenServers.Name, new JsonObject { ["spec"] = new JsonObject { ["template"] = patch } }, PatchKind.Strategic);
        await cluster.Client.PatchAsync(Resource.MCPServers, ns.Name, BrokenServers.Name, """{"spec": {"replicas": 1}}""");
    }

    private async Task SaveAsync(string name, Namespace ns)
    {
        if (Environment.GetEnvironmentVariable("MCP_SAVE_PODS") is not { Length: > 0 } directory)
            return;
        var saved = new JsonObject
        {
            ["case"] = name,
            ["kubernetes"] = (string?)(await cluster.Client.SendAsync(HttpMethod.Get, "version"))["gitVersion"],
            ["takenAt"] = $"{DateTimeOffset.UtcNow:yyyy-MM-ddTHH:mm:ssZ}",
        };
        foreach (var (member, path) in new[]
        {
            ("pods", Resource.Pods.PathTo(ns.Name)), ("deployments", Resource.Deployments.PathTo(ns.Name)), ("replicaSets", Resource.ReplicaSets.PathTo(ns.Name)),
            ("events", $"api/v1/namespaces/{ns.Name}/events"), ("servers", Resource.MCPServers.PathTo(ns.Name)),
        })
            saved[member] = Trimmed(await cluster.Client.SendAsync(HttpMethod.Get, path));
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, $"{name}.json"), saved.ToJsonString(Indented) + "\n");
    }

    // Who wrote which field is long, and nobody asks here.
    private static JsonObject Trimmed(JsonObject list)
    {
        foreach (var item in list["items"]!.AsArray())
            item!["metadata"]!.AsObject().Remove("managedFields");
        return list;
    }
}
