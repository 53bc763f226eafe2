using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// The objects of a server with mTLS: clients show Traefik a certificate of the trust domain, which tells the gateways whose it is; and Traefik shows them one, by which they
/// know it. Servers are with their defaults, and valid. Durations are as cert-manager stores them: else they would be written again after each restart.
/// </summary>
/// <remarks>
/// No Secret is read: cert-manager writes <c>ca.crt</c> beside the gateways' certificate, and Traefik takes the CA from there.
/// </remarks>
internal static class MtlsObjects
{
    private const string Duration = "24h0m0s";
    private const string RenewBefore = "8h0m0s";

    /// <summary>The label that the Go operator's have as well.</summary>
    private const string ServerLabel = "mcpruntime.org/server";

    /// <summary>The plugin of Traefik that reads the caller's identity out of its certificate.</summary>
    private const string Plugin = "spiffe-identity";

    public static Dictionary<string, string> LabelsOf(string server) => new(Labels.Of(server)) { [ServerLabel] = server };

    /// <summary>For names within the cluster only: whoever trusts this issuer must not take it for a host that a tenant chose.</summary>
    public static JsonObject GatewayCertificate(MCPServer server, OperatorSettings settings)
    {
        var (name, ns) = (server.Metadata.Name, server.Metadata.Namespace);
        return Certificate(name + ObjectNames.GatewayCertificateSuffix, "server auth", "dnsNames", [name, $"{name}.{ns}", $"{name}.{ns}.svc", HostOf(server)], settings);
    }

    public static JsonObject IngressCertificate(MCPServer server, OperatorSettings settings) =>
        Certificate(server.Metadata.Name + ObjectNames.IngressCertificateSuffix, "client auth", "uris", [Spiffe.IngressOf(server)], settings);

    public static JsonObject TlsOption(MCPServer server) => new()
    {
        ["minVersion"] = "VersionTLS12",
        ["clientAuth"] = new JsonObject
        {
            ["secretNames"] = new JsonArray(server.Metadata.Name + ObjectNames.GatewayCertificateSuffix),
            ["clientAuthType"] = "RequireAndVerifyClientCert",
        },
    };

    public static JsonObject ServersTransport(MCPServer server) => new()
    {
        ["serverName"] = HostOf(server),
        ["certificatesSecrets"] = new JsonArray(server.Metadata.Name + ObjectNames.IngressCertificateSuffix),
        ["rootCAsSecrets"] = new JsonArray(server.Metadata.Name + ObjectNames.GatewayCertificateSuffix),
    };

    public static JsonObject Middleware(MCPServer server) => new()
    {
        ["plugin"] = new JsonObject
        {
            [Plugin] = new JsonObject { ["verifiedHeader"] = GatewayContainer.VerifiedHeader, ["trustDomain"] = server.Spec.Auth!.TrustDomain },
        },
    };

    public static JsonObject IngressRoute(MCPServer server, OperatorSettings settings)
    {
        var (name, spec) = (server.Metadata.Name, server.Spec);
        var tls = new JsonObject { ["options"] = new JsonObject { ["name"] = name + ObjectNames.TlsOptionSuffix } };
        if (TlsConfig.Of(spec)?.SecretName is { } secret)
            tls["secretName"] = secret;
        return new JsonObject
        {
            ["entryPoints"] = new JsonArray([.. EntryPoints(settings).Select(static point => JsonValue.Create(point))]),
            ["routes"] = new JsonArray(new JsonObject
            {
                ["kind"] = "Rule",
                ["match"] = RuleOf(Routing.Resolve(name, spec), isExact: spec.IngressPathType is "Exact"),
                ["middlewares"] = new JsonArray(new JsonObject { ["name"] = name + ObjectNames.IdentityMiddlewareSuffix }),
                ["services"] = new JsonArray(new JsonObject
                {
                    ["name"] = name,
                    ["port"] = spec.ServicePort ?? Defaults.ServicePort,
                    ["scheme"] = "https",
                    ["serversTransport"] = name + ObjectNames.ServersTransportSuffix,
                }),
            }),
            ["tls"] = tls,
        };
    }

    /// <summary>
    /// Only Traefik reaches the gateways, whoever collects metrics these, and with readiness mcp the operator the server; where <c>spec.network</c> says who gets in, that alone says it of the metrics.
    /// </summary>
    public static JsonObject NetworkPolicy(MCPServer server, OperatorSettings settings)
    {
        var labels = new JsonObject();
        foreach (var (label, value) in settings.IngressControllerPodLabels)
            labels[label] = value;
        var rules = new JsonArray(new JsonObject
        {
            ["from"] = new JsonArray(new JsonObject
            {
                ["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = settings.IngressControllerNamespace } },
                ["podSelector"] = new JsonObject { ["matchLabels"] = labels },
            }),
            ["ports"] = Port(GatewayContainer.PortName),
        });
        if (server.Spec.Network?.IngressFrom is null)
            rules.Add((JsonNode)new JsonObject { ["ports"] = Port(GatewayContainer.MetricsPortName) });
        if (NetworkPolicyKind.RuleForOperator(server.Spec, settings.OperatorNamespace) is { } rule)
            rules.Add((JsonNode)rule);
        return new JsonObject { ["podSelector"] = Labels.SelectorOf(server.Metadata.Name), ["policyTypes"] = new JsonArray("Ingress"), ["ingress"] = rules };

        static JsonArray Port(string name) => new(new JsonObject { ["port"] = name, ["protocol"] = "TCP" });
    }

    /// <summary>As an Ingress matches: by whole segments. Validation keeps what would end the quotes out of both.</summary>
    private static string RuleOf(Route route, bool isExact)
    {
        var path = route.Path.TrimEnd('/');
        return (path, isExact) switch
        {
            (_, true) => $"Host(`{route.Host}`) && Path(`{route.Path}`)",
            ("", _) => $"Host(`{route.Host}`) && PathPrefix(`/`)",
            _ => $"Host(`{route.Host}`) && (Path(`{path}`) || PathPrefix(`{path}/`))",
        };
    }

    /// <summary>The entry point for plain HTTP answers nobody who speaks TLS.</summary>
    private static string[] EntryPoints(OperatorSettings settings) => settings.DefaultIngressEntryPoints == OperatorSettings.PlainEntryPoint
        ? [OperatorSettings.TlsEntryPoint]
        : settings.DefaultIngressEntryPoints.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string HostOf(MCPServer server) => $"{server.Metadata.Name}.{server.Metadata.Namespace}.svc.cluster.local";

    private static JsonObject Certificate(string secret, string usage, string kind, string[] names, OperatorSettings settings) => new()
    {
        ["secretName"] = secret,
        ["duration"] = Duration,
        ["renewBefore"] = RenewBefore,
        [kind] = new JsonArray([.. names.Select(static name => JsonValue.Create(name))]),
        ["usages"] = new JsonArray("digital signature", "key encipherment", usage),
        ["issuerRef"] = new JsonObject
        {
            ["group"] = ResourceTypes.Certificate.Group,
            ["kind"] = TlsConfig.ClusterIssuer,
            ["name"] = settings.MtlsClusterIssuer,
        },
    };
}
