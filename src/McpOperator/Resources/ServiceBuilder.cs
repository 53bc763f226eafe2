using System.Globalization;
using McpOperator.Api;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The Service in front of a server's pods: of their gateways, where they have one.</summary>
public static class ServiceBuilder
{
    /// <summary>What others put there can keep the API server from taking ours: two ports cannot have one name.</summary>
    public static readonly IReadOnlyList<IReadOnlyList<string>> Exclusive = [["f:spec", "f:ports"]];

    /// <param name="server">With its spec in effect (<see cref="Defaults"/>), and valid.</param>
    /// <param name="toGateway">Whether traffic goes to the pods' gateways, when the spec has one: they must be there first.</param>
    public static Service Build(MCPServer server, bool toGateway = true)
    {
        var spec = server.Spec;
        var hasGateway = spec.HasGateway() && toGateway;
        var http = new ServicePort
        {
            Name = "http",
            Number = spec.ServicePort ?? Defaults.ServicePort,
            TargetPort = hasGateway ? spec.Gateway!.Port ?? Defaults.GatewayPort : spec.Port ?? Defaults.Port,
        };
        return new Service
        {
            Metadata = Labels.MetadataOf(server, Labels.Of(server.Metadata.Name), hasGateway ? Scraping() : null),
            Spec = new ServiceSpec
            {
                Type = "ClusterIP",
                Selector = Labels.Of(server.Metadata.Name),
                Ports = hasGateway ? [http, Metrics] : [http],
            },
        };
    }

    private static ServicePort Metrics => new()
    {
        Name = "metrics",
        Number = Defaults.GatewayMetricsPort,
        TargetPort = Defaults.GatewayMetricsPort,
    };

    /// <summary>Where Prometheus' widespread scrape configuration finds the gateway's metrics.</summary>
    private static Dictionary<string, string> Scraping() => new()
    {
        ["prometheus.io/scrape"] = "true",
        ["prometheus.io/port"] = Defaults.GatewayMetricsPort.ToString(CultureInfo.InvariantCulture),
        ["prometheus.io/path"] = "/metrics",
    };
}
