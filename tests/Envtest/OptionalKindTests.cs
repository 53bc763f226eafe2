namespace McpOperator.Envtest;

/// <summary>Kinds of other projects: absent, installed later, removed while the operator runs.</summary>
public sealed class OptionalKindTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static readonly string[] Kinds = ["httproutes", "certificates"];

    [Fact]
    public async Task WhatIsMissingIsToldToWhoWantsItAndNoticedWhenItComesAndGoes()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/plain:1", "plain");
        await scenario.EventuallyConditionAsync("IngressReady", "True IngressCreated", "plain");
        await scenario.RollOutAsync("plain");
        await scenario.EventuallyPhaseAsync("Ready", "plain");
        // Whoever does not use them pays nothing for them.
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => Kinds.Contains(request.Resource));

        await scenario.CreateServerAsync("{image: 'example.org/web:1', route: HTTPRoute, httpRoute: {parentRefs: [{name: own}]}}");
        await scenario.CreateServerAsync("{image: 'example.org/tls:1', ingressHost: a.example.org, tls: {issuer: {name: ca}}}", "tls");
        var status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False NotInstalled");
        Assert.Equal(
            "the cluster has no HTTPRoute of gateway.networking.k8s.io/v1: install the CustomResourceDefinition httproutes.gateway.networking.k8s.io",
            (string?)ServerScenario.Condition(status, "HTTPRouteReady")!["message"]);
        await scenario.RollOutAsync();
        await scenario.EventuallyConditionAsync("DeploymentReady", "True DeploymentAvailable");
        await scenario.RollOutAsync("tls");
        // Of a certificate nothing is said where cert-manager is not.
        status = await scenario.EventuallyPhaseAsync("Ready", "tls");
        Assert.Equal("", ServerScenario.StatusAndReason(status, "CertificateReady"));

        await scenario.ControlPlane.InstallCrdsAsync(Repository.PathTo("tests", "Envtest", "Data", "crds"));
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        await scenario.EventuallyConditionAsync("CertificateReady", "False CertificatePending", "tls");
        await HttpRouteTests.AcceptAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");

        foreach (var crd in (string[])["httproutes.gateway.networking.k8s.io", "certificates.cert-manager.io"])
            await scenario.Client.DeleteAsync(Resource.CustomResourceDefinitions, null, crd);
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False NotInstalled");
        await scenario.EventuallyPhaseAsync("Ready", "tls");
        await scenario.EditAndSettleAsync("route: null");
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("", ServerScenario.StatusAndReason(status, "HTTPRouteReady"));
        Assert.Empty(scenario.Operator!.Complaints);
    }
}
