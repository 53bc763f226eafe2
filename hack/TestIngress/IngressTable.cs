using System.Text.Json.Nodes;
using Yarp.ReverseProxy.Configuration;

namespace McpOperator.Testing;

/// <summary>
/// What Ingresses and HTTPRoutes say, as routes and clusters of YARP. Other than real controllers it takes letters of either case for the same in a path,
/// and any number of labels for a host's <c>*</c>.
/// </summary>
internal sealed record IngressTable(IReadOnlyList<RouteConfig> Routes, IReadOnlyList<ClusterConfig> Clusters)
{
    public static readonly IngressTable Empty = new([], []);

    // The address of a Service leads to whichever pod is ready; how long a stream is silent is the server's affair.
    private static readonly Yarp.ReverseProxy.Forwarder.ForwarderRequestConfig Patient = new() { ActivityTimeout = TimeSpan.FromHours(1) };
    private static readonly IReadOnlyList<IReadOnlyDictionary<string, string>> Transforms =
        [new Dictionary<string, string> { ["RequestHeaderOriginalHost"] = "true" }];

    public static IngressTable Of(IEnumerable<JsonObject> ingresses, IEnumerable<JsonObject> services, IEnumerable<JsonObject>? httpRoutes = null)
    {
        var byName = services.ToDictionary(NameOf);
        var routes = new List<RouteConfig>();
        var clusters = new List<ClusterConfig>();
        // Of two that want the same the older one has it.
        var taken = new HashSet<(string?, string?)>();
        foreach (var item in ingresses.Concat(httpRoutes ?? [])
            .OrderBy(item => (string?)item["metadata"]!["creationTimestamp"], StringComparer.Ordinal).ThenBy(NameOf, StringComparer.Ordinal))
        {
            var id = NameOf(item);
            foreach (var (host, path, isExact, service, port) in item["spec"]?["parentRefs"] is null ? RulesOf(item) : RulesOfRoute(item))
            {
                var routeId = $"{id}#{routes.Count}";
                var route = RouteOf(routeId, host, path, isExact);
                if (!taken.Add((route.Match.Hosts?[0], route.Match.Path)))
                    continue;
                routes.Add(route);
                clusters.Add(ClusterOf(routeId, byName.GetValueOrDefault($"{id.Split('/')[0]}/{service}"), port));
            }
        }
        return new(routes, clusters);
    }

    private static IEnumerable<(string? Host, string? Path, bool IsExact, string? Service, JsonNode? Port)> RulesOf(JsonObject ingress) =>
        from rule in ingress["spec"]?["rules"] as JsonArray ?? []
        from path in rule["http"]?["paths"] as JsonArray ?? []
        let service = path["backend"]?["service"]
        select ((string?)rule["host"], (string?)path["path"], (string?)path["pathType"] == "Exact", (string?)service?["name"], service?["port"]?["name"] ?? service?["port"]?["number"]);

    private static IEnumerable<(string? Host, string? Path, bool IsExact, string? Service, JsonNode? Port)> RulesOfRoute(JsonObject route) =>
        from rule in route["spec"]?["rules"] as JsonArray ?? []
        from host in (route["spec"]?["hostnames"] as JsonArray)?.Select(host => (string?)host) ?? [null]
        from match in rule["matches"] as JsonArray ?? []
        let backend = rule["backendRefs"]?[0]
        select (host, (string?)match["path"]?["value"], (string?)match["path"]?["type"] == "Exact", (string?)backend?["name"], backend?["port"]);

    public bool SameAs(IngressTable other) => Routes.SequenceEqual(other.Routes) && Clusters.SequenceEqual(other.Clusters);

    private static string NameOf(JsonObject item) => $"{item["metadata"]!["namespace"]}/{item["metadata"]!["name"]}";

    private static RouteConfig RouteOf(string id, string? host, string? path, bool isExact)
    {
        // A brace is a parameter to ASP.NET's routing.
        var literal = (path ?? "/").TrimEnd('/').Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
        return new()
        {
            RouteId = id,
            ClusterId = id,
            Match = new()
            {
                Hosts = string.IsNullOrEmpty(host) ? null : [host],
                Path = isExact ? literal.Length == 0 ? "/" : literal : literal + "/{**rest}",
            },
            // The host decides first, then the longer path, which ASP.NET's routing prefers by itself.
            Order = string.IsNullOrEmpty(host) ? 2 : host.StartsWith('*') ? 1 : 0,
            Transforms = Transforms,
        };
    }

    /// <summary>Without a destination where there is no such Service, or no such port of it: YARP answers 503.</summary>
    /// <param name="wanted">The name or the number of a port.</param>
    private static ClusterConfig ClusterOf(string id, JsonObject? service, JsonNode? wanted)
    {
        var ports = service?["spec"]?["ports"] as JsonArray ?? [];
        var port = ports.FirstOrDefault(port => wanted is not null && ($"{port!["name"]}" == $"{wanted}" || $"{port["port"]}" == $"{wanted}"));
        var address = (string?)service?["spec"]?["clusterIP"];
        return new()
        {
            ClusterId = id,
            HttpRequest = Patient,
            Destinations = port is null || address is null or "" or "None"
                ? null
                : new Dictionary<string, DestinationConfig>
                {
                    ["service"] = new() { Address = $"http://{(address.Contains(':') ? $"[{address}]" : address)}:{port["port"]}/" },
                },
        };
    }
}
