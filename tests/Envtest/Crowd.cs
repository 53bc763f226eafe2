using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Many servers at once.</summary>
internal static class Crowd
{
    public const string Spec = "{image: example.org/web}";

    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>
    /// What the operator watches: servers, their objects, and who may call them; but for PodDisruptionBudgets, which API servers before
    /// 1.21 do not serve.
    /// </summary>
    public static IReadOnlyList<Resource> Kinds { get; } =
    [
        Resource.MCPServers, Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.NetworkPolicies, Resource.ConfigMaps,
        Resource.MCPAccessGrants, Resource.MCPAgentSessions,
    ];

    /// <summary>With those, too: all that it asks for.</summary>
    public static IReadOnlyList<Resource> Asked { get; } = [.. Kinds, Resource.PodDisruptionBudgets];

    /// <summary>Creates them and waits until every one is reported, but not Ready, since nothing rolls a Deployment out.</summary>
    public static async Task CreateAsync(ServerScenario scenario, IReadOnlyList<string> names, Func<string, JsonObject>? server = null)
    {
        await Parallel.ForEachAsync(names, AtOnce, async (name, _) => await scenario.Client.CreateAsync(server?.Invoke(name) ?? scenario.ServerManifest(Spec, name)));
        await ReachAsync(scenario, names, "PartiallyReady");
    }

    /// <summary>Plays the kubelet for each of them, and waits until every one is Ready.</summary>
    public static async Task RollOutAsync(ServerScenario scenario, IReadOnlyList<string> names)
    {
        await Parallel.ForEachAsync(names, AtOnce, async (name, _) => await scenario.RollOutAsync(name));
        await ReachAsync(scenario, names, "Ready");
    }

    /// <summary>Starts the operator again, and waits until it has looked at each of them. Returns what stood there before, and what it has asked for since.</summary>
    public static async Task<(SortedDictionary<string, string> Before, IReadOnlyList<AuditEvent> Since)> RestartAsync(
        ServerScenario scenario, IReadOnlyList<string> names)
    {
        await scenario.StopOperatorAsync();
        var before = await VersionsAsync(scenario);
        var asked = (await scenario.Namespace.OperatorRequestsAsync()).Count;

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await Eventually.TrueAsync(
            "every server was reconciled",
            () => scenario.Operator!.MetricAsync("controller_runtime_reconcile_total", "controller=\"mcpserver\",result=\"success\""),
            count => count >= names.Count);
        await scenario.PassAsync(names[0]);
        return (before, [.. (await scenario.Namespace.OperatorRequestsAsync()).Skip(asked)]);
    }

    public static Task ReachAsync(ServerScenario scenario, IReadOnlyList<string> names, string phase) => Eventually.TrueAsync(
        $"all {names.Count} servers were {phase}",
        async () =>
        {
            var servers = (await scenario.Client.ListAsync(Resource.MCPServers, scenario.Namespace.Name))
                .ToDictionary(server => (string)server["metadata"]!["name"]!);
            return names.Where(name => !servers.TryGetValue(name, out var server) || (string?)server["status"]?["phase"] != phase)
                .Select(name => $"{name}: {servers.GetValueOrDefault(name)?["status"]?.ToJsonString()}").ToList();
        },
        others => others.Count == 0,
        TimeSpan.FromMinutes(3));

    /// <summary>Resource version by <c>kind/name</c> of all of them.</summary>
    public static async Task<SortedDictionary<string, string>> VersionsAsync(ServerScenario scenario)
    {
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var resource in Kinds)
            foreach (var item in await scenario.Client.ListAsync(resource, scenario.Namespace.Name))
                versions.Add($"{resource.Plural}/{(string)item["metadata"]!["name"]!}", (string)item["metadata"]!["resourceVersion"]!);
        return versions;
    }
}
