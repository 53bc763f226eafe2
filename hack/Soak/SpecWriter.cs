using System.Text.Json.Nodes;

namespace McpOperator.Soak;

/// <summary>
/// Specs as users write them, and as they should not: all that a schema lets through may come. Few hosts and paths, so that
/// routes collide.
/// </summary>
internal sealed class SpecWriter(Dice dice)
{
    private static readonly string Digest = new('a', 64);

    /// <summary>Text that needs each of the escapes of a policy document.</summary>
    private const string Awkward = "a<b>&c \u2028 \u2029 é 日本 \"q\" \\ \t \n \u0001 \u007f 😀 \b \f /";

    private static readonly string[] Fields =
    [
        "teamID", "description", "image", "imageTag", "registryOverride", "useProvisionedRegistry", "imagePullSecrets", "replicas",
        "port", "servicePort", "ingressPath", "ingressHost", "publicPathPrefix", "ingressClass", "ingressAnnotations", "resources",
        "envVars", "secretEnvVars", "tools", "prompts", "auth", "policy", "session", "gateway", "analytics", "rollout",
    ];

    public JsonObject Server()
    {
        var spec = new JsonObject { ["image"] = Field("image") };
        foreach (var field in dice.Some(Fields))
            if (field != "image")
                spec[field] = Field(field);
        if (dice.Chance(0.35))
        {
            spec["rollout"] = Rollout("Canary");
            spec["replicas"] = dice.Between(3, 5);
        }
        return spec;
    }

    /// <summary>A merge patch of a spec: some fields anew, some taken away.</summary>
    public JsonObject Edit()
    {
        var patch = new JsonObject();
        for (var i = dice.Between(1, 3); i > 0; i--)
        {
            var field = dice.Pick(Fields);
            patch[field] = field != "image" && dice.Chance(0.25) ? null : Field(field);
        }
        return patch;
    }

    /// <summary>A merge patch that breaks a rule which no schema knows.</summary>
    public JsonObject Break() => dice.Pick<Func<JsonObject>>(
        () => new() { ["image"] = "Not An Image" },
        () => new() { ["ingressHost"] = "10.0.0.1" },
        () => new() { ["publicPathPrefix"] = "a/../b" },
        () => new() { ["port"] = 9103, ["gateway"] = new JsonObject { ["enabled"] = true } },
        () => new() { ["port"] = 8091, ["gateway"] = new JsonObject { ["enabled"] = true, ["port"] = 8091 } },
        () => new() { ["rollout"] = new JsonObject { ["strategy"] = "Canary", ["canaryReplicas"] = 0 } },
        () => new() { ["rollout"] = new JsonObject { ["strategy"] = "RollingUpdate", ["maxSurge"] = "0", ["maxUnavailable"] = "0%" } },
        () => new() { ["resources"] = new JsonObject { ["requests"] = Amounts("2", "1Gi"), ["limits"] = Amounts("100m", "32Mi") } },
        BreakAccess)();

    /// <summary>The same, so that the spec leaves open who may call.</summary>
    public JsonObject BreakAccess() => dice.Pick<Func<JsonObject>>(
        () => new() { ["auth"] = new JsonObject { ["mode"] = "mtls" } },
        // A blank, though none to the pattern of the schema.
        () => new() { ["teamID"] = "team\u00a0a" },
        () => new()
        {
            ["gateway"] = new JsonObject { ["enabled"] = true },
            ["auth"] = new JsonObject { ["mode"] = "oauth", ["issuerURL"] = null },
        })();

    /// <summary>A merge patch that takes away whatever may be broken, but leaves the gateway as it is.</summary>
    public static JsonObject Mend() => new()
    {
        ["image"] = "ghcr.io/acme/tools:1.4",
        ["auth"] = new JsonObject { ["mode"] = "header" },
        ["gateway"] = new JsonObject { ["port"] = null },
        ["teamID"] = "team-a",
        ["analytics"] = null,
        ["envVars"] = null,
        ["ingressHost"] = null,
        ["ingressPath"] = null,
        ["port"] = null,
        ["publicPathPrefix"] = null,
        ["replicas"] = 2,
        ["resources"] = null,
        ["rollout"] = null,
        ["secretEnvVars"] = null,
        ["servicePort"] = null,
    };

    public JsonObject Grant(string @namespace, string server)
    {
        var spec = new JsonObject { ["serverRef"] = Reference(@namespace, server), ["subject"] = Subject() };
        if (dice.Chance(0.5))
            spec["maxTrust"] = dice.Pick("low", "medium", "high");
        if (dice.Chance(0.5))
            spec["allowedSideEffects"] = new JsonArray([.. dice.Some("read", "write", "destructive").Select(effect => (JsonNode)effect)]);
        if (dice.Chance(0.3))
            spec["policyVersion"] = dice.Pick("v1", "v2");
        if (dice.Chance(0.2))
            spec["disabled"] = dice.Chance(0.7);
        if (dice.Chance(0.1))
            spec["toolRules"] = LongRules(22);
        else if (dice.Chance(0.4))
            spec["toolRules"] = new JsonArray([.. dice.Some("list", "refund", "delete").Select(name => new JsonObject
            {
                ["name"] = name,
                ["decision"] = dice.Pick("allow", "deny"),
                ["requiredTrust"] = dice.Pick("low", "high"),
            })]);
        return spec;
    }

    /// <summary>
    /// What takes six times the room in a document: some 1,570 bytes each, so that the sizes which matter there cost an API server little.
    /// </summary>
    public static JsonArray LongRules(int count) => new([.. Enumerable.Range(10, count).Select(i => new JsonObject
    {
        ["name"] = $"{i}{new string('<', 248)}",
    })]);

    /// <param name="soon">When a session that ends during the run does so.</param>
    public JsonObject Session(string @namespace, string server, DateTimeOffset soon)
    {
        var spec = new JsonObject { ["serverRef"] = Reference(@namespace, server), ["subject"] = Subject() };
        if (dice.Chance(0.5))
            spec["consentedTrust"] = dice.Pick("low", "medium", "high");
        if (dice.Chance(0.2))
            spec["revoked"] = dice.Chance(0.7);
        if (dice.Chance(0.6))
            spec["expiresAt"] = dice.Pick(
                "2020-01-02T03:04:05Z", "2099-01-02T03:04:05.678Z", "2099-01-02T03:04:05+02:00", soon.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
                soon.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
        if (dice.Chance(0.3))
            spec["upstreamTokenSecretRef"] = new JsonObject { ["name"] = "token", ["key"] = dice.Pick("access", "a.b") };
        return spec;
    }

    private static JsonObject Reference(string @namespace, string server)
    {
        var reference = new JsonObject { ["name"] = server };
        if (@namespace.Length > 0)
            reference["namespace"] = @namespace;
        return reference;
    }

    private JsonObject Subject()
    {
        var subject = new JsonObject();
        foreach (var id in dice.Some("humanID", "agentID", "teamID"))
            subject[id] = id == "teamID" ? dice.Pick("team-a", "team-b") : dice.Pick("user-1", "über <user>", "agent-2", dice.Chance(0.2) ? "tab\there" : "x");
        return subject;
    }

    private JsonNode? Field(string field) => field switch
    {
        "teamID" => dice.Pick("team-a", "team-b"),
        "description" => dice.Pick("for tests", Awkward),
        "image" => dice.Pick(
            "ghcr.io/acme/tools:1.4", "tools", "acme/tools", "localhost/tools:2", "reg.example.com:5000/a/b",
            $"ghcr.io/acme/tools@sha256:{Digest}", $"acme/tools:{dice.Between(1, 99)}"),
        "imageTag" => dice.Pick("1.0", "2.0", "latest"),
        "registryOverride" => dice.Pick("mirror.example.com:5000", "https://mirror.example.com/"),
        "useProvisionedRegistry" => dice.Chance(0.5),
        "imagePullSecrets" => new JsonArray([.. dice.Some("pull-a", "pull-b").Select(name => (JsonNode)name)]),
        "replicas" => dice.Between(0, 4),
        "port" => dice.Pick(0, 3000, 8000, 8091, 9000),
        "servicePort" => dice.Pick(0, 80, 81, 8443),
        "ingressPath" => dice.Pick(
            "/tools", "shared", "/x/y", " /tools ", "/.well-known/oauth-protected-resource/tools", "/.well-known/oauth-protected-resource/shared/mcp/below"),
        "ingressHost" => dice.Pick("a.soak.test", "b.soak.test", "*.w.soak.test", " a.soak.test"),
        "publicPathPrefix" => dice.Pick("team/a", "/shared/", "b"),
        "ingressClass" => dice.Pick("traefik", "nginx", "other"),
        "ingressAnnotations" => new JsonObject
        {
            [dice.Pick("example.com/rate", "example.com/owner")] = dice.Pick("1", "2", "drei <&>"),
            [dice.Pick("example.com/more", "traefik.ingress.kubernetes.io/router.entrypoints")] = dice.Pick("x", "y"),
        },
        "resources" => Resources(),
        "envVars" => new JsonArray([.. dice.Some("A", "B", "C", "LOG_LEVEL").Select(Variable)]),
        "secretEnvVars" => new JsonArray([.. dice.Some("TOKEN", "PASSWORD", dice.Chance(0.1) ? "A" : "KEY").Select(SecretVariable)]),
        "tools" => new JsonArray([.. dice.Some("list", "refund", "delete", "ünï").Select(Tool)]),
        "prompts" => new JsonArray(new JsonObject { ["name"] = "hello" }),
        "auth" => Auth(),
        "policy" => new JsonObject
        {
            ["mode"] = dice.Pick("allow-list", "observe"),
            ["defaultDecision"] = dice.Pick("allow", "deny"),
            ["policyVersion"] = dice.Pick("v1", "v2"),
        },
        "session" => new JsonObject { ["required"] = dice.Chance(0.5), ["maxLifetime"] = dice.Pick("24h", "1h30m") },
        "gateway" => Gateway(),
        "analytics" => Analytics(),
        _ => Rollout(dice.Pick("RollingUpdate", "Recreate", "Canary")),
    };

    // Kubernetes 1.20 takes an empty value for null, and refuses it; none at all is the same.
    private JsonObject Variable(string name)
    {
        var variable = new JsonObject { ["name"] = name };
        if (dice.Chance(0.8))
            variable["value"] = dice.Pick("1", "two words", "$(A)", "ünï");
        return variable;
    }

    private static JsonObject SecretVariable(string name) => new()
    {
        ["name"] = name,
        ["secretKeyRef"] = new JsonObject { ["name"] = "credentials", ["key"] = name.ToLowerInvariant() },
    };

    private JsonObject Tool(string name)
    {
        var tool = new JsonObject { ["name"] = name, ["sideEffect"] = dice.Pick("read", "write", "destructive") };
        if (dice.Chance(0.5))
            tool["description"] = Awkward;
        if (dice.Chance(0.5))
            tool["requiredTrust"] = dice.Pick("low", "medium", "high");
        if (dice.Chance(0.3))
            tool["riskLevel"] = dice.Pick("low", "high");
        if (dice.Chance(0.3))
            tool["labels"] = new JsonObject { ["z"] = "1", ["a"] = "2", ["ä"] = "<3>" };
        return tool;
    }

    private JsonObject Auth()
    {
        var mode = dice.Pick("none", "header", "oauth");
        return new()
        {
            ["mode"] = mode,
            ["issuerURL"] = mode == "oauth" ? "https://issuer.soak.test" : null,
            ["audience"] = dice.Maybe(() => "soak"),
            ["humanIDHeader"] = dice.Pick("X-MCP-Human-ID", "X-User"),
        };
    }

    private JsonObject Gateway()
    {
        var gateway = new JsonObject { ["enabled"] = dice.Chance(0.7) };
        if (dice.Chance(0.3))
            gateway["port"] = dice.Pick(0, 8091, 8092, 9000);
        if (dice.Chance(0.3))
            gateway["image"] = dice.Pick("gw.example.com/gateway:2", "ghcr.io/example/mcp-gateway:1.1.0");
        if (dice.Chance(0.3))
            gateway["stripPrefix"] = "/strip";
        if (dice.Chance(0.2))
            gateway["upstreamURL"] = "http://127.0.0.1:3000/mcp";
        if (dice.Chance(0.3))
            gateway["resources"] = new JsonObject { ["requests"] = Amounts(dice.Pick("10m", "1"), "300Mi") };
        return gateway;
    }

    private JsonObject Analytics()
    {
        var analytics = new JsonObject { ["disabled"] = dice.Chance(0.4), ["ingestURL"] = "http://events.soak.test" };
        if (dice.Chance(0.3))
            analytics["source"] = "soak";
        if (dice.Chance(0.3))
            analytics["apiKeySecretRef"] = new JsonObject { ["name"] = "analytics", ["key"] = "key" };
        return analytics;
    }

    private JsonObject Rollout(string strategy)
    {
        var rollout = new JsonObject { ["strategy"] = strategy };
        if (dice.Chance(0.5))
            rollout["maxUnavailable"] = dice.Pick("0", "1", "25%", "100%");
        if (dice.Chance(0.5))
            rollout["maxSurge"] = dice.Pick("1", "2", "50%");
        if (strategy == "Canary" || dice.Chance(0.2))
            rollout["canaryReplicas"] = dice.Between(1, 2);
        if (dice.Chance(0.3))
            rollout["canaryImage"] = dice.Pick("ghcr.io/acme/tools:2.0-rc", "acme/tools");
        return rollout;
    }

    private JsonObject Resources()
    {
        var resources = new JsonObject();
        if (dice.Chance(0.6))
            resources["requests"] = Amounts(dice.Pick("100m", "0.5", "1"), dice.Pick("32Mi", "512Mi", "300M"));
        if (dice.Chance(0.4))
            resources["limits"] = Amounts(dice.Pick("20m", "1", "2"), dice.Pick("48Mi", "1Gi", "1.5Gi"));
        return resources;
    }

    private static JsonObject Amounts(string cpu, string memory) => new() { ["cpu"] = cpu, ["memory"] = memory };
}
