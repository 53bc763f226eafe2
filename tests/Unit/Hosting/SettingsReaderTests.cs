using McpOperator.Api;
using McpOperator.Hosting;

namespace McpOperator.Unit.Hosting;

public sealed class SettingsReaderTests
{
    private static (OperatorSettings Settings, IReadOnlyList<SettingsWarning> Warnings) Read(
        params (string Name, string Value)[] environment) =>
        SettingsReader.Read(environment.ToDictionary(e => e.Name, e => e.Value).GetValueOrDefault);

    [Fact]
    public void AnEmptyEnvironmentMeansTheDefaults()
    {
        var (settings, warnings) = Read();
        Assert.Equal(new OperatorSettings(), settings);
        Assert.Empty(warnings);
    }

    [Fact]
    public void EachVariableReachesItsSetting()
    {
        var (settings, warnings) = Read(
            ("MCP_DEFAULT_INGRESS_HOST", "mcp.example.com"), ("DEFAULT_INGRESS_CLASS", "nginx"),
            ("MCP_DEFAULT_INGRESS_ENTRYPOINTS", "websecure"), ("MCP_DEFAULT_INGRESS_TLS", "true"),
            ("MCP_MTLS_CLUSTER_ISSUER", "workloads"), ("MCP_INGRESS_CONTROLLER_NAMESPACE", "kube-system"),
            ("MCP_INGRESS_READINESS_MODE", "permissive"), ("PROVISIONED_REGISTRY_URL", "registry.example.com"),
            ("PROVISIONED_REGISTRY_USERNAME", "user"), ("PROVISIONED_REGISTRY_PASSWORD", "pass"),
            ("PROVISIONED_REGISTRY_SECRET_NAME", "pull"), ("MCP_REGISTRY_PULL_HOST", "pull.example.com"),
            ("REQUEUE_DELAY_SECONDS", "45"), ("MCP_GATEWAY_PROXY_IMAGE", "gateway:1"),
            ("MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318"),
            ("MCP_SENTINEL_INGEST_URL", "http://ingest"), ("MCP_CLUSTER_NAME", "prod"));
        Assert.Empty(warnings);
        Assert.Equal(new OperatorSettings
        {
            DefaultIngressHost = "mcp.example.com",
            DefaultIngressClass = "nginx",
            DefaultIngressEntryPoints = "websecure",
            DefaultIngressTls = true,
            MtlsClusterIssuer = "workloads",
            IngressControllerNamespace = "kube-system",
            PermissiveIngressReadiness = true,
            ProvisionedRegistry = new ProvisionedRegistry
            {
                Url = "registry.example.com",
                Username = "user",
                Password = "pass",
                SecretName = "pull",
            },
            RegistryPullHost = "pull.example.com",
            RequeueDelay = TimeSpan.FromSeconds(45),
            GatewayImage = "gateway:1",
            GatewayOtlpEndpoint = "http://otel:4318",
            AnalyticsIngestUrl = "http://ingest",
            ClusterName = "prod",
        }, settings);
    }

    [Theory]
    [InlineData("app=traefik", "app=traefik")]
    [InlineData(" app.kubernetes.io/name = traefik , tier=edge_1 ", "app.kubernetes.io/name=traefik tier=edge_1")]
    [InlineData("app", null)]
    [InlineData("app=", null)]
    [InlineData("=traefik", null)]
    [InlineData("app=a=b", null)]
    [InlineData("app=a,", null)]
    [InlineData("app=a,app=b", null)]
    [InlineData("app=a/b", null)]
    [InlineData("app==a", null)]
    public void TheLabelsOfTraefiksPodsAreEqualities(string value, string? expected)
    {
        var (settings, warnings) = Read(("MCP_INGRESS_CONTROLLER_POD_LABELS", value));

        Assert.Equal(expected ?? "app=traefik", string.Join(' ', settings.IngressControllerPodLabels.Select(label => $"{label.Key}={label.Value}")));
        Assert.Equal(expected is null ? 1 : 0, warnings.Count);
    }

    [Fact]
    public void AnOlderNameCountsOnlyWhileTheNewOneIsUnset()
    {
        var (older, _) = Read(("DEFAULT_INGRESS_HOST", "old"), ("MCP_REGISTRY_ENDPOINT", "endpoint"),
            ("MCP_ANALYTICS_INGEST_URL", "http://analytics"), ("MCP_DEFAULT_INGRESS_HOST", "  "));
        Assert.Equal(("old", "endpoint", "http://analytics"),
            (older.DefaultIngressHost, older.RegistryPullHost, older.AnalyticsIngestUrl));

        var (newer, _) = Read(("DEFAULT_INGRESS_HOST", "old"), ("MCP_DEFAULT_INGRESS_HOST", "new"),
            ("MCP_REGISTRY_ENDPOINT", "endpoint"), ("MCP_REGISTRY_PULL_HOST", "pull"),
            ("MCP_ANALYTICS_INGEST_URL", "http://analytics"), ("MCP_SENTINEL_INGEST_URL", "http://sentinel"));
        Assert.Equal(("new", "pull", "http://sentinel"),
            (newer.DefaultIngressHost, newer.RegistryPullHost, newer.AnalyticsIngestUrl));
    }

    [Fact]
    public void ValuesAreTrimmedAndABlankOneIsUnset()
    {
        var (settings, warnings) = Read(("DEFAULT_INGRESS_CLASS", " nginx\n"), ("MCP_CLUSTER_NAME", " "),
            ("REQUEUE_DELAY_SECONDS", ""), ("MCP_INGRESS_READINESS_MODE", "  PerMissive "));
        Assert.Equal(("nginx", "local"), (settings.DefaultIngressClass, settings.ClusterName));
        Assert.True(settings.PermissiveIngressReadiness);
        Assert.Empty(warnings);
    }

    [Theory]
    [InlineData(null, 65532L)]
    [InlineData("1000650000", 1000650000L)]
    [InlineData("", null)]
    [InlineData(" ", null)]
    public void AUserThatIsSetButEmptyIsLeftToTheCluster(string? value, long? expected)
    {
        var (settings, warnings) = value is null ? Read() : Read(("MCP_RUN_AS_USER", value));

        Assert.Equal(expected, settings.RunAsUser);
        Assert.Empty(warnings);
    }

    [Theory]
    [InlineData("MCP_RUN_AS_USER", "0", "65532")]
    [InlineData("MCP_RUN_AS_USER", "nobody", "65532")]
    [InlineData("MCP_RUN_AS_USER", "2147483648", "65532")]
    [InlineData("REQUEUE_DELAY_SECONDS", "soon", "10")]
    [InlineData("REQUEUE_DELAY_SECONDS", "0", "10")]
    [InlineData("REQUEUE_DELAY_SECONDS", "-5", "10")]
    [InlineData("REQUEUE_DELAY_SECONDS", "86401", "10")]
    [InlineData("MCP_DEFAULT_INGRESS_TLS", "maybe", "false")]
    [InlineData("MCP_INGRESS_READINESS_MODE", "lenient", "strict")]
    public void AValueThatCannotBeReadIsOneWarningAndTheDefault(string name, string value, string expected)
    {
        var (settings, warnings) = Read((name, value));
        Assert.Equal(new OperatorSettings(), settings);
        var warning = Assert.Single(warnings);
        Assert.Equal((name, value, expected), (warning.Variable, warning.Value, warning.Default));
    }

    [Fact]
    public void ThePasswordAndTheUrlsThatMayBringOneAlongAreSecret() => Assert.Equal(
        ["PROVISIONED_REGISTRY_URL", "PROVISIONED_REGISTRY_PASSWORD", "MCP_SENTINEL_INGEST_URL", "MCP_ANALYTICS_INGEST_URL"],
        SettingsReader.Variables.Where(v => v.Secret).SelectMany(v => v.Names));

    [Theory]
    [InlineData("MCP_DEFAULT_INGRESS_HOST", "https://tools.example.com")]
    [InlineData("DEFAULT_INGRESS_CLASS", "My Class")]
    [InlineData("PROVISIONED_REGISTRY_SECRET_NAME", "Pull_Secret")]
    [InlineData("PROVISIONED_REGISTRY_URL", "https://robot:geheim@registry.example.com")]
    [InlineData("PROVISIONED_REGISTRY_URL", "registry example")]
    [InlineData("MCP_DEFAULT_INGRESS_HOST", "192.0.2.1")]
    [InlineData("MCP_REGISTRY_PULL_HOST", "registry example")]
    [InlineData("MCP_GATEWAY_PROXY_IMAGE", "acme/Gateway:1")]
    [InlineData("MCP_ANALYTICS_INGEST_URL", "ftp://robot:geheim@ingest.example.com")]
    public void AValueThatWouldBreakEveryServerIsOneWarningAndTheDefault(string name, string value)
    {
        var (settings, warnings) = SettingsReader.Read(variable => variable == name ? value : null);

        Assert.Equal(new OperatorSettings(), settings);
        Assert.Equal(name, Assert.Single(warnings).Variable);
        Assert.DoesNotContain("geheim", warnings[0].Value, StringComparison.Ordinal);
    }
}
