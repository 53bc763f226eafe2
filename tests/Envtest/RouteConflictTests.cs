using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// Two servers that want the same host and path: whoever serves it keeps it, else the older has it. The names are in the order
/// of their ages, since creation times have whole seconds and the names decide between equals.
/// </summary>
public sealed class RouteConflictTests(ControlPlaneFixture fixture)
{
    private const string Same = "{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /same}";
    private const string Own = "{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /own}";
    private const string Metadata = "/.well-known/oauth-protected-resource";
    private const string OAuth =
        "{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /same, "
        + "gateway: {enabled: true, image: 'example.org/gateway:1'}, auth: {mode: oauth, issuerURL: 'https://id.example.org'}}";
    private const string Older = "a-older";
    private const string Younger = "b-younger";

    [Fact]
    public async Task TheYoungerOneGetsNoIngressUntilTheOlderIsDeleted()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await CreateAsync(scenario, Same, Same);

        var status = await ConflictAsync(scenario, Younger);
        Assert.Contains($"{scenario.Namespace.Name}/{Older} has the route x.example.org/same", (string)status["message"]!);
        // It leads nobody anywhere.
        Assert.Null(status["url"]);
        Assert.Null(await FindIngressAsync(scenario, Younger));
        Assert.NotNull(await FindIngressAsync(scenario, Older));
        // Everything else of it is there.
        Assert.NotEmpty(OwnedLeaves.Of(await scenario.DeploymentAsync(Younger)));
        Assert.NotEmpty(OwnedLeaves.Of(await scenario.ServiceAsync(Younger)));

        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, Older);
        await FreeAsync(scenario, Younger);
        Assert.Equal("http://x.example.org/same", (string?)(await scenario.ServerAsync(Younger))["status"]!["url"]);
        // Nobody had taken it away.
        await Eventually.TrueAsync(
            "its Ingress was told as created, as its other objects were",
            async () => (await scenario.Client.ListAsync(Resource.Events, scenario.Namespace.Name))
                .Where(told => (string?)told["regarding"]!["name"] == Younger).ToDictionary(told => (string)told["reason"]!, told => (int?)told["series"]?["count"]),
            told => told.GetValueOrDefault("Created") == 2 && !told.ContainsKey("Repaired"));
    }

    [Fact]
    public async Task AYoungerOneKeepsTheRouteThatItServesFromAnOlderThatMovesThereAlsoAfterARestart()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await CreateAsync(scenario, Own, Same);
        await FreeAsync(scenario, Younger);
        var ingress = await UidAsync();

        await scenario.EditServerAsync("ingressPath: /same", Older);
        var status = await ConflictAsync(scenario, Older);
        Assert.Contains($"MCPServer {scenario.Namespace.Name}/{Younger} has the route x.example.org/same", (string)status["message"]!);
        Assert.Null(status["url"]);
        await Eventually.TrueAsync("the older one's Ingress was gone", () => FindIngressAsync(scenario, Older), gone => gone is null);
        await ServesAsync();

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.PassAsync(Older);
        await scenario.PassAsync(Younger);
        await ServesAsync();
        Assert.Null(await FindIngressAsync(scenario, Older));

        // It waits for the route, and gets it when the other leaves it.
        await scenario.EditServerAsync("ingressPath: /elsewhere", Younger);
        await FreeAsync(scenario, Older);
        await FreeAsync(scenario, Younger);

        async Task<string> UidAsync() => (string)(await scenario.IngressAsync(Younger))["metadata"]!["uid"]!;

        async Task ServesAsync()
        {
            await FreeAsync(scenario, Younger);
            Assert.Equal(ingress, await UidAsync());
            Assert.Equal("http://x.example.org/same", (string?)(await scenario.ServerAsync(Younger))["status"]!["url"]);
        }
    }

    [Theory]
    [InlineData("/same")]
    [InlineData("/same/")]
    [InlineData("/same/deeper")]
    public async Task NobodyOfAnotherNamespaceGetsARouteAtOrBelowAnOAuthMetadataPath(string path)
    {
        await using var first = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var second = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await first.GrantInAsync(second);
        await using var process = await StartAsync(first, second);
        await CreateAsync(first, OAuth);
        await ReasonAsync(first, "True IngressCreated");

        await CreateAsync(second, $"{{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: {Metadata}{path}}}");

        var status = (await ReasonAsync(second, "False RouteConflict"))["status"]!;
        Assert.Contains($"MCPServer {first.Name}/web", (string)status["message"]!);
        Assert.Null(status["url"]);
        Assert.Null(await fixture.Client.FindAsync(Resource.Ingresses, second.Name, "web"));

        // Without OAuth there is no such path.
        await fixture.Client.PatchAsync(
            Resource.MCPServers, first.Name, "web", new JsonObject { ["spec"] = Manifest.Parse("auth: {mode: header}") });
        await ReasonAsync(second, "True IngressCreated");

        // It is served now: who asks for OAuth again is told so.
        await fixture.Client.PatchAsync(
            Resource.MCPServers, first.Name, "web", new JsonObject { ["spec"] = Manifest.Parse("auth: {mode: oauth}") });
        await ReasonAsync(first, "False RouteConflict");
        Assert.NotNull(await fixture.Client.FindAsync(Resource.Ingresses, second.Name, "web"));
    }

    [Fact]
    public async Task AYoungerOneThatMovesToTheRouteOfAnOlderLosesItsIngressAndGetsOneAgainElsewhere()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await CreateAsync(scenario, Same, Own);
        await FreeAsync(scenario, Younger);

        // As an ingress controller compares: with a slash at the end it is the same path.
        await scenario.EditServerAsync("ingressPath: /same/", Younger);
        await ConflictAsync(scenario, Younger);
        await Eventually.TrueAsync("the younger one's Ingress was gone", () => FindIngressAsync(scenario, Younger), ingress => ingress is null);

        await scenario.EditServerAsync("ingressPath: /elsewhere", Younger);
        await FreeAsync(scenario, Younger);
        Assert.Equal("/elsewhere", (string)(await scenario.IngressAsync(Younger))["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["path"]!);
    }

    [Theory]
    [InlineData("another host", "{image: 'example.org/hello:1', ingressHost: y.example.org, ingressPath: /same}")]
    [InlineData("no host", "{image: 'example.org/hello:1', ingressPath: /same}")]
    [InlineData("another path", Own)]
    [InlineData("a longer path", "{image: 'example.org/hello:1', ingressHost: x.example.org, ingressPath: /same/deeper}")]
    [InlineData("a wildcard", "{image: 'example.org/hello:1', ingressHost: '*.example.org', ingressPath: /same}")]
    public async Task DifferentRoutesDoNotConflict(string what, string younger)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await CreateAsync(scenario, Same, younger);

        await FreeAsync(scenario, Older);
        await FreeAsync(scenario, Younger);
        Assert.NotNull(what);
    }

    [Fact]
    public async Task TheThirdInLineWaitsForTheSecond()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await CreateAsync(scenario, Same, Same);
        await scenario.CreateServerAsync(Same, "c-youngest");
        await ConflictAsync(scenario, "c-youngest");

        await scenario.EditServerAsync("ingressPath: /own", Older);
        await FreeAsync(scenario, Younger);
        var status = await scenario.EventuallyStatusAsync(
            "the third one named the second", seen => ((string)seen["message"]!).Contains($"/{Younger} has the route", StringComparison.Ordinal), "c-youngest");

        Assert.Equal("False RouteConflict", ServerScenario.StatusAndReason(status, "IngressReady"));
    }

    [Fact]
    public async Task ServersOfTwoNamespacesConflictToo()
    {
        await using var first = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var second = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await first.GrantInAsync(second);
        var (older, younger) = string.CompareOrdinal(first.Name, second.Name) < 0 ? (first, second) : (second, first);
        await using var process = await StartAsync(first, second);

        foreach (var ns in new[] { older, younger })
        {
            await CreateAsync(ns, Same);
            await ReasonAsync(ns, ns == older ? "True IngressCreated" : "False RouteConflict");
        }
        Assert.Null(await fixture.Client.FindAsync(Resource.Ingresses, younger.Name, "web"));

        await fixture.Client.DeleteAsync(Resource.MCPServers, older.Name, "web");
        await ReasonAsync(younger, "True IngressCreated");
        Assert.NotNull(await fixture.Client.FindAsync(Resource.Ingresses, younger.Name, "web"));
    }

    /// <summary>One operator for both namespaces.</summary>
    private Task<OperatorProcess> StartAsync(TestNamespace first, TestNamespace second) => OperatorProcess.StartAsync(fixture.ControlPlane, first, new()
    {
        Arguments = ["--watch-namespaces", $"{first},{second}"],
        Environment = ServerScenario.Permissive,
    });

    private Task<JsonObject> CreateAsync(TestNamespace ns, string spec) => fixture.Client.CreateAsync(new JsonObject
    {
        ["apiVersion"] = Resource.MCPServers.ApiVersion,
        ["kind"] = "MCPServer",
        ["metadata"] = new JsonObject { ["name"] = "web" },
        ["spec"] = Manifest.Parse(spec),
    }, ns.Name);

    private Task<JsonObject> ReasonAsync(TestNamespace ns, string reason) => Eventually.TrueAsync(
        $"the Ingress of {ns}/web was {reason}",
        () => fixture.Client.GetAsync(Resource.MCPServers, ns.Name, "web"),
        server => server["status"] is { } status && ServerScenario.StatusAndReason(status, "IngressReady") == reason);

    private static async Task CreateAsync(ServerScenario scenario, string older, string younger)
    {
        await scenario.CreateServerAsync(older, Older);
        await scenario.SettledAsync(Older);
        await scenario.CreateServerAsync(younger, Younger);
    }

    private static Task<JsonNode> ConflictAsync(ServerScenario scenario, string name) => scenario.EventuallyStatusAsync(
        $"{name} had a conflict",
        status => ServerScenario.StatusAndReason(status, "IngressReady") == "False RouteConflict"
            && ServerScenario.StatusAndReason(status, "Ready") == "False RouteConflict" && (string?)status["phase"] == "Error",
        name);

    /// <summary>It has its Ingress, and reports it for its current generation.</summary>
    private static async Task FreeAsync(ServerScenario scenario, string name)
    {
        await scenario.EventuallyAsync(
            $"{name} had its route",
            server => server["status"] is { } status && ServerScenario.StatusAndReason(status, "IngressReady") == "True IngressCreated"
                && (long)status["observedGeneration"]! == (long)server["metadata"]!["generation"]!,
            name);
        Assert.NotEmpty(OwnedLeaves.Of(await scenario.IngressAsync(name)));
    }

    private static Task<JsonObject?> FindIngressAsync(ServerScenario scenario, string name) =>
        scenario.Client.FindAsync(Resource.Ingresses, scenario.Namespace.Name, name);
}
