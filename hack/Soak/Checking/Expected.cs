using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>The objects of SPEC sections 3 and 7, with all the fields that the operator may own, and no other.</summary>
/// <param name="wanted">The server.</param>
/// <param name="policyUid">Of a Deployment's pods: the annotation that they have, or are to have, for the sake of their policy.</param>
internal sealed class Expected(Wanted wanted, Func<string, string?> policyUid)
{
    private const string MountPath = "/var/run/mcp-runtime/policy";

    public JsonObject Deployment(bool canary)
    {
        var track = canary ? "canary" : "stable";
        var replicas = canary ? wanted.CanaryReplicas : wanted.Replicas - wanted.CanaryReplicas;
        var pod = new JsonObject
        {
            ["serviceAccountName"] = "mcp-workload",
            ["automountServiceAccountToken"] = false,
            ["securityContext"] = new JsonObject
            {
                ["runAsNonRoot"] = true,
                ["runAsUser"] = 65532,
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["imagePullSecrets"] = PullSecrets is { Count: > 0 } secrets
                ? new JsonArray([.. secrets.Select(secret => new JsonObject { ["name"] = secret })])
                : null,
            ["containers"] = new JsonArray([Container(canary), .. wanted.HasGateway ? [Gateway()] : Array.Empty<JsonNode>()]),
        };
        if (wanted.HasGateway)
            pod["volumes"] = new JsonArray(new JsonObject
            {
                ["name"] = "gateway-policy",
                ["configMap"] = new JsonObject { ["name"] = wanted.PolicyName },
            });
        return new JsonObject
        {
            ["metadata"] = Metadata(canary ? wanted.CanaryName : wanted.Name, ("mcpruntime.org/rollout-track", track)),
            ["spec"] = new JsonObject
            {
                ["replicas"] = replicas,
                ["selector"] = new JsonObject
                {
                    ["matchLabels"] = new JsonObject { ["app"] = wanted.Name, ["mcpruntime.org/rollout-track"] = track },
                },
                ["strategy"] = wanted.Strategy == "Recreate"
                    ? new JsonObject { ["type"] = "Recreate", ["rollingUpdate"] = null }
                    : new JsonObject
                    {
                        ["type"] = "RollingUpdate",
                        ["rollingUpdate"] = new JsonObject
                        {
                            ["maxUnavailable"] = IntOrString(wanted.MaxUnavailable),
                            ["maxSurge"] = IntOrString(wanted.MaxSurge),
                        },
                    },
                ["template"] = new JsonObject
                {
                    ["metadata"] = PodMetadata(canary ? wanted.CanaryName : wanted.Name, track),
                    ["spec"] = pod,
                },
            },
        };
    }

    /// <param name="toGateway">Whether it leads to the gateways.</param>
    public JsonObject Service(bool toGateway)
    {
        static JsonObject Port(string name, int port, int target) =>
            new() { ["name"] = name, ["port"] = port, ["protocol"] = "TCP", ["targetPort"] = target };
        var metadata = Metadata(wanted.Name);
        var ports = new JsonArray(Port("http", wanted.ServicePort, toGateway ? wanted.GatewayPort : wanted.Port));
        if (toGateway)
        {
            metadata["annotations"] = new JsonObject
            {
                ["prometheus.io/scrape"] = "true",
                ["prometheus.io/port"] = "9103",
                ["prometheus.io/path"] = "/metrics",
            };
            ports.Add(Port("metrics", 9103, 9103));
        }
        return new JsonObject
        {
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["type"] = "ClusterIP",
                ["selector"] = new JsonObject { ["app"] = wanted.Name, ["app.kubernetes.io/managed-by"] = "mcp-runtime" },
                ["ports"] = ports,
            },
        };
    }

    public JsonObject Ingress()
    {
        var paths = new List<string> { wanted.Path };
        if (wanted.HasGateway && wanted.AuthMode == "oauth")
            paths.Add(Wanted.MetadataPath + wanted.Path);
        var rule = new JsonObject
        {
            ["http"] = new JsonObject
            {
                ["paths"] = new JsonArray([.. paths.Select(path => new JsonObject
                {
                    ["path"] = path,
                    ["pathType"] = "Prefix",
                    ["backend"] = new JsonObject
                    {
                        ["service"] = new JsonObject
                        {
                            ["name"] = wanted.Name,
                            ["port"] = new JsonObject { ["number"] = wanted.ServicePort },
                        },
                    },
                })]),
            },
            ["host"] = wanted.Host,
        };
        var metadata = Metadata(wanted.Name);
        if (Annotations() is { Count: > 0 } annotations)
            metadata["annotations"] = annotations;
        return new JsonObject
        {
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["ingressClassName"] = wanted.Class, ["rules"] = new JsonArray(rule) },
        };
    }

    /// <param name="policy">Its text; null: any that has a time.</param>
    /// <param name="needsNewPods">Whether it took the place of an immutable one.</param>
    public JsonObject ConfigMap(string? policy, bool needsNewPods)
    {
        var metadata = Metadata(wanted.PolicyName);
        if (needsNewPods)
            metadata["annotations"] = new JsonObject { [PolicyState.NeedsNewPods] = "true" };
        return new()
        {
            ["metadata"] = metadata,
            ["immutable"] = null,
            ["data"] = new JsonObject { ["policy.json"] = policy ?? "(a document with generated_at)" },
        };
    }

    /// <summary>The variables of the gateway by docs/gateway.md.</summary>
    public IReadOnlyList<JsonNode> GatewayEnvironment()
    {
        var spec = wanted.Spec;
        var settings = wanted.Settings;
        var all = new List<JsonNode>();
        void Add(string name, string? value)
        {
            if (value is not null)
                all.Add(new JsonObject { ["name"] = name, ["value"] = value });
        }

        Add("PORT", Text(wanted.GatewayPort));
        Add("METRICS_PORT", "9103");
        Add("UPSTREAM_URL", spec.Text("gateway", "upstreamURL") ?? $"http://127.0.0.1:{Text(wanted.Port)}");
        Add("POLICY_FILE", MountPath + "/policy.json");
        Add("MCP_SERVER_NAME", wanted.Name);
        Add("MCP_SERVER_NAMESPACE", wanted.Namespace);
        Add("MCP_CLUSTER_NAME", settings.Cluster);
        Add("EXTERNAL_BASE_URL", wanted.Host is { } host && !host.StartsWith("*.", StringComparison.Ordinal) ? $"{wanted.Scheme}://{host}" : null);
        Add("OTEL_SERVICE_NAME", settings.Otel is null ? null : $"{wanted.Name}-gateway");
        Add("OTEL_EXPORTER_OTLP_ENDPOINT", settings.Otel);
        Add("POLICY_MODE", spec.Text("policy", "mode") ?? "allow-list");
        Add("POLICY_DEFAULT_DECISION", spec.Text("policy", "defaultDecision") ?? "deny");
        Add("POLICY_VERSION", spec.Text("policy", "policyVersion") ?? "v1");
        Add("HUMAN_ID_HEADER", spec.Text("auth", "humanIDHeader") ?? "X-MCP-Human-ID");
        Add("AGENT_ID_HEADER", spec.Text("auth", "agentIDHeader") ?? "X-MCP-Agent-ID");
        Add("TEAM_ID_HEADER", spec.Text("auth", "teamIDHeader") ?? "X-MCP-Team-ID");
        Add("SESSION_ID_HEADER", spec.Text("auth", "sessionIDHeader") ?? "X-MCP-Agent-Session");
        Add("AUTH_MODE", wanted.AuthMode);
        Add("STRIP_PREFIX", spec.Text("gateway", "stripPrefix"));
        if (!wanted.HasAnalytics)
            return all;
        Add("ANALYTICS_INGEST_URL", wanted.IngestUrl);
        Add("ANALYTICS_SOURCE", spec.Text("analytics", "source") ?? $"{wanted.Name}-gateway");
        Add("ANALYTICS_EVENT_TYPE", spec.Text("analytics", "eventType") ?? "mcp.request");
        if (spec.At("analytics", "apiKeySecretRef") is JsonObject key)
            all.Add(FromSecret("ANALYTICS_API_KEY", key));
        return all;
    }

    /// <summary>Of those named twice, the last one counts, in the place of the first.</summary>
    public IReadOnlyList<JsonNode> ServerEnvironment()
    {
        // One without a value: somebody may give it one, which is theirs.
        var plain = wanted.Spec.Items("envVars").Select(variable => new JsonObject
        {
            ["name"] = variable.Raw("name"),
            ["value"] = variable.Raw("value") ?? Comparison.Anything,
        });
        var secret = wanted.Spec.Items("secretEnvVars").Select(variable => FromSecret(variable.Raw("name")!, variable["secretKeyRef"]!));
        return [.. plain.Concat(secret).GroupBy(variable => variable.Raw("name")).Select(variables => variables.Last())];
    }

    public IReadOnlyList<string> PullSecrets
    {
        get
        {
            var given = wanted.Spec.At("imagePullSecrets") as JsonArray ?? [];
            return given.Count == 0 && wanted.Settings.Registry is not null
                ? ["mcp-runtime-registry-pull"]
                : [.. given.Select(name => name!.GetValue<string>().Trim()).Where(name => name.Length > 0).Distinct()];
        }
    }

    private JsonObject Metadata(string name, params IReadOnlyList<(string, string)> more) => new()
    {
        ["name"] = name,
        ["namespace"] = wanted.Namespace,
        ["labels"] = Labels(more),
        ["ownerReferences"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = "mcpruntime.org/v1alpha1",
            ["kind"] = "MCPServer",
            ["name"] = wanted.Name,
            ["uid"] = wanted.Server.Uid(),
            ["controller"] = true,
            ["blockOwnerDeletion"] = true,
        }),
    };

    private JsonObject Labels(params IReadOnlyList<(string Name, string Value)> more) => new(
    [
        KeyValuePair.Create("app", (JsonNode?)wanted.Name),
        KeyValuePair.Create("app.kubernetes.io/managed-by", (JsonNode?)"mcp-runtime"),
        .. more.Select(label => KeyValuePair.Create(label.Name, (JsonNode?)label.Value)),
    ]);

    private JsonObject PodMetadata(string deployment, string track)
    {
        var metadata = new JsonObject { ["labels"] = Labels(("mcpruntime.org/rollout-track", track)) };
        if (policyUid(deployment) is { } uid)
            metadata["annotations"] = new JsonObject { [PolicyState.PolicyUid] = uid };
        return metadata;
    }

    private JsonObject Container(bool canary) => new()
    {
        ["name"] = wanted.Name,
        ["image"] = canary ? wanted.CanaryImage : wanted.Image,
        ["imagePullPolicy"] = "IfNotPresent",
        ["ports"] = new JsonArray(ContainerPort("http", wanted.Port)),
        ["env"] = new JsonArray([.. ServerEnvironment()]),
        ["resources"] = Resources("resources"),
        ["securityContext"] = Security(),
        ["livenessProbe"] = TcpProbe(wanted.Port, 5, 10),
        ["readinessProbe"] = TcpProbe(wanted.Port, 3, 5),
    };

    private JsonObject Gateway()
    {
        var security = Security();
        security["readOnlyRootFilesystem"] = true;
        return new JsonObject
        {
            ["name"] = "mcp-gateway",
            ["image"] = wanted.GatewayImage,
            ["imagePullPolicy"] = "IfNotPresent",
            ["ports"] = new JsonArray(ContainerPort("gateway", wanted.GatewayPort), ContainerPort("metrics", 9103)),
            ["env"] = new JsonArray([.. GatewayEnvironment()]),
            ["resources"] = Resources("gateway", "resources"),
            ["securityContext"] = security,
            ["volumeMounts"] = new JsonArray(new JsonObject
            {
                ["name"] = "gateway-policy",
                ["mountPath"] = MountPath,
                ["readOnly"] = true,
            }),
            ["livenessProbe"] = TcpProbe(wanted.GatewayPort, 5, 10),
            ["readinessProbe"] = new JsonObject
            {
                ["httpGet"] = new JsonObject { ["path"] = "/ready", ["port"] = wanted.GatewayPort },
                ["initialDelaySeconds"] = 3,
                ["periodSeconds"] = 5,
            },
        };
    }

    private JsonObject Resources(params IReadOnlyList<string> path)
    {
        var requests = new JsonObject();
        var limits = new JsonObject();
        foreach (var (amount, least, most) in new[] { ("cpu", "50m", "500m"), ("memory", "64Mi", "256Mi") })
        {
            var request = wanted.Spec.Text([.. path, "requests", amount]);
            var limit = wanted.Spec.Text([.. path, "limits", amount]);
            // A default gives way to what is set.
            requests[amount] = request ?? (limit is not null && Quantity.Of(limit) < Quantity.Of(least) ? limit : least);
            limits[amount] = limit ?? (request is not null && Quantity.Of(request) > Quantity.Of(most) ? request : most);
        }
        return new JsonObject { ["requests"] = requests, ["limits"] = limits };
    }

    private JsonObject Annotations()
    {
        var all = new JsonObject();
        foreach (var (name, value) in wanted.Spec.At("ingressAnnotations") as JsonObject ?? [])
            all[name] = value!.DeepClone();
        void Default(string name, string value)
        {
            if (!all.ContainsKey(name))
                all[name] = value;
        }

        switch (wanted.Class)
        {
            case "traefik":
                Default("traefik.ingress.kubernetes.io/router.entrypoints", wanted.Settings.EntryPoints);
                if (wanted.Settings.Tls)
                    Default("traefik.ingress.kubernetes.io/router.tls", "true");
                break;
            case "nginx":
                Default("nginx.ingress.kubernetes.io/ssl-redirect", "false");
                break;
            case "istio":
                Default("kubernetes.io/ingress.class", "istio");
                break;
        }
        return all;
    }

    private static JsonObject FromSecret(string name, JsonNode reference) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject
        {
            ["secretKeyRef"] = new JsonObject { ["name"] = reference.Text("name"), ["key"] = reference.Text("key") },
        },
    };

    private static JsonObject ContainerPort(string name, int port) =>
        new() { ["name"] = name, ["containerPort"] = port, ["protocol"] = "TCP" };

    private static JsonObject Security() => new()
    {
        ["allowPrivilegeEscalation"] = false,
        ["runAsNonRoot"] = true,
        ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
    };

    private static JsonObject TcpProbe(int port, int delay, int period) => new()
    {
        ["tcpSocket"] = new JsonObject { ["port"] = port },
        ["initialDelaySeconds"] = delay,
        ["periodSeconds"] = period,
    };

    private static JsonNode IntOrString(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : text;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
