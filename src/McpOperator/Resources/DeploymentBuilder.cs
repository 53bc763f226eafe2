using McpOperator.Api;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The Deployment that runs a server's pods.</summary>
public static class DeploymentBuilder
{
    /// <summary>The user that distroless images run as.</summary>
    private const long NonRootUser = 65532;

    private const string Recreate = "Recreate";

    /// <param name="server">With its spec in effect (<see cref="Defaults"/>), and valid.</param>
    /// <param name="settings">Of the operator.</param>
    public static Deployment Build(MCPServer server, OperatorSettings settings)
    {
        var name = server.Metadata.Name;
        var spec = server.Spec;
        return new Deployment
        {
            Metadata = Labels.MetadataOf(server, Labels.OfTrack(name, Labels.StableTrack)),
            Spec = new DeploymentSpec
            {
                Replicas = spec.Replicas ?? Defaults.Replicas,
                Selector = new LabelSelector
                {
                    MatchLabels = new Dictionary<string, string>
                    {
                        [Labels.App] = name,
                        [Labels.RolloutTrack] = Labels.StableTrack,
                    },
                },
                Strategy = Strategy(spec.Rollout),
                Template = new PodTemplate
                {
                    Metadata = new PodMetadata { Labels = Labels.OfTrack(name, Labels.StableTrack) },
                    Spec = new PodSpec
                    {
                        ServiceAccountName = NamespaceObjects.ServiceAccountName,
                        AutomountServiceAccountToken = false,
                        SecurityContext = new PodSecurityContext
                        {
                            RunAsNonRoot = true,
                            RunAsUser = NonRootUser,
                            SeccompProfile = new SeccompProfile { Type = "RuntimeDefault" },
                        },
                        ImagePullSecrets = PullSecrets(spec, settings),
                        Containers = [ServerContainer(server, settings)],
                    },
                },
            },
        };
    }

    /// <summary>
    /// What others put there can keep the API server from taking ours: a second port of a name, a second handler of a
    /// probe, a seccomp profile's file. Containers of others can stay. For variables there is <see cref="EnvironmentReset"/>.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<string>> Exclusive(Deployment deployment)
    {
        string[] pod = ["f:spec", "f:template", "f:spec"];
        List<IReadOnlyList<string>> places = [["f:spec", "f:strategy"], [.. pod, "f:securityContext"]];
        foreach (var container in deployment.Spec.Template.Spec.Containers)
        {
            // A name has nothing in it that JSON escapes.
            string[] within = [.. pod, "f:containers", $$"""k:{"name":"{{container.Name}}"}"""];
            foreach (var field in (ReadOnlySpan<string>)["ports", "livenessProbe", "readinessProbe", "resources", "securityContext"])
                places.Add([.. within, $"f:{field}"]);
        }

        return places;
    }

    /// <summary>True when the pods pull with the operator's own secret, which must then be in their namespace.</summary>
    public static bool UsesOperatorPullSecret(MCPServerSpec spec, OperatorSettings settings) =>
        settings.ProvisionedRegistry.HasCredentials && !NonBlank(spec.ImagePullSecrets).Any();

    private static DeploymentStrategy Strategy(RolloutConfig? rollout) => rollout?.Strategy == Recreate
        ? new DeploymentStrategy { Type = Recreate }
        : new DeploymentStrategy
        {
            Type = Defaults.Strategy,
            RollingUpdate = new RollingUpdate
            {
                MaxUnavailable = new IntOrString(rollout?.MaxUnavailable ?? Defaults.MaxUnavailable),
                MaxSurge = new IntOrString(rollout?.MaxSurge ?? Defaults.MaxSurge),
            },
        };

    private static Container ServerContainer(MCPServer server, OperatorSettings settings)
    {
        var port = server.Spec.Port ?? Defaults.Port;
        return new Container
        {
            Name = server.Metadata.Name,
            Image = ImageReference.Resolve(server.Spec, settings),
            ImagePullPolicy = "IfNotPresent",
            Ports = [new ContainerPort { Name = "http", Number = port }],
            Env = Environment(server.Spec),
            Resources = ResourcesOf(server.Spec),
            LivenessProbe = TcpProbe(port, initialDelay: 5, period: 10),
            ReadinessProbe = TcpProbe(port, initialDelay: 3, period: 5),
            SecurityContext = new ContainerSecurityContext
            {
                AllowPrivilegeEscalation = false,
                RunAsNonRoot = true,
                Capabilities = new Capabilities { Drop = ["ALL"] },
            },
        };
    }

    private static List<Env>? Environment(MCPServerSpec spec)
    {
        var env = new List<Env>((spec.EnvVars?.Count ?? 0) + (spec.SecretEnvVars?.Count ?? 0));
        foreach (var variable in spec.EnvVars ?? [])
            env.Add(new Env { Name = variable.Name!, Value = string.IsNullOrEmpty(variable.Value) ? null : variable.Value });
        foreach (var variable in spec.SecretEnvVars ?? [])
            env.Add(new Env
            {
                Name = variable.Name!,
                ValueFrom = new EnvSource
                {
                    SecretKeyRef = new SecretKeySelector
                    {
                        Name = variable.SecretKeyRef!.Name!,
                        Key = variable.SecretKeyRef.Key!,
                    },
                },
            });
        return env.Count == 0 ? null : env;
    }

    private static List<LocalObjectReference>? PullSecrets(MCPServerSpec spec, OperatorSettings settings)
    {
        if (UsesOperatorPullSecret(spec, settings))
            return [new LocalObjectReference { Name = settings.ProvisionedRegistry.SecretName }];
        // A list keyed by name: the API server refuses an apply that names one twice.
        var secrets = NonBlank(spec.ImagePullSecrets)
            .Distinct(StringComparer.Ordinal)
            .Select(secret => new LocalObjectReference { Name = secret })
            .ToList();
        return secrets.Count == 0 ? null : secrets;
    }

    private static IEnumerable<string> NonBlank(IReadOnlyList<string>? secrets) =>
        (secrets ?? []).Where(secret => !string.IsNullOrWhiteSpace(secret)).Select(secret => secret.Trim());

    private static ContainerResources ResourcesOf(MCPServerSpec spec)
    {
        var resources = Defaults.Resources(spec.Resources);
        return new ContainerResources
        {
            Requests = new Quantities { Cpu = resources.Requests!.Cpu!, Memory = resources.Requests.Memory! },
            Limits = new Quantities { Cpu = resources.Limits!.Cpu!, Memory = resources.Limits.Memory! },
        };
    }

    private static Probe TcpProbe(int port, int initialDelay, int period) => new()
    {
        TcpSocket = new TcpSocketAction { Port = port },
        InitialDelaySeconds = initialDelay,
        PeriodSeconds = period,
    };
}
