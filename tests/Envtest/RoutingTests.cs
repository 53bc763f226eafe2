using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Ingress classes, hosts and paths, as the operator's configuration and the spec decide them together.</summary>
public sealed class RoutingTests(ControlPlaneFixture fixture)
{
    private const string EntryPoints = "traefik.ingress.kubernetes.io/router.entrypoints";
    private const string Tls = "traefik.ingress.kubernetes.io/router.tls";

    [Fact]
    public async Task TraefikGetsTheEntryPointsAndTheTlsOfTheOperator()
    {
        await using var scenario = await StartAsync(("MCP_DEFAULT_INGRESS_ENTRYPOINTS", "web,websecure"), ("MCP_DEFAULT_INGRESS_TLS", "true"));
        await scenario.CreateServerAsync("{image: example.org/web, ingressHost: mcp.example.org}");
        var status = (await scenario.SettledAsync())["status"]!;

        await AssertIngressAsync(scenario, "traefik", $"{{{EntryPoints}: 'web,websecure', {Tls}: 'true'}}", "mcp.example.org", "/web/mcp");
        Assert.Equal("https://mcp.example.org/web/mcp", (string?)status["url"]);

        await scenario.EditAndSettleAsync($"ingressAnnotations: {{{Tls}: 'false'}}");
        await AssertIngressAsync(scenario, "traefik", $"{{{EntryPoints}: 'web,websecure', {Tls}: 'false'}}", "mcp.example.org", "/web/mcp");
    }

    [Fact]
    public async Task TheClassOfTheOperatorIsForServersThatNameNone()
    {
        await using var scenario = await StartAsync(("DEFAULT_INGRESS_CLASS", "nginx"));
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.CreateServerAsync("{image: example.org/other, ingressClass: traefik}", "other");

        await scenario.SettledAsync();
        await AssertIngressAsync(scenario, "nginx", "{nginx.ingress.kubernetes.io/ssl-redirect: 'false'}", null, "/web/mcp");
        Assert.Equal("nginx", (string?)(await scenario.ServerAsync())["spec"]!["ingressClass"]);
        await scenario.SettledAsync("other");
        await AssertIngressAsync(scenario, "traefik", $"{{{EntryPoints}: web}}", null, "/other/mcp", "other");
    }

    [Fact]
    public async Task TheAnnotationOfTheUserWinsOverTheOneOfTheClass()
    {
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync(
            "{image: example.org/web, ingressClass: nginx, ingressAnnotations: {nginx.ingress.kubernetes.io/ssl-redirect: 'true'}}");

        await scenario.SettledAsync();
        await AssertIngressAsync(scenario, "nginx", "{nginx.ingress.kubernetes.io/ssl-redirect: 'true'}", null, "/web/mcp");
    }

    /// <summary>API servers before 1.27 refuse to create an Ingress that names its class in both ways.</summary>
    [Fact]
    public async Task AnIstioIngressHasItsClassAsFieldAndAsAnnotationFromTheStart()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, null, "--workers", "1");
        await scenario.CreateServerAsync("{image: example.org/web, ingressClass: istio}");

        var server = await scenario.SettledAsync();
        Assert.NotEqual("Error", (string?)server["status"]!["phase"]);
        await AssertIngressAsync(scenario, "istio", "{kubernetes.io/ingress.class: istio}", null, "/web/mcp");

        await scenario.PassAsync();
        var writes = await scenario.WritesAsync();
        await scenario.PassAsync();
        await scenario.PassAsync();
        Assert.Equal(writes, await scenario.WritesAsync());

        // The same, when the Ingress is made anew.
        await scenario.Client.DeleteAsync(Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name);
        await Eventually.PassesAsync(
            "the Ingress was back", () => AssertIngressAsync(scenario, "istio", "{kubernetes.io/ingress.class: istio}", null, "/web/mcp"));
    }

    [Fact]
    public async Task TheHostOfTheOperatorIsForServersThatNameNeitherHostNorPrefix()
    {
        await using var scenario = await StartAsync(("MCP_DEFAULT_INGRESS_HOST", "mcp.example.org"), ("DEFAULT_INGRESS_HOST", "old.example.org"));
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.CreateServerAsync("{image: example.org/web, ingressHost: own.example.org}", "own");
        await scenario.CreateServerAsync("{image: example.org/web, publicPathPrefix: team/a}", "prefixed");
        await scenario.CreateServerAsync("{image: example.org/web, ingressPath: /tools}", "pathed");

        await AssertRouteAsync("web", "mcp.example.org", "/web/mcp");
        await AssertRouteAsync("own", "own.example.org", "/own/mcp");
        await AssertRouteAsync("prefixed", null, "/team/a/mcp");
        await AssertRouteAsync("pathed", "mcp.example.org", "/tools");

        // What was written into the spec counts as given: a path beside it leads nowhere, and another default host changes nothing.
        await scenario.EditAndSettleAsync("ingressPath: /later");
        await AssertRouteAsync("web", "mcp.example.org", "/web/mcp");
        await scenario.EditAndSettleAsync("publicPathPrefix: null");
        await AssertRouteAsync("web", "mcp.example.org", "/later");
        await scenario.StartOperatorAsync(new Dictionary<string, string?> { ["MCP_DEFAULT_INGRESS_HOST"] = "new.example.org" });
        await scenario.EditAndSettleAsync("ingressPath: /latest");
        await AssertRouteAsync("web", "mcp.example.org", "/latest");
        await scenario.CreateServerAsync("image: example.org/web", "younger");
        await AssertRouteAsync("younger", "new.example.org", "/younger/mcp");

        async Task AssertRouteAsync(string name, string? host, string path)
        {
            await scenario.SettledAsync(name);
            await AssertIngressAsync(scenario, "traefik", $"{{{EntryPoints}: web}}", host, path, name);
        }
    }

    [Fact]
    public async Task TheOlderNameOfTheVariableForTheHostIsUnderstood()
    {
        await using var scenario = await StartAsync(("DEFAULT_INGRESS_HOST", "old.example.org"));
        await scenario.CreateServerAsync("image: example.org/web");

        await scenario.SettledAsync();
        await AssertIngressAsync(scenario, "traefik", $"{{{EntryPoints}: web}}", "old.example.org", "/web/mcp");
    }

    private Task<ServerScenario> StartAsync(params (string Name, string Value)[] environment) => ServerScenario.StartAsync(
        fixture, environment.ToDictionary(variable => variable.Name, variable => (string?)variable.Value));

    private static async Task AssertIngressAsync(
        ServerScenario scenario, string ingressClass, string annotations, string? host, string path, string name = ServerScenario.Name)
    {
        var ingress = await scenario.IngressAsync(name);
        ServerScenario.AssertJson(annotations, ingress["metadata"]!["annotations"]);
        var rule = new JsonObject
        {
            ["http"] = new JsonObject
            {
                ["paths"] = new JsonArray(Manifest.Parse(
                    $"{{path: {path}, pathType: Prefix, backend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}")),
            },
        };
        if (host is not null)
            rule["host"] = host;
        ServerScenario.AssertJson(new JsonObject { ["ingressClassName"] = ingressClass, ["rules"] = new JsonArray(rule) }, ingress["spec"]);
    }
}
