using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>TLS at the Ingress. A test plays cert-manager, which makes a Certificate with the Ingress' labels and owned by it.</summary>
public sealed class TlsTests(HttpRouteTests.WithGatewayApi own) : IClassFixture<HttpRouteTests.WithGatewayApi>
{
    private const string Spec = "{image: 'example.org/web:1', ingressHost: mcp.example.org, tls: {issuer: {kind: ClusterIssuer, name: ca}}}";

    [Fact]
    public async Task WhatBecomesOfTheCertificateIsTold()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require());
        await scenario.CreateServerAsync(Spec);
        var status = await scenario.EventuallyConditionAsync("CertificateReady", "False CertificatePending");
        var ingress = await scenario.IngressAsync();
        ServerScenario.AssertJson("{hosts: [mcp.example.org], secretName: web-tls}", ingress["spec"]!["tls"]![0]);
        Assert.Equal("ca", (string?)ingress["metadata"]!["annotations"]!["cert-manager.io/cluster-issuer"]);
        Assert.Equal("https://mcp.example.org/web/mcp", (string?)status["url"]);
        await scenario.ServeIngressAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyConditionAsync("IngressReady", "True LoadBalancerAssigned");

        await MakeCertificateAsync(scenario, ingress);
        await CertificateAsync(scenario, "False", "Issuing certificate as Secret does not exist");
        status = await scenario.EventuallyConditionAsync("CertificateReady", "False CertificateNotReady");
        Assert.Equal(
            "Issuing certificate as Secret does not exist (Certificate web-tls, ClusterIssuer ca)", (string?)ServerScenario.Condition(status, "CertificateReady")!["message"]);
        Assert.Equal("False CertificateNotReady", ServerScenario.StatusAndReason(status, "Ready"));
        await CertificateAsync(scenario, "True", "Certificate is up to date and has not expired");
        await scenario.EventuallyPhaseAsync("Ready");
        await CertificateAsync(scenario, "False", "Certificate expired on Mon");
        await scenario.EventuallyConditionAsync("Ready", "False CertificateNotReady");

        await scenario.EditAndSettleAsync("tls: null");
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("", ServerScenario.StatusAndReason(status, "CertificateReady"));
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
        Assert.Null((await scenario.IngressAsync())["spec"]!["tls"]);
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => request.Resource == "secrets");
    }

    [Fact]
    public async Task ACertificateThatIsAwaitedKeepsAnHttpRouteServing()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', ingressHost: mcp.example.org, route: HTTPRoute, httpRoute: {parentRefs: [{name: own}]}}");
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        await HttpRouteTests.AcceptAsync(scenario);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.EditAndSettleAsync("{route: Ingress, tls: {issuer: {name: ca}}}");
        await scenario.EventuallyConditionAsync("CertificateReady", "False CertificatePending");
        await MakeCertificateAsync(scenario, await scenario.IngressAsync());
        await CertificateAsync(scenario, "False", "not yet");
        await scenario.EventuallyConditionAsync("CertificateReady", "False CertificateNotReady");
        Assert.NotNull(await scenario.Client.FindAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name));
        await CertificateAsync(scenario, "True", "issued");
        await scenario.EventuallyPhaseAsync("Ready");
        await Eventually.TrueAsync(
            "the HTTPRoute was gone", () => scenario.Client.FindAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name), route => route is null);
    }

    /// <summary>cert-manager makes one Certificate for all Ingresses that name its Secret, and it is the first one's.</summary>
    [Fact]
    public async Task ServersThatShareACertificateAllHearOfIt()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), ServerScenario.Permissive);
        const string Other = "other";
        const string Shared = "{image: 'example.org/web:1', ingressHost: mcp.example.org, tls: {secretName: web-tls, issuer: {name: ca}}}";
        await scenario.CreateServerAsync(Shared);
        await scenario.CreateServerAsync(Shared, Other);
        await scenario.EventuallyConditionAsync("CertificateReady", "False CertificatePending");
        await scenario.RollOutAsync();
        await scenario.EventuallyConditionAsync("CertificateReady", "False CertificatePending", Other);
        await scenario.RollOutAsync(Other);

        await MakeCertificateAsync(scenario, await scenario.IngressAsync());
        await CertificateAsync(scenario, "True", "issued");
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.EventuallyPhaseAsync("Ready", Other);
        // Nobody looks at what is ready, but for news.
        await CertificateAsync(scenario, "False", "expired");
        await scenario.EventuallyConditionAsync("Ready", "False CertificateNotReady");
        await scenario.EventuallyConditionAsync("Ready", "False CertificateNotReady", Other);
    }

    private static Task<JsonObject> MakeCertificateAsync(ServerScenario scenario, JsonObject ingress) => scenario.Client.CreateAsync(
        new JsonObject
        {
            ["apiVersion"] = Resource.Certificates.ApiVersion,
            ["kind"] = Resource.Certificates.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = (string?)ingress["spec"]!["tls"]![0]!["secretName"],
                ["labels"] = ingress["metadata"]!["labels"]!.DeepClone(),
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = Resource.Ingresses.ApiVersion,
                    ["kind"] = Resource.Ingresses.Kind,
                    ["name"] = ServerScenario.Name,
                    ["uid"] = (string?)ingress["metadata"]!["uid"],
                    ["controller"] = true,
                    ["blockOwnerDeletion"] = true,
                }),
            },
            ["spec"] = new JsonObject { ["secretName"] = "web-tls", ["issuerRef"] = new JsonObject { ["name"] = "ca" } },
        },
        scenario.Namespace.Name);

    private static Task<JsonObject> CertificateAsync(ServerScenario scenario, string status, string message) => scenario.Client.PatchStatusAsync(
        Resource.Certificates, scenario.Namespace.Name, "web-tls", new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = status, ["reason"] = "Any", ["message"] = message }),
        });
}
