using McpOperator.Api;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Pods;

/// <summary>What the containers of a server's pods have in common.</summary>
internal static class ContainerParts
{
    /// <summary>What the restricted Pod Security Standard demands of a container.</summary>
    public static readonly ContainerSecurityContext SecurityContext = new()
    {
        AllowPrivilegeEscalation = false,
        RunAsNonRoot = true,
        Capabilities = new Capabilities { Drop = ["ALL"] },
    };

    public static ContainerResources Resources(ResourceRequirements? given)
    {
        var resources = Defaults.Resources(given);
        return new ContainerResources
        {
            Requests = new Quantities { Cpu = resources.Requests!.Cpu!, Memory = resources.Requests.Memory! },
            Limits = new Quantities { Cpu = resources.Limits!.Cpu!, Memory = resources.Limits.Memory! },
        };
    }

    public static Probe Liveness(int port) => new()
    {
        TcpSocket = new TcpSocketAction { Port = port },
        InitialDelaySeconds = 5,
        PeriodSeconds = 10,
    };

    /// <summary>Ready when the path answers; without one, when the port takes connections.</summary>
    public static Probe Readiness(int port, string? httpPath = null) => new()
    {
        TcpSocket = httpPath is null ? new TcpSocketAction { Port = port } : null,
        HttpGet = httpPath is null ? null : new HttpGetAction { Path = httpPath, Port = port },
        InitialDelaySeconds = 3,
        PeriodSeconds = 5,
    };

    public static Env Variable(string name, string? value) => new() { Name = name, Value = value ?? "" };

    public static Env Variable(string name, SecretKeyRef source) => new()
    {
        Name = name,
        ValueFrom = new EnvSource
        {
            SecretKeyRef = new SecretKeySelector { Name = source.Name!, Key = source.Key! },
        },
    };
}
