using System.Net;
using System.Text.Json.Nodes;
using Yarp.ReverseProxy.Configuration;

namespace McpOperator.Testing;

/// <summary>
/// Looks once a second at all Ingresses and Services, has YARP serve those of one class, and publishes the address of those that
/// are served. While the API server is away the routes stay as they are.
/// </summary>
internal sealed class IngressController(KubeClient client, string @class, string address, InMemoryConfigProvider proxy)
{
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
        var table = IngressTable.Of(ingresses, await client.ListAsync(Resource.Services));
        if (!table.SameAs(_served))
        {
            proxy.Update(table.Routes, table.Clusters);
            _served = table;
            foreach (var route in table.Routes)
                Console.WriteLine($"serving {route.RouteId} at {(route.Match.Hosts is [var host] ? host : "*")}{route.Match.Path}");
        }
        foreach (var ingress in ingresses.Where(ingress => !HasAddress(ingress)))
            await PublishAsync(ingress);
    }

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
