using System.Text.Json;
using System.Text.RegularExpressions;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public sealed partial class GatewayContainerTests
{
    private static readonly OperatorSettings Configured = new()
    {
        DefaultIngressTls = true,
        GatewayOtlpEndpoint = "http://otel:4318",
        AnalyticsIngestUrl = "http://ingest",
        ClusterName = "eu-1",
    };

    /// <summary>Whatever can put a variable there, does.</summary>
    private static readonly MCPServerSpec Everything = new()
    {
        IngressHost = "mcp.example.com",
        Gateway = new GatewayConfig { StripPrefix = "/demo" },
        Analytics = new AnalyticsConfig { ApiKeySecretRef = new SecretKeyRef { Name = "ingest", Key = "token" } },
    };

    [Fact]
    public void TheSmallestGatewayBringsThisToThePodAndNothingElse()
    {
        var pod = PodOf(SampleServers.WithGateway());

        Json.AssertEqual(
            """
            {
              "serviceAccountName": "mcp-workload",
              "automountServiceAccountToken": false,
              "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": { "type": "RuntimeDefault" }
              },
              "containers": [
                {
                  "name": "demo",
                  "image": "example.org/demo:1",
                  "imagePullPolicy": "IfNotPresent",
                  "ports": [ { "name": "http", "containerPort": 8088, "protocol": "TCP" } ],
                  "resources": {
                    "requests": { "cpu": "50m", "memory": "64Mi" },
                    "limits": { "cpu": "500m", "memory": "256Mi" }
                  },
                  "livenessProbe": { "tcpSocket": { "port": 8088 }, "initialDelaySeconds": 5, "periodSeconds": 10 },
                  "readinessProbe": { "tcpSocket": { "port": 8088 }, "initialDelaySeconds": 3, "periodSeconds": 5 },
                  "securityContext": {
                    "allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": { "drop": ["ALL"] }
                  }
                },
                {
                  "name": "mcp-gateway",
                  "image": "example.org/gateway:1",
                  "imagePullPolicy": "IfNotPresent",
                  "ports": [
                    { "name": "gateway", "containerPort": 8091, "protocol": "TCP" },
                    { "name": "metrics", "containerPort": 9103, "protocol": "TCP" }
                  ],
                  "env": [
                    { "name": "PORT", "value": "8091" },
                    { "name": "METRICS_PORT", "value": "9103" },
                    { "name": "UPSTREAM_URL", "value": "http://127.0.0.1:8088" },
                    { "name": "POLICY_FILE", "value": "/var/run/mcp-runtime/policy/policy.json" },
                    { "name": "MCP_SERVER_NAME", "value": "demo" },
                    { "name": "MCP_SERVER_NAMESPACE", "value": "team" },
                    { "name": "MCP_CLUSTER_NAME", "value": "local" },
                    { "name": "POLICY_MODE", "value": "allow-list" },
                    { "name": "POLICY_DEFAULT_DECISION", "value": "deny" },
                    { "name": "POLICY_VERSION", "value": "v1" },
                    { "name": "HUMAN_ID_HEADER", "value": "X-MCP-Human-ID" },
                    { "name": "AGENT_ID_HEADER", "value": "X-MCP-Agent-ID" },
                    { "name": "TEAM_ID_HEADER", "value": "X-MCP-Team-ID" },
                    { "name": "SESSION_ID_HEADER", "value": "X-MCP-Agent-Session" },
                    { "name": "AUTH_MODE", "value": "header" }
                  ],
                  "resources": {
                    "requests": { "cpu": "50m", "memory": "64Mi" },
                    "limits": { "cpu": "500m", "memory": "256Mi" }
                  },
                  "volumeMounts": [
                    { "name": "gateway-policy", "mountPath": "/var/run/mcp-runtime/policy", "readOnly": true }
                  ],
                  "livenessProbe": { "tcpSocket": { "port": 8091 }, "initialDelaySeconds": 5, "periodSeconds": 10 },
                  "readinessProbe": {
                    "httpGet": { "path": "/ready", "port": 8091 }, "initialDelaySeconds": 3, "periodSeconds": 5
                  },
                  "securityContext": {
                    "allowPrivilegeEscalation": false, "runAsNonRoot": true, "readOnlyRootFilesystem": true,
                    "capabilities": { "drop": ["ALL"] }
                  }
                }
              ],
              "volumes": [ { "name": "gateway-policy", "configMap": { "name": "demo-gateway-policy" } } ]
            }
            """,
            JsonSerializer.SerializeToUtf8Bytes(pod, ManifestJsonContext.Default.PodSpec));
    }

    [Fact]
    public void TheWholeEnvironmentIsInThisOrder() => Assert.Equal(
        [
            "PORT=7000", "METRICS_PORT=9103", "UPSTREAM_URL=http://127.0.0.1:9000/base",
            "POLICY_FILE=/var/run/mcp-runtime/policy/policy.json", "MCP_SERVER_NAME=demo", "MCP_SERVER_NAMESPACE=team",
            "MCP_CLUSTER_NAME=eu-1", "EXTERNAL_BASE_URL=https://mcp.example.com", "OTEL_SERVICE_NAME=demo-gateway",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318", "POLICY_MODE=observe", "POLICY_DEFAULT_DECISION=allow",
            "POLICY_VERSION=v7", "HUMAN_ID_HEADER=X-H", "AGENT_ID_HEADER=X-A", "TEAM_ID_HEADER=X-T", "SESSION_ID_HEADER=X-S",
            "AUTH_MODE=oauth", "STRIP_PREFIX=/demo", "ANALYTICS_INGEST_URL=http://own", "ANALYTICS_SOURCE=src",
            "ANALYTICS_EVENT_TYPE=call", "ANALYTICS_API_KEY=ingest/token",
        ],
        EnvironmentOf(
            new MCPServerSpec
            {
                Port = 9000,
                IngressHost = "mcp.example.com",
                Gateway = new GatewayConfig { Port = 7000, UpstreamURL = "http://127.0.0.1:9000/base", StripPrefix = "/demo" },
                Policy = new PolicyConfig { Mode = "observe", DefaultDecision = "allow", PolicyVersion = "v7" },
                Auth = new AuthConfig
                {
                    Mode = "oauth",
                    IssuerURL = "https://id.example",
                    HumanIDHeader = "X-H",
                    AgentIDHeader = "X-A",
                    TeamIDHeader = "X-T",
                    SessionIDHeader = "X-S",
                },
                Analytics = new AnalyticsConfig
                {
                    IngestURL = "http://own",
                    Source = "src",
                    EventType = "call",
                    ApiKeySecretRef = new SecretKeyRef { Name = "ingest", Key = "token" },
                },
            },
            Configured));

    [Theory]
    [InlineData("mcp.example.com", true, "EXTERNAL_BASE_URL=https://mcp.example.com")]
    [InlineData("mcp.example.com", false, "EXTERNAL_BASE_URL=http://mcp.example.com")]
    [InlineData("*.example.com", true, null)]
    [InlineData(null, true, null)]
    public void TheBaseUrlIsThatOfTheHost(string? host, bool tls, string? expected) => Assert.Equal(
        expected,
        EnvironmentOf(new MCPServerSpec { IngressHost = host }, new OperatorSettings { DefaultIngressTls = tls })
            .SingleOrDefault(variable => variable.StartsWith("EXTERNAL_BASE_URL=", StringComparison.Ordinal)));

    [Fact]
    public void TheOperatorsIngestUrlIsEnoughForASpecThatAsksForAnalytics() => Assert.Equal(
        ["ANALYTICS_INGEST_URL=http://ingest", "ANALYTICS_SOURCE=demo-gateway", "ANALYTICS_EVENT_TYPE=mcp.request"],
        EnvironmentOf(new MCPServerSpec { Analytics = new AnalyticsConfig() }, Configured).Where(IsAnalytics));

    [Fact]
    public void ASpecWithoutAnalyticsHasOptedOut() => Assert.DoesNotContain(EnvironmentOf(new MCPServerSpec(), Configured), IsAnalytics);

    [Fact]
    public void DisabledAnalyticsAreNotThere() => Assert.DoesNotContain(
        EnvironmentOf(new MCPServerSpec { Analytics = new AnalyticsConfig { Disabled = true, IngestURL = "http://own" } }, Configured), IsAnalytics);

    [Fact]
    public void TheOperatorsImageStandsIn()
    {
        var settings = new OperatorSettings { GatewayImage = "example.org/default:1" };
        var spec = new MCPServerSpec { Image = "i", Gateway = new GatewayConfig { Enabled = true } };

        Assert.Equal("example.org/default:1", PodOf(SampleServers.Effective(spec, settings), settings).Containers[1].Image);
        Assert.Equal("example.org/gateway:1", PodOf(SampleServers.WithGateway(settings: settings), settings).Containers[1].Image);
    }

    [Fact]
    public void ItHasItsOwnAmountsAndADefaultLimitBelowTheRequestIsRaised()
    {
        var containers = PodOf(SampleServers.WithGateway(new MCPServerSpec
        {
            Resources = new ResourceRequirements { Requests = new ResourceList { Cpu = "1" } },
            Gateway = new GatewayConfig { Resources = new ResourceRequirements { Requests = new ResourceList { Memory = "1024Mi" } } },
        })).Containers;

        Assert.Equal(("1", "64Mi"), (containers[0].Resources.Requests.Cpu, containers[0].Resources.Requests.Memory));
        Assert.Equal(new Quantities { Cpu = "50m", Memory = "1Gi" }, containers[1].Resources.Requests);
        Assert.Equal(new Quantities { Cpu = "500m", Memory = "1Gi" }, containers[1].Resources.Limits);
    }

    /// <summary>A change of the template replaces the pods: only what they must be restarted for may be in it.</summary>
    [Fact]
    public void WhatThePolicyFileBringsDoesNotReplaceThePods()
    {
        var spec = Everything with { Policy = new PolicyConfig { DefaultDecision = "deny" } };
        var template = Template(spec);

        Assert.Equal(template, Template(spec));
        Assert.Equal(template, Template(spec with { Tools = [new ToolConfig { Name = "t", SideEffect = "read" }] }));
        Assert.Equal(template, Template(spec with { Session = new SessionConfig { Required = true, MaxLifetime = "1h" } }));
        Assert.Equal(template, Template(spec with { Policy = spec.Policy! with { EnforceOn = "all" } }));
        Assert.Equal(template, Template(spec with { Auth = new AuthConfig { TokenHeader = "X-Token", Audience = "a" } }));
        Assert.Equal(template, Template(spec with { TeamID = "team", IngressPath = "/elsewhere", ServicePort = 81 }));
        Assert.NotEqual(template, Template(spec with { Policy = spec.Policy! with { DefaultDecision = "allow" } }));
    }

    [Fact]
    public void DefaultsThatAreWrittenBackDoNotReplaceThePods()
    {
        var spec = Everything with { Image = "example.org/demo", Gateway = Everything.Gateway! with { Enabled = true, Image = "g" } };
        var effective = SampleServers.Effective(spec, Configured);
        var persisted = SampleServers.Effective(effective.Spec, Configured);

        Assert.Equal(
            ApplyConfiguration.Of(DeploymentManifest.Build(effective, Configured)), ApplyConfiguration.Of(DeploymentManifest.Build(persisted, Configured)));
    }

    [Fact]
    public void NothingOfAGatewayThatIsSwitchedOffIsLeft() => Assert.Equal(
        ApplyConfiguration.Of(DeploymentManifest.Build(SampleServers.Effective(), Configured)),
        ApplyConfiguration.Of(DeploymentManifest.Build(SampleServers.Off(SampleServers.WithGateway(Everything with { IngressHost = null }, Configured)), Configured)));

    [Fact]
    [Trait("Checks", "docs")]
    public void TheDocumentationHasEveryVariableInItsOrder()
    {
        var rows = VariableRow().Matches(File.ReadAllText(RepositoryRoot.File("docs/gateway.md")));

        Assert.Equal(Names(Everything with { Auth = new AuthConfig { Mode = "mtls", TrustDomain = "example.org" } }, Configured), rows.Select(row => row.Groups[1].Value));
        Assert.Equal(
            Names(new MCPServerSpec(), SampleServers.Settings),
            rows.Where(row => row.Groups[2].Value.Trim() == "always").Select(row => row.Groups[1].Value));

        static IEnumerable<string> Names(MCPServerSpec spec, OperatorSettings settings) =>
            EnvironmentOf(spec, settings).Select(variable => variable[..variable.IndexOf('=', StringComparison.Ordinal)]);
    }

    private static byte[] Template(MCPServerSpec spec) => JsonSerializer.SerializeToUtf8Bytes(
        DeploymentManifest.Build(SampleServers.WithGateway(spec, Configured), Configured).Spec.Template, ManifestJsonContext.Default.PodTemplate);

    private static PodSpec PodOf(MCPServer server, OperatorSettings? settings = null) =>
        DeploymentManifest.Build(server, settings ?? SampleServers.Settings).Spec.Template.Spec;

    /// <summary>As <c>NAME=value</c>, or <c>NAME=secret/key</c>.</summary>
    private static IEnumerable<string> EnvironmentOf(MCPServerSpec spec, OperatorSettings settings) =>
        PodOf(SampleServers.WithGateway(spec, settings), settings).Containers[1].Env!.Select(variable =>
            $"{variable.Name}={variable.Value ?? $"{variable.ValueFrom!.SecretKeyRef.Name}/{variable.ValueFrom.SecretKeyRef.Key}"}");

    private static bool IsAnalytics(string variable) => variable.StartsWith("ANALYTICS_", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| `([A-Z_]+)` \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex VariableRow();
}
