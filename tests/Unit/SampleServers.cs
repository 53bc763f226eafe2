using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit;

internal static class SampleServers
{
    public static readonly DateTimeOffset Epoch = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static OperatorSettings Settings { get; } = new();

    /// <summary>A server with its spec in effect.</summary>
    public static MCPServer Effective(MCPServerSpec? spec = null, OperatorSettings? settings = null, string name = "demo")
    {
        var server = Of(spec, name);
        return server with { Spec = Defaults.Apply(name, server.Spec, settings ?? Settings) };
    }

    /// <summary>With the smallest gateway, and whatever else the spec says.</summary>
    public static MCPServer WithGateway(MCPServerSpec? spec = null, OperatorSettings? settings = null)
    {
        spec ??= new MCPServerSpec();
        return Effective(
            spec with
            {
                Image = spec.Image ?? "example.org/demo:1",
                Gateway = (spec.Gateway ?? new GatewayConfig()) with { Enabled = true, Image = "example.org/gateway:1" },
            },
            settings);
    }

    /// <summary>The same with its gateway switched off, and everything that was written for it left in the spec.</summary>
    public static MCPServer Off(MCPServer server) =>
        server with { Spec = server.Spec with { Gateway = server.Spec.Gateway! with { Enabled = false } } };

    public static MCPServer Of(MCPServerSpec? spec = null, string name = "demo", string ns = "team", DateTimeOffset? created = null) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name,
            Namespace = ns,
            Uid = $"uid-of-{name}",
            ResourceVersion = "7",
            Generation = 3,
            CreationTimestamp = created ?? Epoch,
        },
        Spec = spec ?? new MCPServerSpec { Image = "example.org/demo:1" },
    };
}
