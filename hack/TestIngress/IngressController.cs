using System.Net;
using System.Text.Json.Nodes;
using Yarp.ReverseProxy.Configuration;

namespace McpOperator.Testing;

/// <summary>
/// Looks once a second at all Ingresses and Services, has YARP serve those of one class, and publishes the address of those that
/// are served. So with the HTTPRoutes of a Gateway, of which nothing but the name is needed. While the API server is away the routes stay as they are.
/// </summary>
/// <param name="gateway">NAMESPACE/NAME; null for none.</param>
internal sealed class IngressController(KubeClient client, string @class, string address, string? gateway, InMemoryConfigProvider proxy)
{
    private const string ControllerName = "mcpruntime.org/test-ingress";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private IngressTable _served = IngressTable.Empty;
    private string? _problem;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync();
                _problem = null;
            }
            catch (Exception e) when (e is KubeException or HttpRequestException)
            {
                if (_problem != e.Message)
                    Console.Error.WriteLine($"error: {_problem = e.Message}");
            }
            await Task.Delay(Interval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync()
    {
        var ingresses = (await client.ListAsync(Resource.Ingresses)).Where(IsOurs).ToList();
        var routes = await RoutesAsync();
        var table = IngressTable.Of(ingresses, await client.ListAsync(Resource.Services), routes);
        if (!table.SameAs(_served))
        {
            proxy.Update(table.Routes, table.Clusters);
            _served = table;
            foreach (var route in table.Routes)
                Console.WriteLine($"serving {route.RouteId} at {(route.Match.Hosts is [var host] ? host : "*")}{route.Match.Path}");
        }
        foreach (var ingress in ingresses.Where(ingress => !HasAddress(ingress)))
            await PublishAsync(ingress);
        foreach (var route in routes.Where(route => !IsAccepted(route)))
            await AcceptAsync(route);
    }

    private async Task<IReadOnlyList<JsonObject>> RoutesAsync()
    {
        if (gateway is null)
            return [];
        try
        {
            return [.. (await client.ListAsync(Resource.HttpRoutes)).Where(route => ParentsOf(route).Any())];
        }
        catch (KubeException e) when (e.Code == HttpStatusCode.NotFound)
        {
            // The Gateway API is not installed yet.
            return [];
        }
    }

    private IEnumerable<JsonNode> ParentsOf(JsonObject route) => (route["spec"]!["parentRefs"] as JsonArray ?? []).OfType<JsonNode>().Where(parent =>
        $"{(string?)parent["namespace"] ?? (string?)route["metadata"]!["namespace"]}/{parent["name"]}" == gateway);

    private static bool IsAccepted(JsonObject route) => (route["status"]?["parents"] as JsonArray ?? []).OfType<JsonNode>().Any(parent =>
        (string?)parent["controllerName"] == ControllerName
        && (long?)parent["conditions"]?[0]?["observedGeneration"] == (long)route["metadata"]!["generation"]!);

    private async Task AcceptAsync(JsonObject route)
    {
        try
        {
            await client.PatchAsync(
                Resource.HttpRoutes, (string?)route["metadata"]!["namespace"], (string)route["metadata"]!["name"]!,
                new JsonObject
                {
                    ["status"] = new JsonObject
                    {
                        ["parents"] = new JsonArray([.. ParentsOf(route).Select(parent => new JsonObject
                {
                    ["parentRef"] = parent.DeepClone(),
                    ["controllerName"] = ControllerName,
                    ["conditions"] = new JsonArray(ConditionOf(route, "Accepted"), ConditionOf(route, "ResolvedRefs")),
                })])
                    }
                },
                subresource: "status", fieldManager: "test-ingress");
        }
        catch (KubeException e) when (e.Code == HttpStatusCode.NotFound)
        {
            // Deleted since it was listed.
        }
    }

    private static JsonObject ConditionOf(JsonObject route, string type) => new()
    {
        ["type"] = type,
        ["status"] = "True",
        ["reason"] = type,
        ["message"] = "served",
        ["lastTransitionTime"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        ["observedGeneration"] = (long)route["metadata"]!["generation"]!,
    };

    private bool IsOurs(JsonObject ingress) =>
        ((string?)ingress["spec"]?["ingressClassName"] ?? (string?)ingress["metadata"]!["annotations"]?["kubernetes.io/ingress.class"]) == @class;

    private string AddressField => IPAddress.TryParse(address, out _) ? "ip" : "hostname";

    private bool HasAddress(JsonObject ingress) =>
        ingress["status"]?["loadBalancer"]?["ingress"] is JsonArray and [JsonObject entry] && (string?)entry[AddressField] == address;

    private async Task PublishAsync(JsonObject ingress)
    {
        try
        {
            await client.PatchAsync(
                Resource.Ingresses, (string?)ingress["metadata"]!["namespace"], (string)ingress["metadata"]!["name"]!,
                new JsonObject
                {
                    ["status"] = new JsonObject
                    {
                        ["loadBalancer"] = new JsonObject { ["ingress"] = new JsonArray(new JsonObject { [AddressField] = address }) },
                    },
                },
                subresource: "status", fieldManager: "test-ingress");
        }
        catch (KubeException e) when (e.Code == HttpStatusCode.NotFound)
        {
            // Deleted since it was listed.
        }
    }
}
