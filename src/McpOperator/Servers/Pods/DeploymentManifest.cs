using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Pods;

/// <summary>The Deployments that run a server's pods: the stable one, and that of the canary track.</summary>
internal static class DeploymentManifest
{
    /// <summary>Of the port that the server listens on.</summary>
    public const string PortName = "http";

    /// <param name="server">With the defaults filled in (<see cref="Defaults"/>), and valid.</param>
    /// <param name="policyUid">The annotation <see cref="ObjectNames.PolicyUid"/>; null for none.</param>
    public static Deployment Build(MCPServer server, OperatorSettings settings, string? policyUid = null) => OfTrack(
        Labels.StableTrack, server.Metadata.Name, server.Spec.StableReplicas(),
        ImageReference.Resolve(server.Spec, settings), server, settings, policyUid);

    /// <inheritdoc cref="Build(MCPServer, OperatorSettings, string?)"/>
    /// <summary>The same pods with another image, if the spec names one, on a track of their own.</summary>
    public static Deployment BuildCanary(MCPServer server, OperatorSettings settings, string? policyUid = null) => OfTrack(
        Labels.CanaryTrack, ObjectNames.Canary(server.Metadata.Name), server.Spec.CanaryReplicas(),
        ImageReference.ResolveCanary(server.Spec, settings), server, settings, policyUid);

    /// <summary>With one more annotation of its pods.</summary>
    public static Deployment WithAnnotation(Deployment deployment, string key, string value)
    {
        var template = deployment.Spec.Template;
        var annotations = new Dictionary<string, string>(template.Metadata.Annotations ?? new Dictionary<string, string>()) { [key] = value };
        return deployment with { Spec = deployment.Spec with { Template = template with { Metadata = template.Metadata with { Annotations = annotations } } } };
    }

    /// <summary>The apply configuration, with what the spec says of the pods in the words of core/v1 merged into it.</summary>
    public static byte[] Body(Deployment deployment, MCPServer server)
    {
        var body = ApplyConfiguration.Of(deployment);
        if (!PodFragment.IsIn(server.Spec))
            return body;
        var merged = JsonNode.Parse(body)!.AsObject();
        PodFragment.Merge(merged["spec"]!["template"]!.AsObject(), server);
        return ApplyBody.Write(writer => merged.WriteTo(writer), body.Length);
    }

    /// <summary>
    /// The paths where fields of others can make ours invalid: a second port of a name, a second handler of a probe, a second
    /// source of a volume, a seccomp profile's file. Other containers and volumes are not among them; for variables see <see
    /// cref="EnvironmentReset"/>.
    /// </summary>
    /// <param name="body">An apply configuration (<see cref="Body"/>).</param>
    public static IReadOnlyList<IReadOnlyList<string>> ExclusivePaths(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        var spec = document.RootElement.GetProperty("spec"u8).GetProperty("template"u8).GetProperty("spec"u8);
        string[] pod = ["f:spec", "f:template", "f:spec"];
        List<IReadOnlyList<string>> paths = [["f:spec", "f:strategy"], [.. pod, "f:securityContext"]];
        foreach (var volume in Names("volumes"))
            paths.Add([.. pod, "f:volumes", volume]);
        foreach (var list in (ReadOnlySpan<string>)["containers", "initContainers"])
        {
            foreach (var container in Names(list))
            {
                foreach (var field in (ReadOnlySpan<string>)["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "securityContext"])
                    paths.Add([.. pod, $"f:{list}", container, $"f:{field}"]);
            }
        }

        return paths;

        // They are DNS labels: nothing to escape.
        IEnumerable<string> Names(string list) => spec.Child(list) is { ValueKind: JsonValueKind.Array } items
            ? items.EnumerateArray().Select(static item => $$"""k:{"name":"{{item.Text("name"u8)}}"}""")
            : [];
    }

    /// <summary>True when the pods pull with the operator's own secret, which must then be in their namespace.</summary>
    public static bool UsesOperatorPullSecret(MCPServerSpec spec, OperatorSettings settings) =>
        settings.ProvisionedRegistry.HasCredentials && !NonBlank(spec.ImagePullSecrets).Any();

    private static Deployment OfTrack(
        string track, string name, int replicas, string image, MCPServer server, OperatorSettings settings, string? policyUid) => new()
        {
            Metadata = Labels.MetadataOf(server, Labels.OfTrack(server.Metadata.Name, track), name: name),
            Spec = new DeploymentSpec
            {
                Replicas = replicas,
                Selector = new LabelSelector
                {
                    MatchLabels = new Dictionary<string, string>
                    {
                        [Labels.App] = server.Metadata.Name,
                        [Labels.RolloutTrack] = track,
                    },
                },
                Strategy = Strategy(server.Spec.Rollout),
                Template = new PodTemplate
                {
                    Metadata = new PodMetadata
                    {
                        Labels = Labels.OfTrack(server.Metadata.Name, track),
                        Annotations = policyUid is null || !server.Spec.HasGateway()
                            ? null
                            : new Dictionary<string, string> { [ObjectNames.PolicyUid] = policyUid },
                    },
                    Spec = Pod(server, settings, image),
                },
            },
        };

    private static DeploymentStrategy Strategy(RolloutConfig? rollout) => rollout?.Strategy == RolloutConfig.Recreate
        ? new DeploymentStrategy { Type = RolloutConfig.Recreate }
        : new DeploymentStrategy
        {
            Type = Defaults.Strategy,
            RollingUpdate = new RollingUpdate
            {
                MaxUnavailable = new IntOrString(rollout?.MaxUnavailable ?? Defaults.MaxUnavailable),
                MaxSurge = new IntOrString(rollout?.MaxSurge ?? Defaults.MaxSurge),
            },
        };

    private static PodSpec Pod(MCPServer server, OperatorSettings settings, string image)
    {
        var serverContainer = ServerContainer(server, image);
        var hasGateway = server.Spec.HasGateway();
        return new PodSpec
        {
            ServiceAccountName = server.Spec.ServiceAccountName ?? ObjectNames.ServiceAccount,
            AutomountServiceAccountToken = false,
            TerminationGracePeriodSeconds = server.Spec.TerminationGracePeriodSeconds,
            SecurityContext = new PodSecurityContext
            {
                RunAsNonRoot = true,
                RunAsUser = settings.RunAsUser,
                SeccompProfile = new SeccompProfile { Type = "RuntimeDefault" },
            },
            ImagePullSecrets = PullSecrets(server.Spec, settings),
            Containers = hasGateway ? [serverContainer, GatewayContainer.Build(server, settings)] : [serverContainer],
            Volumes = hasGateway ? GatewayContainer.Volumes(server) : null,
        };
    }

    private static Container ServerContainer(MCPServer server, string image)
    {
        var port = server.Spec.Port ?? Defaults.Port;
        return new Container
        {
            Name = server.Metadata.Name,
            Image = image,
            ImagePullPolicy = server.Spec.ImagePullPolicy ?? Defaults.ImagePullPolicy,
            Command = NonEmpty(server.Spec.Command),
            Args = NonEmpty(server.Spec.Args),
            Ports = [new ContainerPort { Name = PortName, Number = port }],
            Env = Environment(server.Spec),
            Resources = ContainerParts.Resources(server.Spec.Resources),
            LivenessProbe = ContainerParts.Liveness(port),
            ReadinessProbe = ContainerParts.Readiness(port),
            SecurityContext = ContainerParts.SecurityContext,
        };
    }

    private static List<Env>? Environment(MCPServerSpec spec)
    {
        var env = new List<Env>((spec.EnvVars?.Count ?? 0) + (spec.SecretEnvVars?.Count ?? 0));
        foreach (var variable in spec.EnvVars ?? [])
            env.Add(ContainerParts.Variable(variable.Name!, variable.Value));
        foreach (var variable in spec.SecretEnvVars ?? [])
            env.Add(ContainerParts.Variable(variable.Name!, variable.SecretKeyRef!));
        return env.Count == 0 ? null : env.DistinctBy(static variable => variable.Name).Count() == env.Count ? env : LastOfEach(env);
    }

    /// <summary>
    /// The API server refuses an apply that names a variable twice. A kubelet takes the last one, and expands <c>$(NAME)</c> to what
    /// stood before it: so do these, but for what a Secret held.
    /// </summary>
    private static List<Env> LastOfEach(List<Env> env)
    {
        var twice = env.GroupBy(static variable => variable.Name).Where(static group => group.Count() > 1).Select(static group => group.Key).ToHashSet();
        var earlier = new Dictionary<string, string?>(StringComparer.Ordinal);
        var last = new OrderedDictionary<string, Env>(StringComparer.Ordinal);
        foreach (var variable in env)
        {
            var value = variable.Value;
            foreach (var (name, before) in earlier)
                value = before is null || value?.Contains($"$$({name})", StringComparison.Ordinal) == true ? value : value?.Replace($"$({name})", before, StringComparison.Ordinal);
            last.Remove(variable.Name);
            last.Add(variable.Name, variable with { Value = value });
            if (twice.Contains(variable.Name))
                earlier[variable.Name] = value;
        }

        return [.. last.Values];
    }

    private static List<LocalObjectReference>? PullSecrets(MCPServerSpec spec, OperatorSettings settings)
    {
        if (UsesOperatorPullSecret(spec, settings))
            return [new LocalObjectReference { Name = settings.ProvisionedRegistry.SecretName }];
        // The list is keyed by name: the API server refuses an apply that has a name twice.
        var secrets = NonBlank(spec.ImagePullSecrets)
            .Distinct(StringComparer.Ordinal)
            .Select(secret => new LocalObjectReference { Name = secret })
            .ToList();
        return secrets.Count == 0 ? null : secrets;
    }

    private static IReadOnlyList<string>? NonEmpty(IReadOnlyList<string>? list) => list is { Count: > 0 } ? list : null;

    private static IEnumerable<string> NonBlank(IReadOnlyList<string>? secrets) =>
        (secrets ?? []).Where(secret => !string.IsNullOrWhiteSpace(secret)).Select(secret => secret.Trim());
}
