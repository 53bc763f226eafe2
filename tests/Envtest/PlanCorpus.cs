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
        "{image: 'a:1', ingressClass: nginx, ingressHost: tls.example.org, tls: {secretName: mine} }",
        "{image: 'a:1', ingressHost: issued.example.org, tls: {issuer: {kind: ClusterIssuer, name: ca} }, gateway: {enabled: true} }",
        "{image: 'a:1', tls: {}, route: None}",
        "{image: 'a:1', route: Ingress, httpRoute: {timeouts: {request: 1h, backendRequest: 30m} } }",
        "{image: 'a:1', route: HTTPRoute, servicePort: 81, httpRoute: {parentRefs: [{name: g}, {name: g, namespace: edge, sectionName: s, port: 443}], hostnames: [h.example.org, '*.i.example.org'], timeouts: {request: 10s, backendRequest: 10s} } }",
        "{image: 'a:1', route: HTTPRoute, ingressHost: gw.example.org, httpRoute: {parentRefs: [{name: g}]}, auth: {mode: oauth, issuerURL: 'https://id.example.org'}, " + Gateway + "}",
        "{image: 'a:1', resources: {requests: {cpu: 10m, memory: 1Gi} } }",
        "{image: 'a:1', resources: {limits: {cpu: '2', memory: 2Gi} } }",
        "{image: 'a:1', resources: {requests: {cpu: 100m}, limits: {memory: 128Mi} } }",
        "{image: 'a:1', resources: {} }",
        "{image: 'a:1', envVars: [{name: A, value: '1'}, {name: B, value: \"two\\nlines\"}, {name: BLANK, value: ' '}, {name: NONE}]}",
        "{image: 'a:1', envVars: [{name: A, value: $(B)}], secretEnvVars: [{name: B, secretKeyRef: {name: s, key: k} }]}",
        "{image: 'a:1', secretEnvVars: [{name: A, secretKeyRef: {name: s, key: one} }, {name: B, secretKeyRef: {name: s, key: two} }]}",
        "{image: 'a:1', replicas: 2, suspend: true}",
        "{image: 'a:1', replicas: 1, disruptionBudget: {minAvailable: 1} }", // not made before Kubernetes 1.21: BudgetTests
        "{image: 'a:1', replicas: 1, disruptionBudget: {maxUnavailable: 50%} }",
        "{image: 'a:1', network: {ingressFrom: [{podSelector: {} }], egressTo: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]} }], ports: [{port: 53, protocol: UDP}, {port: 53}]}]} }",
        "{image: 'a:1', restartOnChange: true}",
        "{image: 'a:1', readiness: mcp}",
        "{image: 'a:1', network: {ingressFrom: [], egressTo: []}, " + Gateway + "}",
        "{image: 'a:1', command: [/bin/a], args: [b], imagePullPolicy: Always, serviceAccountName: mine, terminationGracePeriodSeconds: 5}",
        "{image: 'a:1', envFrom: [{prefix: A_, configMapRef: {name: c, optional: true} }, {secretRef: {name: s, optional: false} }]}",
        "{image: 'a:1', probes: {startup: {httpGet: {path: /x, port: 1, scheme: HTTPS, httpHeaders: [{name: A, value: b}]}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}, liveness: {httpGet: {path: /x, port: 1, scheme: HTTPS, httpHeaders: [{name: A, value: b}]}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}, readiness: {httpGet: {path: /x, port: 1, scheme: HTTPS, httpHeaders: [{name: A, value: b}]}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}} }",
        "{image: 'a:1', probes: {startup: {tcpSocket: {port: http}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}, liveness: {tcpSocket: {port: http}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}, readiness: {tcpSocket: {port: http}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}} }",
        "{image: 'a:1', probes: {startup: {exec: {command: [/bin/true]}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}, liveness: {exec: {command: [/bin/true]}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}, readiness: {exec: {command: [/bin/true]}, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}} }",
        "{image: 'a:1', probes: {startup: {} } }",
        "{image: 'a:1', gateway: {enabled: true}, podTemplate: {metadata: {labels: {a: b}, annotations: {c: d} }, spec: {nodeSelector: {a: b}, volumes: [{name: v, emptyDir: {sizeLimit: 1024Mi} }], containers: [{name: side, image: 's:1', volumeMounts: [{name: v, mountPath: /v}], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]} } }]} } }",
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
        return [.. known.Where(path => !seen.Contains(path) && !IsOfNewerApiServers(path))];
    }

    /// <summary>
    /// Whether a field becomes one that not each API server knows that the tests run on: probes by gRPC (from 1.24), and their own grace
    /// period. PodFragmentTests has those.
    /// </summary>
    public static bool IsOfNewerApiServers(string path) => path.StartsWith("spec.probes.", StringComparison.Ordinal)
        && (path.Contains(".grpc", StringComparison.Ordinal) || path.Contains(".terminationGracePeriodSeconds", StringComparison.Ordinal));

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
