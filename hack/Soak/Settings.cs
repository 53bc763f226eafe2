using System.Globalization;

namespace McpOperator.Soak;

/// <summary>How the operators of a run are configured: each seed has a configuration of its own.</summary>
internal sealed record Settings
{
    public string? DefaultHost { get; init; }

    public string Class { get; init; } = "traefik";

    public string EntryPoints { get; init; } = "web";

    public bool Tls { get; init; }

    public bool Strict { get; init; } = true;

    /// <summary>With user and password; null: there is no such registry.</summary>
    public string? Registry { get; init; }

    public string PullHost { get; init; } = "registry.registry.svc.cluster.local:5000";

    public string GatewayImage { get; init; } = "ghcr.io/example/mcp-gateway:1.0.0";

    public string? Otel { get; init; }

    public string? Ingest { get; init; }

    public string Cluster { get; init; } = "local";

    public int RequeueSeconds { get; init; } = 10;

    public bool PersistDefaults { get; init; } = true;

    public static Settings Random(Dice dice) => new()
    {
        DefaultHost = dice.Maybe(() => "mcp.soak.test"),
        Class = dice.Pick("traefik", "nginx"),
        EntryPoints = dice.Pick("web", "websecure"),
        Tls = dice.Chance(0.5),
        Strict = dice.Chance(0.7),
        Registry = dice.Maybe(() => "registry.soak.test:5000"),
        Otel = dice.Maybe(() => "http://otel.soak.test:4318"),
        Ingest = dice.Maybe(() => "http://ingest.soak.test/events"),
        Cluster = dice.Pick("local", "soak"),
        RequeueSeconds = dice.Pick(2, 10),
        PersistDefaults = dice.Chance(0.7),
    };

    /// <summary>Of an operator that is unlike this one in all that can be seen of its objects.</summary>
    public Settings Other() => this with
    {
        DefaultHost = DefaultHost is null ? "other.soak.test" : null,
        Class = Class == "nginx" ? "traefik" : "nginx",
        EntryPoints = EntryPoints == "web" ? "websecure" : "web",
        Tls = !Tls,
        Registry = Registry is null ? "other-registry.soak.test:5000" : null,
        GatewayImage = "ghcr.io/example/mcp-gateway:other",
        Otel = Otel is null ? "http://other-otel.soak.test:4318" : null,
        Cluster = "other",
    };

    public IEnumerable<string> Arguments() => PersistDefaults ? [] : ["--persist-defaults=false"];

    public IReadOnlyDictionary<string, string?> Environment() => new Dictionary<string, string?>(OperatorBinary.CleanEnvironment())
    {
        ["MCP_DEFAULT_INGRESS_HOST"] = DefaultHost,
        ["DEFAULT_INGRESS_CLASS"] = Class,
        ["MCP_DEFAULT_INGRESS_ENTRYPOINTS"] = EntryPoints,
        ["MCP_DEFAULT_INGRESS_TLS"] = Tls ? "true" : "false",
        ["MCP_INGRESS_READINESS_MODE"] = Strict ? "strict" : "permissive",
        ["PROVISIONED_REGISTRY_URL"] = Registry,
        ["PROVISIONED_REGISTRY_USERNAME"] = Registry is null ? null : "soak",
        ["PROVISIONED_REGISTRY_PASSWORD"] = Registry is null ? null : "not \"a\" secret",
        ["MCP_GATEWAY_PROXY_IMAGE"] = GatewayImage,
        ["MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT"] = Otel,
        ["MCP_SENTINEL_INGEST_URL"] = Ingest,
        ["MCP_CLUSTER_NAME"] = Cluster,
        ["REQUEUE_DELAY_SECONDS"] = RequeueSeconds.ToString(CultureInfo.InvariantCulture),
    };
}
