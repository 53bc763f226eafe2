using McpOperator.Api;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The Service in front of a server's pods.</summary>
public static class ServiceBuilder
{
    /// <summary>What others put there can keep the API server from taking ours: two ports cannot have one name.</summary>
    public static readonly IReadOnlyList<IReadOnlyList<string>> Exclusive = [["f:spec", "f:ports"]];

    /// <param name="server">With its spec in effect (<see cref="Defaults"/>), and valid.</param>
    public static Service Build(MCPServer server) => new()
    {
        Metadata = Labels.MetadataOf(server, Labels.Of(server.Metadata.Name)),
        Spec = new ServiceSpec
        {
            Type = "ClusterIP",
            Selector = Labels.Of(server.Metadata.Name),
            Ports =
            [
                new ServicePort
                {
                    Name = "http",
                    Number = server.Spec.ServicePort ?? Defaults.ServicePort,
                    TargetPort = server.Spec.Port ?? Defaults.Port,
                },
            ],
        },
    };
}
