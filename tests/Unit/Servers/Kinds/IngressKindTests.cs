using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class IngressKindTests
{
    [Fact]
    public void AMinimalServerGetsAHostlessTraefikIngress() => Json.AssertEqual(
        """
        {
          "apiVersion": "networking.k8s.io/v1",
          "kind": "Ingress",
          "metadata": {
            "name": "demo",
            "namespace": "team",
            "labels": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime" },
            "annotations": { "traefik.ingress.kubernetes.io/router.entrypoints": "web" },
            "ownerReferences": [
              {
                "apiVersion": "mcpruntime.org/v1alpha1", "kind": "MCPServer", "name": "demo", "uid": "uid-of-demo",
                "controller": true, "blockOwnerDeletion": true
              }
            ]
          },
          "spec": {
            "ingressClassName": "traefik",
            "rules": [
              {
                "http": {
                  "paths": [
                    {
                      "path": "/demo/mcp",
                      "pathType": "Prefix",
                      "backend": { "service": { "name": "demo", "port": { "number": 80 } } }
                    }
                  ]
                }
              }
            ]
          }
        }
        """,
        JsonSerializer.SerializeToUtf8Bytes(Build(new MCPServerSpec { Image = "i" }), ManifestJsonContext.Default.Ingress));

    private const string Streams = "nginx.ingress.kubernetes.io/proxy-buffering=off nginx.ingress.kubernetes.io/proxy-read-timeout=3600 "
        + "nginx.ingress.kubernetes.io/proxy-send-timeout=3600";

    [Theory]
    [InlineData("traefik", null, "traefik.ingress.kubernetes.io/router.entrypoints=websecure traefik.ingress.kubernetes.io/router.tls=true")]
    [InlineData("traefik", "edge", "traefik.ingress.kubernetes.io/router.entrypoints=edge traefik.ingress.kubernetes.io/router.tls=true")]
    [InlineData("nginx", null, Streams)]
    public void WithTlsTheyAreThoseOfTls(string ingressClass, string? entryPoints, string expected)
    {
        var settings = new OperatorSettings();
        var ingress = Build(
            new MCPServerSpec { Image = "i", IngressClass = ingressClass, Tls = Json.Element("{}") },
            entryPoints is null ? settings : settings with { DefaultIngressEntryPoints = entryPoints });

        Assert.Equal(expected, Text(ingress.Metadata.Annotations));
    }

    [Theory]
    [InlineData(null, null, "", null)]
    [InlineData("mine", null, "", "mine")]
    [InlineData(null, "Issuer", "cert-manager.io/issuer=ca", "demo-tls")]
    [InlineData(null, null, "cert-manager.io/issuer=ca", "demo-tls", true)]
    [InlineData("mine", "ClusterIssuer", "cert-manager.io/cluster-issuer=ca", "mine")]
    public void TheCertificateIsTheUsersOrAnIssuers(string? secret, string? kind, string annotation, string? expected, bool hasIssuer = false)
    {
        var ingress = Build(new MCPServerSpec
        {
            Image = "i",
            IngressHost = "h.example",
            IngressClass = "haproxy",
            Tls = Json.Element(new System.Text.Json.Nodes.JsonObject
            {
                ["secretName"] = secret,
                ["issuer"] = hasIssuer || kind is not null ? new System.Text.Json.Nodes.JsonObject { ["kind"] = kind, ["name"] = "ca" } : null,
            }.ToJsonString()),
        });

        Assert.Equal(annotation, Text(ingress.Metadata.Annotations));
        Assert.Equal(
            expected is null ? """[{"hosts":["h.example"]}]""" : $$"""[{"hosts":["h.example"],"secretName":"{{expected}}"}]""", ingress.Spec.Tls!.Value.GetRawText());
    }

    [Theory]
    [InlineData("traefik", false, "traefik.ingress.kubernetes.io/router.entrypoints=web")]
    [InlineData("traefik", true, "traefik.ingress.kubernetes.io/router.entrypoints=web traefik.ingress.kubernetes.io/router.tls=true")]
    [InlineData("nginx", true, "nginx.ingress.kubernetes.io/ssl-redirect=false")]
    [InlineData("istio", true, "kubernetes.io/ingress.class=istio")]
    [InlineData("haproxy", true, "")]
    public void EachClassGetsTheAnnotationsThatItsControllerNeeds(string ingressClass, bool tls, string expected)
    {
        var ingress = Build(
            new MCPServerSpec { Image = "i", IngressClass = ingressClass }, new OperatorSettings { DefaultIngressTls = tls });

        Assert.Equal(ingressClass, ingress.Spec.IngressClassName);
        Assert.Equal(expected, Text(ingress.Metadata.Annotations));
    }

    [Fact]
    public void TheUsersAnnotationsWin() =>
        Assert.Equal(
            "a=b traefik.ingress.kubernetes.io/router.entrypoints=websecure",
            Text(Build(new MCPServerSpec
            {
                Image = "i",
                IngressAnnotations = new Dictionary<string, string>
                {
                    ["a"] = "b",
                    ["traefik.ingress.kubernetes.io/router.entrypoints"] = "websecure",
                },
            }).Metadata.Annotations));

    [Theory]
    [InlineData("h.example", null, null, "h.example", "/demo/mcp")]
    [InlineData("h.example", "tools", null, "h.example", "/tools/mcp")]
    [InlineData(null, "/tools/", null, null, "/tools/mcp")]
    [InlineData("h.example", null, "own", "h.example", "/own")]
    [InlineData(null, null, null, null, "/demo/mcp")]
    public void HostAndPathComeFromTheSpec(string? host, string? prefix, string? path, string? ruleHost, string rulePath)
    {
        var rule = Build(new MCPServerSpec { Image = "i", IngressHost = host, PublicPathPrefix = prefix, IngressPath = path })
            .Spec.Rules.Single();

        Assert.Equal((ruleHost, rulePath), (rule.Host, rule.Http.Paths.Single().Path));
    }

    [Theory]
    [InlineData("oauth", null, "/demo/mcp /.well-known/oauth-protected-resource/demo/mcp")]
    [InlineData("oauth", "tools/", "/tools/ /.well-known/oauth-protected-resource/tools/")]
    [InlineData("oauth", "/", "/ /.well-known/oauth-protected-resource")]
    [InlineData("header", null, "/demo/mcp")]
    [InlineData("none", null, "/demo/mcp")]
    public void WithOAuthTheMetadataOfTheResourceIsServedToo(string mode, string? path, string expected)
    {
        var server = SampleServers.WithGateway(
            new MCPServerSpec { ServicePort = 81, IngressPath = path, Auth = new AuthConfig { Mode = mode, IssuerURL = "https://id.example" } });

        var paths = IngressKind.Build(server, SampleServers.Settings).Spec.Rules.Single().Http.Paths;

        Assert.Equal(expected, string.Join(' ', paths.Select(one => one.Path)));
        Assert.All(paths, one => Assert.Equal(
            ("Prefix", "demo", 81), (one.PathType, one.Backend.Service.Name, one.Backend.Service.Port.Number)));
        Assert.Single(IngressKind.Build(SampleServers.Off(server), SampleServers.Settings).Spec.Rules.Single().Http.Paths);
    }

    [Fact]
    public void AnOldApiServerIsFirstGivenTheIngressWithoutTheClassAnnotation()
    {
        var ingress = Build(new MCPServerSpec { Image = "i", IngressClass = "istio" });

        Assert.Null(IngressKind.ForOldCreate(ingress)!.Metadata.Annotations);
        Assert.Null(IngressKind.ForOldCreate(Build(new MCPServerSpec { Image = "i" })));
    }

    private static Ingress Build(MCPServerSpec spec, OperatorSettings? settings = null) =>
        IngressKind.Build(SampleServers.Effective(spec, settings), settings ?? SampleServers.Settings);

    private static string Text(IReadOnlyDictionary<string, string>? annotations) =>
        string.Join(' ', (annotations ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"{pair.Key}={pair.Value}"));
}
