namespace McpOperator.Api;

/// <summary>
/// What the person who installed the operator decided for all servers; read from the environment once, at start.
/// </summary>
internal sealed record OperatorSettings
{
    /// <summary>Host of servers that name neither host nor path prefix. Null: their Ingress has no host.</summary>
    public string? DefaultIngressHost { get; init; }

    public string DefaultIngressClass { get; init; } = "traefik";

    /// <summary>Traefik's entry points annotation.</summary>
    public string DefaultIngressEntryPoints { get; init; } = "web";

    /// <summary>Traefik's router.tls annotation; also makes reported URLs https.</summary>
    public bool DefaultIngressTls { get; init; }

    /// <summary>True: an Ingress is ready once it exists with a rule. False: once it has a load balancer.</summary>
    public bool PermissiveIngressReadiness { get; init; }

    public ProvisionedRegistry ProvisionedRegistry { get; init; } = new();

    /// <summary>Registry of servers that use the provisioned one while its URL is not set.</summary>
    public string RegistryPullHost { get; init; } = "registry.registry.svc.cluster.local:5000";

    /// <summary>How soon a server that is not ready is reconciled again.</summary>
    public TimeSpan RequeueDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For so long pods may be on their way before their server's progress is told in between, and diagnosed.</summary>
    public TimeSpan DiagnoseAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How soon a server is looked at again of whose objects no watch tells; each look is a write.</summary>
    public TimeSpan UnwatchedDelay => RequeueDelay * 30;

    /// <summary>Image of gateways whose spec names none.</summary>
    public string? GatewayImage { get; init; }

    /// <summary>OTLP endpoint handed to gateways.</summary>
    public string? GatewayOtlpEndpoint { get; init; }

    public string? AnalyticsIngestUrl { get; init; }

    public string ClusterName { get; init; } = "local";

    /// <summary>Of the servers' pods; that of distroless images. Null: the cluster says which, as OpenShift does for each namespace.</summary>
    public long? RunAsUser { get; init; } = 65532;

    /// <summary>Whether defaults that depend on the object are written into its spec.</summary>
    public bool PersistDefaults { get; init; } = true;
}

/// <summary>The platform's own registry. Its password never leaves the pull secret.</summary>
internal sealed record ProvisionedRegistry
{
    public string? Url { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
    public string SecretName { get; init; } = "mcp-runtime-registry-pull";

    /// <summary>True when the operator can make a pull secret.</summary>
    public bool HasCredentials => Url is not null && Username is not null && Password is not null;

    /// <summary>Without the password: a record's own text would show it.</summary>
    public override string ToString() => $"{nameof(ProvisionedRegistry)} {Url}";
}
