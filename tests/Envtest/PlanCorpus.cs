using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// Servers as people write them, each field of the spec in one of them at least, with grants and sessions: what <c>render</c> and
/// <c>diff</c> are held against the operator by.
/// </summary>
internal static class PlanCorpus
{
    /// <summary>Of the operator, and of the commands.</summary>
    public static readonly IReadOnlyDictionary<string, string?> Environment = new Dictionary<string, string?>(ServerScenario.Permissive)
    {
        ["PROVISIONED_REGISTRY_URL"] = "registry.example.org",
        ["PROVISIONED_REGISTRY_USERNAME"] = "puller",
        ["PROVISIONED_REGISTRY_PASSWORD"] = Password,
        ["MCP_GATEWAY_PROXY_IMAGE"] = "example.org/gateway:1",
        ["MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://otel.example.org:4318",
        ["MCP_SENTINEL_INGEST_URL"] = "http://ingest.example.org/events",
        ["MCP_DEFAULT_INGRESS_HOST"] = "default.example.org",
        ["MCP_DEFAULT_INGRESS_TLS"] = "true",
        ["MCP_CLUSTER_NAME"] = "test",
    };

    public const string Password = "p\"a\\s's<w>ö&d $x";

    /// <summary>The same for a command.</summary>
    public static IReadOnlyList<string> Arguments { get; } = [.. Environment.SelectMany(variable => new[] { "--set-env", $"{variable.Key}={variable.Value}" })];

    private const string Gateway = "gateway: {enabled: true}";

    private static readonly string[] Specs =
    [
        "{image: 'a:1'}",
        "{image: a}",
        "{image: a, imageTag: '2'}",
        "{image: 'a:1', teamID: red, description: 'Reads, and writes.'}",
        "{image: 'a@sha256:0123456789012345678901234567890123456789012345678901234567890123', imageTag: '2'}",
        "{image: 'ghcr.io/acme/a:1', registryOverride: mirror.example.org}",
        "{image: 'ghcr.io/acme/a', useProvisionedRegistry: true}",
        "{image: 'localhost/a:1', useProvisionedRegistry: true, registryOverride: mirror.example.org}",
        "{image: 'a:1', imagePullSecrets: [mine, ' other ', mine]}",
        "{image: 'a:1', imagePullSecrets: [' ']}",
        "{image: 'a:1', imagePullSecrets: []}",
        "{image: 'a:1', replicas: 0}",
        "{image: 'a:1', replicas: 3}",
        "{image: 'a:1', port: 9000}",
        "{image: 'a:1', servicePort: 8080}",
        "{image: 'a:1', port: 80, servicePort: 80}",
        "{image: 'a:1', ingressHost: a.example.org}",
        "{image: 'a:1', ingressHost: '*.example.org', ingressPath: /x}",
        "{image: 'a:1', ingressPath: /own/path}",
        "{image: 'a:1', ingressPath: no-slash}",
        "{image: 'a:1', publicPathPrefix: team}",
        "{image: 'a:1', publicPathPrefix: /in/two/}",
        "{image: 'a:1', ingressHost: b.example.org, publicPathPrefix: team, ingressPath: /ignored}",
        "{image: 'a:1', ingressClass: traefik}",
        "{image: 'a:1', ingressClass: nginx}",
        "{image: 'a:1', ingressClass: istio}",
        "{image: 'a:1', ingressClass: other}",
        "{image: 'a:1', ingressPath: /v1.0/mcp, ingressPathType: Exact}",
        "{image: 'a:1', ingressClass: nginx, ingressAnnotations: {nginx.ingress.kubernetes.io/ssl-redirect: 'true', example.org/x: \"a: b\\n\"} }",
        "{image: 'a:1', ingressAnnotations: {traefik.ingress.kubernetes.io/router.tls: 'false', kubernetes.io/ingress.class: traefik} }",
        "{image: 'a:1', resources: {requests: {cpu: 10m, memory: 1Gi} } }",
        "{image: 'a:1', resources: {limits: {cpu: '2', memory: 2Gi} } }",
        "{image: 'a:1', resources: {requests: {cpu: 100m}, limits: {memory: 128Mi} } }",
        "{image: 'a:1', resources: {} }",
        "{image: 'a:1', envVars: [{name: A, value: '1'}, {name: B, value: \"two\\nlines\"}, {name: BLANK, value: ' '}, {name: NONE}]}",
        "{image: 'a:1', envVars: [{name: A, value: $(B)}], secretEnvVars: [{name: B, secretKeyRef: {name: s, key: k} }]}",
        "{image: 'a:1', secretEnvVars: [{name: A, secretKeyRef: {name: s, key: one} }, {name: B, secretKeyRef: {name: s, key: two} }]}",
        "{image: 'a:1', tools: [{name: t, description: d, requiredTrust: high, sideEffect: write, riskLevel: low, labels: {a: b} }, {name: u, sideEffect: read}]}",
        "{image: 'a:1', prompts: [{name: p, description: d, labels: {a: b} }], mcpResources: [{name: r, description: d, labels: {a: b} }], tasks: [{name: t, description: d, labels: {a: b} }]}",
        "{image: 'a:1', rollout: {strategy: RollingUpdate, maxUnavailable: '0', maxSurge: '1'} }",
        "{image: 'a:1', rollout: {strategy: RollingUpdate, maxUnavailable: 10%, maxSurge: 50%} }",
        "{image: 'a:1', rollout: {strategy: Recreate} }",
        "{image: 'a:1', replicas: 4, rollout: {strategy: Canary, canaryReplicas: 1, canaryImage: 'a:2'} }",
        "{image: 'a:1', replicas: 5, rollout: {strategy: Canary, canaryReplicas: 4} }",
        "{image: 'a:1', replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1}, " + Gateway + "}",
        "{image: 'a:1', " + Gateway + "}",
        "{image: 'a:1', gateway: {enabled: false, image: 'g:1'} }",
        "{image: 'a:1', gateway: {enabled: true, image: 'g:2', port: 9999, upstreamURL: 'http://127.0.0.1:8088/base', stripPrefix: /base, resources: {requests: {cpu: 5m, memory: 16Mi}, limits: {cpu: '1', memory: 64Mi} } } }",
        "{image: 'a:1', " + Gateway + ", teamID: red, tools: [{name: t, requiredTrust: medium, sideEffect: destructive, labels: {a: \"<&>\"} }]}",
        "{image: 'a:1', " + Gateway + ", auth: {mode: header, humanIDHeader: X-H, agentIDHeader: X-A, teamIDHeader: X-T, sessionIDHeader: X-S, tokenHeader: X-K} }",
        "{image: 'a:1', ingressHost: c.example.org, " + Gateway + ", auth: {mode: oauth, issuerURL: 'https://id.example.org', audience: aud, trustDomain: example.org} }",
        "{image: 'a:1', ingressPath: /oauth, " + Gateway + ", auth: {mode: oauth, issuerURL: 'https://id.example.org'} }",
        "{image: 'a:1', " + Gateway + ", policy: {mode: allow-list, defaultDecision: deny, enforceOn: call_tool, policyVersion: v7} }",
        "{image: 'a:1', " + Gateway + ", policy: {mode: observe, defaultDecision: allow} }",
        "{image: 'a:1', " + Gateway + ", session: {required: true, store: kubernetes, headerName: X-Session, maxLifetime: 8h, idleTimeout: 1h30m, upstreamTokenHeader: X-Token} }",
        "{image: 'a:1', " + Gateway + ", analytics: {disabled: false, ingestURL: 'http://elsewhere.example.org', source: s, eventType: e, apiKeySecretRef: {name: s, key: k} } }",
        "{image: 'a:1', " + Gateway + ", analytics: {} }",
        "{image: 'a:1', analytics: {disabled: true} }",
    ];

    /// <summary>Of routes that others have.</summary>
    private static readonly string[] Withheld =
    [
        "{image: 'a:1', ingressHost: a.example.org, publicPathPrefix: s16}",
        "{image: 'a:1', ingressPath: /own/path/, ingressHost: default.example.org}",
        "{image: 'a:1', " + Gateway + ", publicPathPrefix: team}",
    ];

    private static readonly string[] Members =
    [
        "kind: MCPAccessGrant\nmetadata: {name: all}\nspec: {serverRef: {name: s44}, subject: {humanID: h, agentID: a, teamID: t}, maxTrust: high, allowedSideEffects: [read, write], policyVersion: v2, toolRules: [{name: t, decision: deny, requiredTrust: high}]}",
        "kind: MCPAccessGrant\nmetadata: {name: disabled}\nspec: {serverRef: {name: s44}, subject: {}, disabled: true}",
        "kind: MCPAccessGrant\nmetadata: {name: of-another}\nspec: {serverRef: {name: s47}, subject: {humanID: h} }",
        "kind: MCPAccessGrant\nmetadata: {name: of-nobody}\nspec: {serverRef: {name: nobody}, subject: {humanID: h} }",
        "kind: MCPAgentSession\nmetadata: {name: session}\nspec: {serverRef: {name: s44}, subject: {humanID: h}, consentedTrust: medium, expiresAt: '2036-12-31T18:00:00Z', policyVersion: v1, upstreamTokenSecretRef: {name: s, key: k} }",
        "kind: MCPAgentSession\nmetadata: {name: expired}\nspec: {serverRef: {name: s44}, subject: {agentID: a}, expiresAt: '2020-01-01T00:00:00Z'}",
        "kind: MCPAgentSession\nmetadata: {name: revoked}\nspec: {serverRef: {name: s47}, subject: {agentID: a}, revoked: true}",
    ];

    /// <summary>Each without a namespace. Those that come after a null are created when those before are served.</summary>
    public static IReadOnlyList<string?> Documents { get; } =
    [
        .. Specs.Select((spec, i) => Server($"s{i}", spec)),
        .. Directory.EnumerateFiles(Repository.PathTo("config", "samples"), "mcp*.yaml").Order(StringComparer.Ordinal).Select(File.ReadAllText),
        .. Members.Select(member => $"apiVersion: mcpruntime.org/v1alpha1\n{member}\n"),
        null,
        .. Withheld.Select((spec, i) => Server($"w{i}", spec)),
    ];

    public static IReadOnlyList<string> Servers { get; } = [.. Documents.OfType<string>().Where(text => text.Contains("kind: MCPServer", StringComparison.Ordinal))];

    /// <summary>The fields of the spec that no server has: paths as in <c>spec.tools[].name</c>.</summary>
    public static IReadOnlyList<string> MissingFields()
    {
        var crd = Manifest.LoadDirectory(Repository.PathTo("config", "crd")).Single(crd => (string?)crd["spec"]!["names"]!["kind"] == "MCPServer");
        var known = FieldsOf("spec", crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!.AsObject());
        var seen = Servers.SelectMany(text => Seen("spec", Manifest.Parse(text)["spec"])).ToHashSet();
        return [.. known.Where(path => !seen.Contains(path))];
    }

    private static string Server(string name, string spec) => $"apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: {name}\nspec: {spec}\n";

    private static IEnumerable<string> FieldsOf(string path, JsonObject schema) =>
        schema["properties"] is JsonObject fields ? fields.SelectMany(field => FieldsOf($"{path}.{field.Key}", field.Value!.AsObject()).Prepend($"{path}.{field.Key}"))
        : schema["items"] is JsonObject items ? FieldsOf(path + "[]", items)
        : [];

    private static IEnumerable<string> Seen(string path, JsonNode? value) => value switch
    {
        JsonObject members => members.SelectMany(member => Seen($"{path}.{member.Key}", member.Value)).Prepend(path),
        JsonArray items => items.SelectMany(item => Seen(path + "[]", item)).Prepend(path),
        _ => [path],
    };
}
