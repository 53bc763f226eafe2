using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The HTTPRoute of a server whose spec asks for one. A test plays the controller of its Gateway.</summary>
public sealed class HttpRouteTests(HttpRouteTests.WithGatewayApi own) : IClassFixture<HttpRouteTests.WithGatewayApi>
{
    private const string Route = "route: HTTPRoute, httpRoute: {parentRefs: [{namespace: edge, name: shared}]}";
    private const string Spec = $"{{image: 'example.org/web:1', ingressHost: mcp.example.org, {Route}}}";

    [Fact]
    public async Task ItIsMadeKeptAndTakenAwayAndARestartWritesNothing()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require());
        await scenario.CreateServerAsync(Spec);
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        var made = await RouteAsync(scenario);
        ServerScenario.AssertJson(
            """
            parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: edge, name: shared}]
            hostnames: [mcp.example.org]
            rules:
            - matches: [{path: {type: PathPrefix, value: /web/mcp}}]
              backendRefs: [{kind: Service, name: web, port: 80, weight: 1}]
              timeouts: {request: 0s}
            """, made!["spec"]);
        Assert.Equal("MCPServer", (string?)made["metadata"]!["ownerReferences"]![0]!["kind"]);
        await AcceptAsync(scenario);
        await scenario.RollOutAsync();
        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
        Assert.Equal("", ServerScenario.StatusAndReason(status, "IngressReady"));
        Assert.Null(await scenario.Client.FindAsync(Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name));

        await scenario.Client.PatchAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name, """{"spec": {"hostnames": ["other.example.org"]}}""");
        await EventuallyAsync(scenario, "its host was put right", route => (string?)route?["spec"]!["hostnames"]![0] == "mcp.example.org");
        await scenario.Client.DeleteAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name);
        await EventuallyAsync(scenario, "it was made again", route => route is not null);
        await AcceptAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");

        // What a controller has said of it before an edit is not what it says of it now.
        await scenario.EditAndSettleAsync("{httpRoute: {hostnames: [a.example.org, b.example.org], timeouts: {request: 1h}}, tls: {}}");
        status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        Assert.Equal("https://a.example.org/web/mcp", (string?)status["url"]);
        Assert.Equal("1h", (string?)(await RouteAsync(scenario))!["spec"]!["rules"]![0]!["timeouts"]!["request"]);
        await AcceptAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");

        var writes = (await scenario.WritesAsync()).Count;
        await scenario.StartOperatorAsync(arguments: [.. ServerScenario.OneWorker]);
        await scenario.PassAsync();
        Assert.Equal(writes, (await scenario.WritesAsync()).Count);

        await scenario.EditAndSettleAsync("route: None");
        await EventuallyAsync(scenario, "it was gone", route => route is null);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("", ServerScenario.StatusAndReason(status, "HTTPRouteReady"));
        Assert.Null(status["url"]);
    }

    [Fact]
    public async Task FromAnIngressAndBackOneOfTheTwoServesAlsoOverARestart()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require());
        await scenario.CreateServerAsync("{image: 'example.org/web:1', ingressHost: mcp.example.org}");
        await scenario.EventuallyConditionAsync("IngressReady", "False LoadBalancerPending");
        await scenario.ServeIngressAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.EditAndSettleAsync($"{{{Route.Replace("}]}", "}], hostnames: [gw.example.org]}", StringComparison.Ordinal)}}}");
        var status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        Assert.EndsWith("the Ingress serves until then", (string)ServerScenario.Condition(status, "HTTPRouteReady")!["message"]!, StringComparison.Ordinal);
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
        // What is edited meanwhile reaches it.
        await scenario.EditAndSettleAsync("servicePort: 8080");
        var kept = await scenario.IngressAsync();
        Assert.Equal(8080, (int?)kept["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["backend"]!["service"]!["port"]!["number"]);
        Assert.Equal("mcp.example.org", (string?)kept["spec"]!["rules"]![0]!["host"]);
        // But for its route: it is not asked for any more, so that nobody would be asked whether another one is free.
        status = await EditAsync("ingressHost: theirs.example.org");
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
        await EditAsync("ingressHost: mcp.example.org");
        await AcceptAsync(scenario);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("http://gw.example.org/web/mcp", (string?)status["url"]);
        await IngressAsync(scenario, isThere: false);

        async Task<JsonNode> EditAsync(string spec)
        {
            var settled = await scenario.EditAndSettleAsync(spec);
            Assert.Equal("mcp.example.org", (string?)(await scenario.IngressAsync())["spec"]!["rules"]![0]!["host"]);
            return settled["status"]!;
        }

        await scenario.EditAndSettleAsync("{route: Ingress, httpRoute: null}");
        status = await scenario.EventuallyConditionAsync("IngressReady", "False LoadBalancerPending");
        Assert.Equal("True HTTPRouteAccepted", ServerScenario.StatusAndReason(status, "HTTPRouteReady"));
        Assert.Equal("http://gw.example.org/web/mcp", (string?)status["url"]);
        // The next operator knows of it, though no spec asks for one.
        await scenario.StopOperatorAsync();
        await scenario.ServeIngressAsync();
        Assert.NotNull(await RouteAsync(scenario));
        await scenario.StartOperatorAsync();
        await EventuallyAsync(scenario, "it was gone", route => route is null);
        status = await scenario.EventuallyStatusAsync("it was forgotten", now => ServerScenario.StatusAndReason(now, "HTTPRouteReady").Length == 0);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
    }

    /// <summary>Its class, its certificate and its annotations are the Ingress', and may all go with the edit that asks for an HTTPRoute.</summary>
    [Fact]
    public async Task AnIngressThatServesUntilAnHttpRouteDoesStaysAsItIs()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), environment: null, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(
            "{image: 'example.org/web:1', ingressHost: mcp.example.org, ingressClass: nginx, tls: {secretName: mine}, ingressAnnotations: {example.org/a: b}}");
        await scenario.EventuallyConditionAsync("IngressReady", "False LoadBalancerPending");
        await scenario.ServeIngressAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var before = await scenario.IngressAsync();

        await scenario.EditAndSettleAsync($"{{{Route}, ingressClass: null, tls: {{secretName: null}}, ingressAnnotations: null}}");
        var status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        await scenario.PassAsync();
        ServerScenario.AssertJson(before["spec"]!, (await scenario.IngressAsync())["spec"]);
        ServerScenario.AssertJson(before["metadata"]!["annotations"]!, (await scenario.IngressAsync())["metadata"]!["annotations"]);
        Assert.Equal("True IngressCreated", ServerScenario.StatusAndReason(status, "IngressReady"));
        Assert.Equal("it stays until the HTTPRoute serves", (string?)ServerScenario.Condition(status, "IngressReady")!["message"]);

        await AcceptAsync(scenario);
        status = await scenario.EventuallyPhaseAsync("Ready");
        await IngressAsync(scenario, isThere: false);
        await scenario.EventuallyStatusAsync("it was forgotten", now => ServerScenario.StatusAndReason(now, "IngressReady").Length == 0);
    }

    [Fact]
    public async Task AnHttpRouteThatFinalizersHoldKeepsItsHostAndNotTheUrl()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), ServerScenario.Permissive);
        await scenario.CreateServerAsync(Spec);
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        await AcceptAsync(scenario);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.Client.PatchAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": ["example.org/held"]}}""");

        await scenario.EditServerAsync("{route: Ingress, httpRoute: null, ingressHost: new.example.org}");
        var status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False Terminating");
        Assert.Equal("http://new.example.org/web/mcp", (string?)status["url"]);
        Assert.Equal("False Terminating", ServerScenario.StatusAndReason(status, "Ready"));
        await scenario.CreateServerAsync($"{{image: 'example.org/b:1', ingressHost: mcp.example.org, ingressPath: /web/mcp, {Route}}}", "other");
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False RouteConflict", "other");

        await scenario.Client.PatchAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": null}}""");
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending", "other");
    }

    [Fact]
    public async Task WhatAControllerRefusesIsToldInItsWords()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require());
        await scenario.CreateServerAsync(Spec);
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending");
        await scenario.RollOutAsync();

        await AcceptAsync(scenario, "Accepted", "False", "NotAllowedByListeners", "No listener of edge/shared lets in routes of this namespace.");
        var status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRouteNotAccepted");
        Assert.Equal(
            "Gateway edge/shared does not serve it: NotAllowedByListeners: No listener of edge/shared lets in routes of this namespace "
                + "(allowedRoutes of the Gateway's listeners must let in routes of this namespace)",
            (string?)ServerScenario.Condition(status, "HTTPRouteReady")!["message"]);
        Assert.Equal("False HTTPRouteNotAccepted", ServerScenario.StatusAndReason(status, "Ready"));

        await AcceptAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Fact]
    public async Task WhatIsNotOursIsLeftAloneAndARouteThatIsTakenIsTold()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: 'example.org/a:1', ingressHost: mcp.example.org, ingressPath: /same, ingressClass: nginx}", "a");
        await scenario.EventuallyConditionAsync("IngressReady", "True IngressCreated", "a");
        await scenario.Client.CreateAsync(
            "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web}, spec: {hostnames: [theirs.example.org]}}", scenario.Namespace.Name);
        var theirs = await RouteAsync(scenario);
        await scenario.CreateServerAsync(Spec);
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False NameConflict");

        await scenario.CreateServerAsync($"{{image: 'example.org/b:1', ingressHost: mcp.example.org, ingressPath: /same, {Route}}}", "b");
        var status = await scenario.EventuallyConditionAsync("HTTPRouteReady", "False RouteConflict", "b");
        Assert.Contains("MCPServer " + scenario.Namespace.Name + "/a has the route mcp.example.org/same", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Null(await scenario.Client.FindAsync(Resource.HttpRoutes, scenario.Namespace.Name, "b"));
        Assert.Null(status["url"]);

        await scenario.EditServerAsync("route: None", "a");
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False HTTPRoutePending", "b");
        await scenario.EditAndSettleAsync("route: None");
        ServerScenario.AssertJson(theirs, await RouteAsync(scenario));
    }

    private static Task<JsonObject?> RouteAsync(ServerScenario scenario) =>
        scenario.Client.FindAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name);

    private static Task<JsonObject?> EventuallyAsync(ServerScenario scenario, string what, Func<JsonObject?, bool> condition) =>
        Eventually.TrueAsync(what, () => RouteAsync(scenario), condition);

    private static Task<JsonObject?> IngressAsync(ServerScenario scenario, bool isThere) => Eventually.TrueAsync(
        $"there was {(isThere ? "an" : "no")} Ingress", () => scenario.Client.FindAsync(Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name),
        ingress => ingress is not null == isThere);

    /// <summary>What the controller of its Gateway says of the route as it is.</summary>
    internal static async Task AcceptAsync(
        ServerScenario scenario, string type = "Accepted", string status = "True", string reason = "Accepted", string message = "ok")
    {
        var route = (await RouteAsync(scenario))!;
        JsonObject Condition(string type, string status, string reason, string message) => new()
        {
            ["type"] = type,
            ["status"] = status,
            ["reason"] = reason,
            ["message"] = message,
            ["lastTransitionTime"] = "2026-01-01T00:00:00Z",
            ["observedGeneration"] = (long)route["metadata"]!["generation"]!,
        };
        await scenario.Client.PatchStatusAsync(Resource.HttpRoutes, scenario.Namespace.Name, ServerScenario.Name, new JsonObject
        {
            ["parents"] = new JsonArray([.. route["spec"]!["parentRefs"]!.AsArray().Select(parent => new JsonObject
            {
                ["parentRef"] = parent!.DeepClone(),
                ["controllerName"] = "example.org/gateways",
                ["conditions"] = new JsonArray(
                    Condition("ResolvedRefs", "True", "ResolvedRefs", "ok"), Condition(type, status, reason, message)),
            })]),
        });
    }

    /// <summary>A control plane in which the Gateway API and cert-manager are installed.</summary>
    public sealed class WithGatewayApi : IAsyncLifetime
    {
        private readonly OwnControlPlane _own = new();

        public ControlPlane Require() => _own.Require();

        public ControlPlaneFixture Fixture => _own.Fixture;

        public async ValueTask InitializeAsync()
        {
            await _own.InitializeAsync();
            if (!new ControlPlaneOptions().UseExistingCluster)
                await _own.ControlPlane.InstallCrdsAsync(Repository.PathTo("tests", "Envtest", "Data", "crds"));
        }

        public ValueTask DisposeAsync() => _own.DisposeAsync();
    }
}
