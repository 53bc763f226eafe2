using System.Globalization;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Pods;

/// <summary>The proxy in front of the server in the same pod, and the volumes with its policy and its certificate.</summary>
internal static class GatewayContainer
{
    public const string PortName = "gateway";
    public const string MetricsPortName = "metrics";

    public const string PolicyVolumeName = PodValidation.PolicyVolume;
    public const string CertificateVolumeName = PodValidation.CertificateVolume;

    /// <summary>Where Traefik tells whose certificate the client showed; the gateway takes it from nobody else.</summary>
    public const string VerifiedHeader = "X-MCP-Verified-SPIFFE-ID";

    private const string CertificateDirectory = "/var/run/mcp-runtime/tls";
    private const string PolicyDirectory = "/var/run/mcp-runtime/policy";

    /// <summary>The variables that depend on spec and settings.</summary>
    public static readonly IReadOnlyList<string> OptionalVariables =
    [
        "EXTERNAL_BASE_URL", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT", "STRIP_PREFIX",
        "ANALYTICS_INGEST_URL", "ANALYTICS_SOURCE", "ANALYTICS_EVENT_TYPE", "ANALYTICS_API_KEY",
        "TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CLIENT_CA_FILE", "TRUSTED_PROXY_SPIFFE_ID", "VERIFIED_SPIFFE_HEADER",
    ];

    /// <param name="server">With the defaults filled in (<see cref="Defaults"/>), valid, and with a gateway.</param>
    public static Container Build(MCPServer server, OperatorSettings settings)
    {
        var gateway = server.Spec.Gateway!;
        var port = gateway.Port ?? Defaults.GatewayPort;
        return new Container
        {
            Name = Defaults.GatewayContainer,
            Image = gateway.Image ?? settings.GatewayImage!,
            ImagePullPolicy = Defaults.ImagePullPolicy,
            Ports =
            [
                new ContainerPort { Name = PortName, Number = port },
                new ContainerPort { Name = MetricsPortName, Number = Defaults.GatewayMetricsPort },
            ],
            Env = Environment(server, gateway, port, settings),
            Resources = ContainerParts.Resources(gateway.Resources),
            VolumeMounts = server.Spec.UsesMtls() ? [PolicyMount, CertificateMount] : [PolicyMount],
            LivenessProbe = ContainerParts.Liveness(port),
            // A kubelet has no certificate to show.
            ReadinessProbe = ContainerParts.Readiness(port, httpPath: server.Spec.UsesMtls() ? null : "/ready"),
            SecurityContext = ContainerParts.SecurityContext with { ReadOnlyRootFilesystem = true },
        };
    }

    public static IReadOnlyList<Volume> Volumes(MCPServer server)
    {
        var name = server.Metadata.Name;
        var policy = new Volume { Name = PolicyVolumeName, ConfigMap = new LocalObjectReference { Name = ObjectNames.Policy(name) } };
        return server.Spec.UsesMtls()
            ? [policy, new Volume { Name = CertificateVolumeName, Secret = new Dictionary<string, string> { ["secretName"] = name + ObjectNames.GatewayCertificateSuffix } }]
            : [policy];
    }

    private static VolumeMount PolicyMount => new() { Name = PolicyVolumeName, MountPath = PolicyDirectory, ReadOnly = true };

    private static VolumeMount CertificateMount => new() { Name = CertificateVolumeName, MountPath = CertificateDirectory, ReadOnly = true };

    /// <summary>Another order would change the pod template, and replace the pods.</summary>
    private static List<Env> Environment(MCPServer server, GatewayConfig gateway, int port, OperatorSettings settings)
    {
        var (name, spec) = (server.Metadata.Name, server.Spec);
        var env = new List<Env>(29);
        Add("PORT", Text(port));
        Add("METRICS_PORT", Text(Defaults.GatewayMetricsPort));
        Add("UPSTREAM_URL", gateway.UpstreamURL);
        Add("POLICY_FILE", $"{PolicyDirectory}/policy.json");
        Add("MCP_SERVER_NAME", name);
        Add("MCP_SERVER_NAMESPACE", server.Metadata.Namespace);
        Add("MCP_CLUSTER_NAME", settings.ClusterName);
        if (Routing.Resolve(name, spec).BaseUrl(Routing.IsTls(spec, settings)) is { } url)
            Add("EXTERNAL_BASE_URL", url);
        if (settings.GatewayOtlpEndpoint is { } endpoint)
        {
            Add("OTEL_SERVICE_NAME", $"{name}-gateway");
            Add("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        }

        Add("POLICY_MODE", spec.Policy?.Mode);
        Add("POLICY_DEFAULT_DECISION", spec.Policy?.DefaultDecision);
        Add("POLICY_VERSION", spec.Policy?.PolicyVersion);
        Add("HUMAN_ID_HEADER", spec.Auth?.HumanIDHeader);
        Add("AGENT_ID_HEADER", spec.Auth?.AgentIDHeader);
        Add("TEAM_ID_HEADER", spec.Auth?.TeamIDHeader);
        Add("SESSION_ID_HEADER", spec.Auth?.SessionIDHeader);
        Add("AUTH_MODE", spec.Auth?.Mode);
        if (spec.UsesMtls())
        {
            Add("TLS_CERT_FILE", $"{CertificateDirectory}/tls.crt");
            Add("TLS_KEY_FILE", $"{CertificateDirectory}/tls.key");
            Add("TLS_CLIENT_CA_FILE", $"{CertificateDirectory}/ca.crt");
            Add("TRUSTED_PROXY_SPIFFE_ID", Spiffe.IngressOf(server));
            Add("VERIFIED_SPIFFE_HEADER", VerifiedHeader);
        }

        if (gateway.StripPrefix is { } prefix)
            Add("STRIP_PREFIX", prefix);
        // A spec without the block reports nothing, wherever the operator would send it: so servers opt out.
        if (spec.Analytics is { Disabled: not true, IngestURL: not null } analytics)
        {
            Add("ANALYTICS_INGEST_URL", analytics.IngestURL);
            Add("ANALYTICS_SOURCE", analytics.Source);
            Add("ANALYTICS_EVENT_TYPE", analytics.EventType);
            if (analytics.ApiKeySecretRef is { } key)
                env.Add(ContainerParts.Variable("ANALYTICS_API_KEY", key));
        }

        return env;

        void Add(string variable, string? value) => env.Add(ContainerParts.Variable(variable, value));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
