using System.Net;
using McpOperator.Api;

namespace McpOperator.Hosting;

/// <summary>Reads the settings from the environment, under the names that installations of the Go operator use.</summary>
internal static class SettingsReader
{
    private const string DnsName = "a DNS name in lower case";

    private static readonly OperatorSettings Defaults = new();

    public static IReadOnlyList<SettingsVariable> Variables { get; } =
    [
        new(["MCP_DEFAULT_INGRESS_HOST", "DEFAULT_INGRESS_HOST"], null,
            "Host of servers whose spec gives neither host nor path prefix.",
            (s, v) => Names.IsDns1123Subdomain(v) && !IPAddress.TryParse(v, out _) ? s with { DefaultIngressHost = v } : null)
            { Rule = DnsName + ", and no address" },
        new(["DEFAULT_INGRESS_CLASS"], Defaults.DefaultIngressClass, "Ingress class of servers that name none.",
            (s, v) => Names.IsDns1123Subdomain(v) ? s with { DefaultIngressClass = v } : null) { Rule = DnsName },
        new(["MCP_DEFAULT_INGRESS_ENTRYPOINTS"], Defaults.DefaultIngressEntryPoints,
            "Traefik's entry points annotation.", (s, v) => s with { DefaultIngressEntryPoints = v }),
        new(["MCP_DEFAULT_INGRESS_TLS"], "false", "Traefik's router.tls annotation; reported URLs become https.",
            (s, v) => Values.Boolean(v) is { } on ? s with { DefaultIngressTls = on } : null)
            { Rule = "true or false" },
        new(["MCP_DEFAULT_GATEWAY"], null, "Gateway (namespace/name) of HTTPRoutes whose spec names none.",
            (s, v) => Gateway(v) is { } gateway ? s with { DefaultGateway = gateway } : null) { Rule = "the namespace and the name of a Gateway, as in edge/shared" },
        new(["MCP_MTLS_CLUSTER_ISSUER"], null, "ClusterIssuer of cert-manager for servers with auth.mode mtls, which are refused without it.",
            (s, v) => Names.IsDns1123Subdomain(v) ? s with { MtlsClusterIssuer = v } : null) { Rule = DnsName },
        new(["MCP_INGRESS_CONTROLLER_NAMESPACE"], Defaults.IngressControllerNamespace, "Namespace of Traefik's pods, which alone reach the gateways of servers with auth.mode mtls.",
            (s, v) => Names.IsDns1123Label(v) ? s with { IngressControllerNamespace = v } : null) { Rule = "the name of a namespace" },
        new(["MCP_INGRESS_CONTROLLER_POD_LABELS"], "app=traefik", "Labels of those pods.",
            (s, v) => Values.Labels(v) is { } labels ? s with { IngressControllerPodLabels = labels } : null) { Rule = "labels and their values, as in app=traefik,tier=edge" },
        new(["MCP_INGRESS_READINESS_MODE"], "strict",
            "strict: an Ingress is ready once it has a load balancer; permissive: once it exists with a rule.",
            (s, v) => v.ToLowerInvariant() switch
            {
                "strict" => s with { PermissiveIngressReadiness = false },
                "permissive" => s with { PermissiveIngressReadiness = true },
                _ => null,
            }) { Rule = "strict or permissive" },
        new(["PROVISIONED_REGISTRY_URL"], null, "The platform's registry.",
            (s, v) => ImageValidation.IsRegistry(v) ? s with { ProvisionedRegistry = s.ProvisionedRegistry with { Url = v } } : null)
            // It becomes part of the image in every status, so that it must hold no password.
            { Rule = "a registry without user and password", Secret = true },
        new(["PROVISIONED_REGISTRY_USERNAME"], null, "Its user, for the pull secret.",
            (s, v) => s with { ProvisionedRegistry = s.ProvisionedRegistry with { Username = v } }),
        new(["PROVISIONED_REGISTRY_PASSWORD"], null, "Its password, for the pull secret; never logged.",
            (s, v) => s with { ProvisionedRegistry = s.ProvisionedRegistry with { Password = v } }) { Secret = true },
        new(["PROVISIONED_REGISTRY_SECRET_NAME"], Defaults.ProvisionedRegistry.SecretName,
            "Name of the pull secret that the operator keeps in the servers' namespaces.",
            (s, v) => Names.IsDns1123Subdomain(v)
                ? s with { ProvisionedRegistry = s.ProvisionedRegistry with { SecretName = v } }
                : null) { Rule = DnsName },
        new(["MCP_REGISTRY_PULL_HOST", "MCP_REGISTRY_ENDPOINT"], Defaults.RegistryPullHost,
            "Registry of servers with useProvisionedRegistry while no URL is set.",
            (s, v) => ImageValidation.IsRegistry(v) ? s with { RegistryPullHost = v } : null)
            { Rule = "a registry, such as registry.example.com:5000" },
        // A day is more than anyone waits for, and timers overflow at 49.
        new(["REQUEUE_DELAY_SECONDS"], "10", "Seconds until a server that is not ready is looked at again.",
            (s, v) => Values.WholeNumber(v, max: 86400) is { } n
                ? s with { RequeueDelay = TimeSpan.FromSeconds(n) }
                : null) { Rule = "a whole number from 1 to 86400" },
        new(["MCP_DIAGNOSE_AFTER"], "10s", "For how long pods may be on their way before it is found out, and told, why they are not ready.",
            (s, v) => Values.Duration(v) is { } d ? s with { DiagnoseAfter = d } : null) { Rule = Values.DurationRule },
        new(["MCP_GATEWAY_PROXY_IMAGE"], null, "Gateway image of servers whose spec names none.",
            (s, v) => ImageValidation.IsImage(v) ? s with { GatewayImage = v } : null) { Rule = "an image reference" },
        new(["MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT"], null, "OTLP endpoint handed to gateways.",
            (s, v) => s with { GatewayOtlpEndpoint = v }),
        new(["MCP_SENTINEL_INGEST_URL", "MCP_ANALYTICS_INGEST_URL"], null,
            "Where gateways send analytics when the spec does not say.",
            (s, v) => FieldValidation.IsHttpUrl(v) ? s with { AnalyticsIngestUrl = v } : null)
            { Rule = "a URL that starts with http:// or https://", Secret = true },
        new(["MCP_CLUSTER_NAME"], Defaults.ClusterName, "Cluster label in policy and gateway.",
            (s, v) => s with { ClusterName = v }),
        new(["MCP_OPERATOR_NAMESPACE"], null, "The operator's own namespace, which NetworkPolicies of servers with readiness mcp let in.",
            (s, v) => Names.IsDns1123Label(v) ? s with { OperatorNamespace = v } : null) { Rule = "the name of a namespace" },
        new(["MCP_POD_SECURITY"], "restricted", "The same as --pod-security, which comes before it; for render, validate and diff, too.",
            (s, v) => Values.PodSecurity(v) is { } level ? s with { PodSecurity = level } : null) { Rule = Values.PodSecurityRule },
        new(["MCP_RUN_AS_USER"], "65532", "User (uid) of the servers' pods. Set, but empty, it is left to the cluster, as OpenShift wants it.",
            (s, v) => Values.WholeNumber(v) is { } user ? s with { RunAsUser = user } : null)
            { Rule = "a whole number from 1 to 2147483647, or empty", WhenBlank = s => s with { RunAsUser = null } },
    ];

    private static ObjectKey? Gateway(string value) =>
        value.Split('/') is [var ns, var name] && Names.IsDns1123Label(ns) && Names.IsDns1123Subdomain(name) ? new ObjectKey(ns, name) : null;

    /// <summary>
    /// Values are trimmed, and a blank one counts as unset, unless it has a meaning of its own. For a value that cannot be read the default is used, and the caller
    /// gets a warning to log.
    /// </summary>
    public static (OperatorSettings Settings, IReadOnlyList<SettingsWarning> Warnings) Read(
        Func<string, string?> environment)
    {
        var settings = Defaults;
        var warnings = new List<SettingsWarning>();
        foreach (var variable in Variables)
        {
            foreach (var name in variable.Names)
            {
                var value = environment(name)?.Trim();
                if (value is "" && variable.WhenBlank is { } blank)
                    settings = blank(settings);
                if (string.IsNullOrEmpty(value))
                    continue;
                if (variable.Apply(settings, value) is { } changed)
                {
                    settings = changed;
                }
                else
                {
                    warnings.Add(new SettingsWarning(name, variable.Secret ? "withheld" : value, variable.Rule,
                        variable.Default ?? "unset"));
                }
                break;
            }
        }
        return (settings, warnings);
    }
}
