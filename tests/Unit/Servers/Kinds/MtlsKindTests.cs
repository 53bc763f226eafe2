using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Kinds;

/// <summary>The objects of a server with mTLS, field by field, and what is said of them.</summary>
public sealed class MtlsKindTests
{
    private static readonly OperatorSettings Settings = new() { MtlsClusterIssuer = "workloads" };

    private static readonly MCPServerSpec Spec = new()
    {
        IngressHost = "mcp.example.org",
        Auth = new AuthConfig { Mode = "mtls", TrustDomain = "example.org" },
    };

    private static readonly MCPServer Server = SampleServers.WithGateway(Spec, Settings);

    private readonly ServerKinds _kinds = Passes.Kinds();

    [Fact]
    public void TheyAreThose() => AssertObjects(
        """
        - Certificate demo-gateway-mtls {"secretName":"demo-gateway-mtls","duration":"24h0m0s","renewBefore":"8h0m0s","dnsNames":["demo","demo.team","demo.team.svc","demo.team.svc.cluster.local"],"usages":["digital signature","key encipherment","server auth"],"issuerRef":{"group":"cert-manager.io","kind":"ClusterIssuer","name":"workloads"}}
        - Certificate demo-traefik-client-mtls {"secretName":"demo-traefik-client-mtls","duration":"24h0m0s","renewBefore":"8h0m0s","uris":["spiffe://example.org/ns/team/ingress/demo"],"usages":["digital signature","key encipherment","client auth"],"issuerRef":{"group":"cert-manager.io","kind":"ClusterIssuer","name":"workloads"}}
        - TLSOption demo-mtls {"minVersion":"VersionTLS12","clientAuth":{"secretNames":["demo-gateway-mtls"],"clientAuthType":"RequireAndVerifyClientCert"}}
        - ServersTransport demo-gateway {"serverName":"demo.team.svc.cluster.local","certificatesSecrets":["demo-traefik-client-mtls"],"rootCAsSecrets":["demo-gateway-mtls"]}
        - Middleware demo-spiffe-identity {"plugin":{"spiffe-identity":{"verifiedHeader":"X-MCP-Verified-SPIFFE-ID","trustDomain":"example.org"}}}
        - IngressRoute demo {"entryPoints":["websecure"],"routes":[{"kind":"Rule","match":"Host(`mcp.example.org`) && (Path(`/demo/mcp`) || PathPrefix(`/demo/mcp/`))","middlewares":[{"name":"demo-spiffe-identity"}],"services":[{"name":"demo","port":80,"scheme":"https","serversTransport":"demo-gateway"}]}],"tls":{"options":{"name":"demo-mtls"}}}
        - NetworkPolicy demo-mtls-gateway {"podSelector":{"matchLabels":{"app":"demo","app.kubernetes.io/managed-by":"mcp-runtime"}},"policyTypes":["Ingress"],"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"traefik"}},"podSelector":{"matchLabels":{"app":"traefik"}}}],"ports":[{"port":"gateway","protocol":"TCP"}]},{"ports":[{"port":"metrics","protocol":"TCP"}]}]}
        """, Server, Settings);

    [Fact]
    public void AllThatSpecAndSettingsSayIsInThem()
    {
        var settings = Settings with
        {
            DefaultIngressEntryPoints = "edge, inner,",
            IngressControllerNamespace = "kube-system",
            IngressControllerPodLabels = new Dictionary<string, string> { ["a"] = "b", ["c"] = "d" },
        };
        var server = SampleServers.WithGateway(
            Spec with
            {
                ServicePort = 81,
                IngressPath = "tools/",
                Tls = System.Text.Json.JsonElement.Parse("""{"secretName":"public"}"""),
                Network = new NetworkConfig { IngressFrom = JsonDocument.Parse("[]").RootElement },
            },
            settings);

        Assert.Equal(
            """{"entryPoints":["edge","inner"],"routes":[{"kind":"Rule","match":"Host(`mcp.example.org`) && (Path(`/tools`) || PathPrefix(`/tools/`))","middlewares":[{"name":"demo-spiffe-identity"}],"services":[{"name":"demo","port":81,"scheme":"https","serversTransport":"demo-gateway"}]}],"tls":{"options":{"name":"demo-mtls"},"secretName":"public"}}""",
            Text(MtlsObjects.IngressRoute(server, settings)));
        // Who collects metrics is said by spec.network then.
        Assert.Equal(
            """[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}},"podSelector":{"matchLabels":{"a":"b","c":"d"}}}],"ports":[{"port":"gateway","protocol":"TCP"}]}]""",
            Text(MtlsObjects.NetworkPolicy(server, settings)["ingress"]!));
    }

    [Theory]
    [InlineData("/", null, "Host(`mcp.example.org`) && PathPrefix(`/`)")]
    [InlineData("/a b", null, "Host(`mcp.example.org`) && (Path(`/a b`) || PathPrefix(`/a b/`))")]
    [InlineData("/tools", "Exact", "Host(`mcp.example.org`) && Path(`/tools`)")]
    [InlineData("/tools", "ImplementationSpecific", "Host(`mcp.example.org`) && (Path(`/tools`) || PathPrefix(`/tools/`))")]
    public void TheRuleMatchesAsAnIngressDoes(string path, string? type, string expected)
    {
        var server = SampleServers.WithGateway(Spec with { IngressPath = path, IngressPathType = type }, Settings);

        Assert.Equal(expected, (string?)MtlsObjects.IngressRoute(server, Settings)["routes"]![0]!["match"]);
    }

    [Fact]
    public void TheGatewayOfItsPodsSpeaksTls()
    {
        var pod = DeploymentManifest.Build(Server, Settings).Spec.Template.Spec;
        var (plain, gateway) = (DeploymentManifest.Build(SampleServers.WithGateway(Spec with { Auth = null }), Settings).Spec.Template.Spec.Containers[1], pod.Containers[1]);

        Assert.Equal("gateway-mtls demo-gateway-mtls", $"{pod.Volumes![1].Name} {pod.Volumes[1].Secret!["secretName"]}");
        Assert.Equal("gateway-mtls /var/run/mcp-runtime/tls True", gateway.VolumeMounts![1] is var mount ? $"{mount.Name} {mount.MountPath} {mount.ReadOnly}" : "");
        Assert.Equal((8091, null), (gateway.ReadinessProbe.TcpSocket?.Port, gateway.ReadinessProbe.HttpGet));
        Assert.Equal("https://mcp.example.org", gateway.Env!.Single(variable => variable.Name == "EXTERNAL_BASE_URL").Value);
        Assert.Equal(
            """
            AUTH_MODE=mtls
            TLS_CERT_FILE=/var/run/mcp-runtime/tls/tls.crt
            TLS_KEY_FILE=/var/run/mcp-runtime/tls/tls.key
            TLS_CLIENT_CA_FILE=/var/run/mcp-runtime/tls/ca.crt
            TRUSTED_PROXY_SPIFFE_ID=spiffe://example.org/ns/team/ingress/demo
            VERIFIED_SPIFFE_HEADER=X-MCP-Verified-SPIFFE-ID
            """.ReplaceLineEndings("\n"), string.Join('\n', gateway.Env!.SkipWhile(variable => variable.Name != "AUTH_MODE").Select(variable => $"{variable.Name}={variable.Value}")));
        Assert.Equal(plain.LivenessProbe, gateway.LivenessProbe);
        // A certificate that is issued anew replaces no pod: the gateway reads it again.
        Assert.Empty(new PodReferences(DeploymentManifest.Body(DeploymentManifest.Build(Server, Settings), Server), "demo").Secrets);
    }

    [Fact]
    public async Task WhoDoesNotWantItHasNoneOfIt()
    {
        var plain = SampleServers.Effective();
        var desired = new List<string>();
        var pass = Passes.Over(plain);

        await pass.RunAsync(_kinds, (kind, wanted) =>
        {
            if (wanted is DesiredState.Apply)
                desired.Add(kind.Name);
            return Task.FromResult<ApplyResult>(default);
        });

        Assert.Equal(["ServiceAccount", "Deployment", "Service", "Ingress"], desired);
        Assert.DoesNotContain(StatusReport.ConditionsOf(pass, _kinds), condition => condition.ConditionType is "MTLSReady" or "IngressRouteReady");
    }

    private const string Words = "Waiting on certificate issuance from order";

    public static TheoryData<string, string, string, string> Said => new()
    {
        { "", "", "True MTLSConfigured", "True IngressRouteCreated" },
        { "Certificate demo-gateway-mtls", Issued("False", Words), $"False CertificateNotReady {Words} (Certificate demo-gateway-mtls, ClusterIssuer workloads)", "True" },
        { "Certificate demo-traefik-client-mtls", Issued("False", Words), $"False CertificateNotReady {Words} (Certificate demo-traefik-client-mtls, ClusterIssuer workloads)", "True" },
        { "Certificate demo-gateway-mtls", "{}", "False CertificatePending cert-manager has said nothing of the Certificate demo-gateway-mtls yet: does it run?", "True" },
        // Of what was before the last edit.
        { "Certificate demo-gateway-mtls", Issued("True", "ok", observed: 1), "False CertificatePending", "True" },
        { "TLSOption demo-mtls", "", "False NotCreated the TLSOption does not exist", "True" },
        { "Middleware demo-spiffe-identity", "", "False NotCreated the Middleware does not exist", "True" },
        { "NetworkPolicy demo-mtls-gateway", "", "False NotCreated the gateways' NetworkPolicy does not exist", "True" },
        { "IngressRoute demo", "", "True MTLSConfigured", "False NotCreated it is made when the certificates are issued, and all that it refers to is there" },
    };

    [Theory]
    [MemberData(nameof(Said))]
    public async Task ItIsSaidInOneConditionWhatIsMissing(string odd, string status, string mtls, string route)
    {
        var said = await Passes.Over(Server, settings: Settings).JudgeAsync(_kinds, kind => Live(kind, odd, status));

        Assert.StartsWith(mtls, Text(said.Single(condition => condition.ConditionType == ConditionTypes.MtlsReady)), StringComparison.Ordinal);
        Assert.StartsWith(route, Text(said.Single(condition => condition.ConditionType == ConditionTypes.IngressRouteReady)), StringComparison.Ordinal);
        Assert.DoesNotContain(said, condition => condition.ConditionType == ConditionTypes.IngressReady);
    }

    /// <summary>Traefik would serve it without client certificates, or not at all; and pods without the Secret that they mount would hang.</summary>
    [Theory]
    [InlineData("", "", true, true)]
    [InlineData("Certificate demo-gateway-mtls", "{}", false, false)]
    [InlineData("Certificate demo-traefik-client-mtls", "{}", true, false)]
    [InlineData("TLSOption demo-mtls", "", true, false)]
    [InlineData("ServersTransport demo-gateway", "", true, false)]
    [InlineData("Middleware demo-spiffe-identity", "", true, false)]
    public async Task PodsAndRouteWaitForWhatTheyNeed(string odd, string status, bool pods, bool route)
    {
        var desired = new Dictionary<string, DesiredState>();
        var stores = new McpOperator.Mirror.Stores(Mirror.Looks.None, Mirror.Looks.None, Settings);
        var kinds = Passes.Kinds(stores);
        foreach (var kind in kinds.ForIngressRoute)
        {
            if (Json(kind, odd, status) is { } json)
                kind.Load(JsonDocument.Parse(json).RootElement);
        }

        var policy = new McpOperator.Mirror.PolicyState(Server.Metadata.Uid, Server.Metadata.Generation, Condition: null, MayRunGateway: true, PolicyUid: null);
        await Passes.Over(Server, policy, Settings).RunAsync(kinds, (kind, wanted) =>
        {
            desired[kind.Name] = wanted;
            return Task.FromResult(new ApplyResult(kinds.ForIngressRoute.Contains(kind) ? Live(kind, odd, status) : null));
        });

        Assert.Equal((pods, route), (desired["Deployment"] is DesiredState.Apply, desired["IngressRoute"] is DesiredState.Apply));
        // It would close the way in that there is before there is another.
        Assert.IsType<DesiredState.Keep>(desired["gateways' NetworkPolicy"]);
    }

    private static string Issued(string status, string message, long observed = 2) => new JsonObject
    {
        ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = status, ["message"] = message, ["observedGeneration"] = observed }),
    }.ToJsonString();

    /// <param name="odd">The kind and name of one of them, that is otherwise.</param>
    /// <param name="status">Of that; empty when it is not there.</param>
    private static Observed? Live(OwnedKind kind, string odd, string status)
    {
        if (kind.Type.Group is not ("cert-manager.io" or "traefik.io" or "networking.k8s.io") || Json(kind, odd, status) is not { } json)
            return null;
        return kind is MtlsKind<ObservedCertificate>
            ? Passes.Decode(live => new ObservedCertificate(live, Product.Identity.OwnedFields), json)
            : kind is MtlsKind<ObservedPresence> or IngressRouteKind ? Passes.Decode(live => new ObservedPresence(live, Product.Identity.OwnedFields), json) : null;
    }

    private static string? Json(OwnedKind kind, string odd, string status)
    {
        if (kind.KeyOf(Server.Key) is not { Name: var name })
            return null;
        var isOdd = odd == $"{kind.Type.Kind} {name}";
        return isOdd && status.Length == 0 ? null : $$$"""
            {"metadata":{"name":"{{{name}}}","namespace":"team","generation":2,"labels":{"app":"demo","app.kubernetes.io/managed-by":"mcp-runtime"}},
             "status":{{{(isOdd ? status : Issued("True", "ok"))}}}}
            """;
    }

    private void AssertObjects(string expected, MCPServer server, OperatorSettings settings)
    {
        var made = new List<string>();
        foreach (var body in _kinds.All.Select(kind => kind switch
        {
            MtlsKind<ObservedCertificate> row => row.Build(server, settings),
            MtlsKind<ObservedPresence> row => row.Build(server, settings),
            IngressRouteKind => IngressRouteKind.Build(server, settings),
            _ => null,
        }).OfType<byte[]>())
        {
            var json = JsonNode.Parse(body)!;
            var metadata = json["metadata"]!;
            Assert.Equal("""{"app":"demo","app.kubernetes.io/managed-by":"mcp-runtime","mcpruntime.org/server":"demo"}""", Text(metadata["labels"]!));
            Assert.Equal("team MCPServer uid-of-demo", $"{metadata["namespace"]} {metadata["ownerReferences"]![0]!["kind"]} {metadata["ownerReferences"]![0]!["uid"]}");
            Assert.Equal(json["kind"]!.ToString() switch { "Certificate" => "cert-manager.io/v1", "NetworkPolicy" => "networking.k8s.io/v1", _ => "traefik.io/v1alpha1" }, (string?)json["apiVersion"]);
            made.Add($"- {json["kind"]} {metadata["name"]} {Text(json["spec"]!)}");
        }

        Assert.Equal(expected.ReplaceLineEndings("\n"), string.Join('\n', made));
    }

    private static string Text(JsonNode json) => json.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static string Text(ComponentCondition condition) => $"{condition.IsReady} {condition.Reason} {condition.Message}";
}
