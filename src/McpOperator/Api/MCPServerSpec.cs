using System.Text.Json;

namespace McpOperator.Api;

/// <summary>
/// The desired state, as the user wrote it: null means unset. <see cref="Defaults"/> says what an unset field means.
/// </summary>
internal sealed record MCPServerSpec
{
    public string? TeamID { get; init; }
    public string? Description { get; init; }

    public string? Image { get; init; }
    public string? ImageTag { get; init; }
    public string? RegistryOverride { get; init; }
    public bool? UseProvisionedRegistry { get; init; }
    public IReadOnlyList<string>? ImagePullSecrets { get; init; }

    public int? Replicas { get; init; }
    public int? Port { get; init; }
    public int? ServicePort { get; init; }

    public string? IngressPath { get; init; }
    public string? IngressHost { get; init; }
    public string? PublicPathPrefix { get; init; }
    public string? IngressClass { get; init; }

    /// <summary>Of the Ingress' paths: Prefix, Exact or ImplementationSpecific.</summary>
    public string? IngressPathType { get; init; }
    public IReadOnlyDictionary<string, string>? IngressAnnotations { get; init; }

    /// <summary>One of <see cref="RouteKinds"/>; null is Ingress.</summary>
    public string? Route { get; init; }

    /// <summary><see cref="HttpRouteConfig"/>.</summary>
    public JsonElement? HttpRoute { get; init; }

    /// <summary><see cref="TlsConfig"/>. Null: clients speak plain HTTP, as far as the spec knows.</summary>
    public JsonElement? Tls { get; init; }

    public ResourceRequirements? Resources { get; init; }
    public IReadOnlyList<EnvVar>? EnvVars { get; init; }
    public IReadOnlyList<SecretEnvVar>? SecretEnvVars { get; init; }

    // The rest of the pod, as in core/v1. What nests deeply stays JSON: PodValidation knows what may be in it.

    public IReadOnlyList<string>? Command { get; init; }
    public IReadOnlyList<string>? Args { get; init; }
    public JsonElement? EnvFrom { get; init; }

    /// <summary>Always, IfNotPresent or Never.</summary>
    public string? ImagePullPolicy { get; init; }

    /// <summary>Null: the one that the servers of a namespace share.</summary>
    public string? ServiceAccountName { get; init; }
    public int? TerminationGracePeriodSeconds { get; init; }

    /// <summary>Of the server's container: startup, liveness and readiness.</summary>
    public JsonElement? Probes { get; init; }

    /// <summary>A fragment of a PodTemplateSpec, merged into the one that the operator makes (<see cref="PodFragment"/>).</summary>
    public JsonElement? PodTemplate { get; init; }

    public IReadOnlyList<ToolConfig>? Tools { get; init; }
    public IReadOnlyList<InventoryItem>? Prompts { get; init; }
    public IReadOnlyList<InventoryItem>? McpResources { get; init; }
    public IReadOnlyList<InventoryItem>? Tasks { get; init; }

    public AuthConfig? Auth { get; init; }
    public PolicyConfig? Policy { get; init; }
    public SessionConfig? Session { get; init; }
    public GatewayConfig? Gateway { get; init; }
    public AnalyticsConfig? Analytics { get; init; }
    public RolloutConfig? Rollout { get; init; }

    /// <summary>No pods on either track; all else stays. <see cref="Replicas"/> says how many there are afterwards.</summary>
    public bool? Suspend { get; init; }

    /// <summary>What has to answer before it is ready: the port (tcp, also where it is unset), or the MCP server behind it (mcp).</summary>
    public string? Readiness { get; init; }

    /// <summary>Whether the pods are replaced when a ConfigMap or Secret changes that they refer to.</summary>
    public bool? RestartOnChange { get; init; }

    /// <summary>Null for none.</summary>
    public DisruptionBudgetConfig? DisruptionBudget { get; init; }

    /// <summary>Null for none: then the cluster's own rules alone say who reaches it.</summary>
    public NetworkConfig? Network { get; init; }

    // Methods, as properties would be part of the JSON. To be asked of the spec in effect, in which modes are trimmed.

    public bool HasGateway() => Gateway is { Enabled: true };

    public bool UsesMtls() => HasGateway() && Auth is { Mode: AuthConfig.Mtls };

    public bool HasIngress() => !UsesMtls() && Route is (null or RouteKinds.Ingress);

    /// <summary>Traefik's, in place of an Ingress.</summary>
    public bool HasIngressRoute() => UsesMtls() && Route is (null or RouteKinds.Ingress);

    public bool HasHttpRoute() => Route is RouteKinds.HttpRoute;

    public bool IsSuspended() => Suspend is true;

    public bool HasMcpReadiness() => Readiness == ServerValidation.Mcp;

    public bool HasCanary() => Rollout is { Strategy: RolloutConfig.Canary };

    /// <summary>
    /// Pods of the canary track. One pod of the server at least is on the stable track, so that a server that is scaled down has a
    /// smaller canary, or none.
    /// </summary>
    public int CanaryReplicas() => HasCanary() ? Math.Clamp(Rollout!.CanaryReplicas ?? 0, 0, Math.Max(0, AllReplicas() - 1)) : 0;

    public int StableReplicas() => AllReplicas() - CanaryReplicas();

    private int AllReplicas() => IsSuspended() ? 0 : Replicas ?? Defaults.Replicas;
}

internal sealed record ResourceRequirements
{
    public ResourceList? Requests { get; init; }
    public ResourceList? Limits { get; init; }
}

/// <summary>Quantities in Kubernetes' notation: <c>500m</c>, <c>256Mi</c>.</summary>
internal sealed record ResourceList
{
    public string? Cpu { get; init; }
    public string? Memory { get; init; }
}

internal sealed record EnvVar
{
    public string? Name { get; init; }
    public string? Value { get; init; }
}

internal sealed record SecretEnvVar
{
    public string? Name { get; init; }
    public SecretKeyRef? SecretKeyRef { get; init; }
}

/// <summary>Points to one key of a Secret in the server's namespace. The operator never reads it.</summary>
internal sealed record SecretKeyRef
{
    public string? Name { get; init; }
    public string? Key { get; init; }
}

internal sealed record ToolConfig
{
    public string? Name { get; init; }
    public string? Description { get; init; }
    public string? RequiredTrust { get; init; }
    public string? SideEffect { get; init; }
    public string? RiskLevel { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>A prompt, resource or task that the server offers; for inventories only.</summary>
internal sealed record InventoryItem
{
    public string? Name { get; init; }
    public string? Description { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

internal sealed record AuthConfig
{
    public const string OAuth = "oauth";
    public const string Mtls = "mtls";

    public string? Mode { get; init; }
    public string? HumanIDHeader { get; init; }
    public string? AgentIDHeader { get; init; }
    public string? TeamIDHeader { get; init; }
    public string? SessionIDHeader { get; init; }
    public string? TokenHeader { get; init; }
    public string? IssuerURL { get; init; }
    public string? Audience { get; init; }
    public string? TrustDomain { get; init; }
}

internal sealed record PolicyConfig
{
    public string? Mode { get; init; }
    public string? DefaultDecision { get; init; }
    public string? EnforceOn { get; init; }
    public string? PolicyVersion { get; init; }
}

internal sealed record SessionConfig
{
    public bool? Required { get; init; }
    public string? Store { get; init; }
    public string? HeaderName { get; init; }

    /// <summary>A Go duration: <c>24h</c>, <c>1h30m</c>.</summary>
    public string? MaxLifetime { get; init; }

    /// <summary>A Go duration.</summary>
    public string? IdleTimeout { get; init; }
    public string? UpstreamTokenHeader { get; init; }
}

internal sealed record GatewayConfig
{
    public bool? Enabled { get; init; }
    public string? Image { get; init; }
    public int? Port { get; init; }
    public string? UpstreamURL { get; init; }
    public string? StripPrefix { get; init; }
    public ResourceRequirements? Resources { get; init; }
}

internal sealed record AnalyticsConfig
{
    public bool? Disabled { get; init; }
    public string? IngestURL { get; init; }
    public string? Source { get; init; }
    public string? EventType { get; init; }
    public SecretKeyRef? ApiKeySecretRef { get; init; }
}

internal sealed record RolloutConfig
{
    public const string Recreate = "Recreate";
    public const string Canary = "Canary";

    /// <summary>RollingUpdate, Recreate or Canary.</summary>
    public string? Strategy { get; init; }

    /// <summary>A number of pods or a percentage, as a string: <c>1</c>, <c>25%</c>.</summary>
    public string? MaxUnavailable { get; init; }

    /// <summary>A number of pods or a percentage, as a string: <c>1</c>, <c>25%</c>.</summary>
    public string? MaxSurge { get; init; }
    public int? CanaryReplicas { get; init; }

    /// <summary>Null: the server's own.</summary>
    public string? CanaryImage { get; init; }
}
