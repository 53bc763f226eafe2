using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>A route is free for the next at the moment in which the operator itself says that it is served no more.</summary>
public sealed class RouteReleaseTests(ControlPlaneFixture fixture)
{
    private const string Same = "{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /same}";
    private const string Older = "a-older";
    private const string Younger = "b-younger";

    /// <summary>What finalizers hold is deleted once, and serves until it is gone.</summary>
    [Theory]
    [InlineData("ingressPath: /same", "False RouteConflict")]
    [InlineData("route: None", "False Terminating")]
    public async Task AnIngressThatIsHeldByItsFinalizersKeepsItsRoute(string edit, string told)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Same, Older);
        await scenario.SettledAsync(Older);
        const string Moving = "c-moving";
        await scenario.CreateServerAsync("{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /left}", Moving);
        await scenario.SettledAsync(Moving);
        await scenario.Client.PatchAsync(
            Resource.Ingresses, scenario.Namespace.Name, Moving, """{"metadata": {"finalizers": ["example.org/held"]}}""");

        await scenario.EditServerAsync(edit, Moving);
        await scenario.EventuallyConditionAsync("IngressReady", told, Moving);
        await scenario.CreateServerAsync("{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /left}", Younger);
        await IsAsync("False RouteConflict");
        await scenario.PassAsync(Moving);
        await scenario.PassAsync(Moving);
        await IsAsync("False RouteConflict");
        Assert.Single(await scenario.WritesAsync(Moving), request => request.Verb == "delete");

        await scenario.Client.PatchAsync(Resource.Ingresses, scenario.Namespace.Name, Moving, """{"metadata": {"finalizers": null}}""");
        await IsAsync("True IngressCreated");
        var status = (await scenario.SettledAsync(Moving))["status"]!;
        Assert.Equal((told == "False Terminating" ? "" : told, null), (ServerScenario.StatusAndReason(status, "IngressReady"), (string?)status["url"]));

        Task IsAsync(string reason) => scenario.EventuallyStatusAsync(
            $"the younger one was {reason}", seen => ServerScenario.StatusAndReason(seen, "IngressReady") == reason, Younger);
    }

    /// <summary>
    /// A server whose spec is invalid keeps the route that it serves, as its status says; without an Ingress it serves none. The operator's own write of
    /// that status is answered before the watch tells of it.
    /// </summary>
    [Fact]
    public async Task AnInvalidServerThatLosesItsIngressGivesItsRouteAway()
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        using var lag = front.FailEvents(request => request.IsOf(Resource.MCPServers), async (exchange, line) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), exchange.Cancellation);
            await exchange.WriteAsync(line + '\n');
            return true;
        });
        await using var scenario = await ServerScenario.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.Permissive, "--kubeconfig", front.Kubeconfig);
        await scenario.CreateServerAsync(Same, Older);
        await scenario.SettledAsync(Older);
        await scenario.CreateServerAsync(Same, Younger);
        await IsAsync("False RouteConflict");
        await scenario.EditServerAsync("gateway: {enabled: true}", Older);
        var status = await scenario.EventuallyPhaseAsync("Error", Older);
        Assert.Contains("spec.gateway.image", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal("http://x.example.org/same", (string?)status["url"]);
        await IsAsync("False RouteConflict");

        await scenario.Client.DeleteAsync(Resource.Ingresses, scenario.Namespace.Name, Older);
        await scenario.EventuallyStatusAsync("it reported no route", seen => seen["url"] is null, Older);

        await IsAsync("True IngressCreated");
        Assert.NotEmpty(OwnedLeaves.Of(await scenario.IngressAsync(Younger)));

        Task IsAsync(string reason) => scenario.EventuallyStatusAsync(
            $"the younger one was {reason}", seen => ServerScenario.StatusAndReason(seen, "IngressReady") == reason, Younger);
    }
}
