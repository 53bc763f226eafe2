namespace McpOperator.Api;

/// <summary>
/// What the person who installed the operator decided for all servers; read from the environment once, at start.
/// </summary>
internal sealed record OperatorSettings
{
    /// <summary>Traefik's usual name of the entry point for plain HTTP.</summary>
    public const string PlainEntryPoint = "web";

    /// <summary>The same for TLS.</summary>
    public const string TlsEntryPoint = "websecure";

    private static readonly Dictionary<string, string> TraefikLabels = new() { ["app"] = "traefik" };

    /// <summary>Host of servers that name neither host nor path prefix. Null: their Ingress has no host.</summary>
    public string? DefaultIngressHost { get; init; }

    public string DefaultIngressClass { get; init; } = "traefik";

    /// <summary>Traefik's entry points annotation.</summary>
    public string DefaultIngressEntryPoints { get; init; } = PlainEntryPoint;

    /// <summary>Traefik's router.tls annotation; also makes reported URLs https.</summary>
    public bool DefaultIngressTls { get; init; }

    /// <summary>The Gateway of HTTPRoutes that name none; null for none.</summary>
    public ObjectKey? DefaultGateway { get; init; }

    /// <summary>The ClusterIssuer of cert-manager that issues the certificates of servers with mTLS; null for none.</summary>
    public string? MtlsClusterIssuer { get; init; }

    /// <summary>Where Traefik runs.</summary>
    public string IngressControllerNamespace { get; init; } = "traefik";

    /// <summary>By which its pods are told: label and value.</summary>
    public IReadOnlyDictionary<string, string> IngressControllerPodLabels { get; init; } = TraefikLabels;

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

    /// <summary>What the servers' pods may do at most.</summary>
    public PodSecurityStandard PodSecurity { get; init; } = PodSecurityLevel.Restricted;

    /// <summary>Where the operator's own pods run, so that NetworkPolicies of servers can let them in. Null: not known.</summary>
    public string? OperatorNamespace { get; init; }

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
