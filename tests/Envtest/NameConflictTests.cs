using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>An object of the server's name that somebody else made is left alone, and the server says so.</summary>
public sealed class NameConflictTests(ControlPlaneFixture fixture)
{
    private const string OtherController = """
        ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: other, uid: 9c0f7a3e-0000-4000-8000-000000000001, controller: true}]
        """;

    private const string OtherOperator = """
        ownerReferences: [{apiVersion: toolhive.stacklok.dev/v1alpha1, kind: MCPServer, name: namesake, uid: 9c0f7a3e-0000-4000-8000-000000000002, controller: true}]
        """;

    [Theory]
    [InlineData("Deployment", "namesake", OtherOperator, "is controlled by MCPServer namesake of toolhive.stacklok.dev/v1alpha1; it is left alone: rename")]
    [InlineData("Deployment", "bare", "{}", "was not made by this operator")]
    [InlineData("Deployment", "controlled", OtherController, "is controlled by ConfigMap other")]
    [InlineData("Deployment", "labelled", "labels: {app.kubernetes.io/managed-by: mcp-runtime}\n" + OtherController, "is controlled by ConfigMap other")]
    [InlineData("Service", "bare", "{}", "was not made by this operator")]
    [InlineData("Service", "controlled", OtherController, "is controlled by ConfigMap other")]
    [InlineData("Service", "labelled", "labels: {app.kubernetes.io/managed-by: mcp-runtime}\n" + OtherController, "is controlled by ConfigMap other")]
    // None of its fields is in the way of ours.
    [InlineData("Service", "other-port", "{}", "was not made by this operator")]
    [InlineData("Ingress", "bare", "{}", "was not made by this operator")]
    [InlineData("Ingress", "controlled", OtherController, "is controlled by ConfigMap other")]
    [InlineData("Ingress", "labelled", "labels: {app.kubernetes.io/managed-by: mcp-runtime}\n" + OtherController, "is controlled by ConfigMap other")]
    public async Task AForeignObjectIsLeftAloneUntilItIsGone(string kind, string name, string metadata, string why)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        var foreign = Foreign(kind, name);
        foreach (var (field, value) in Manifest.Parse(metadata))
            foreign["metadata"]![field] = value?.DeepClone();
        var resource = Resource.Of(foreign);
        var before = await scenario.Client.CreateAsync(foreign, scenario.Namespace.Name);

        await scenario.CreateServerAsync("image: example.org/hello:1", name);
        var status = await scenario.EventuallyPhaseAsync("Error", name);

        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, $"{kind}Ready"));
        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Contains($"{kind} {scenario.Namespace.Name}/{name} {why}", (string)status["message"]!);
        Assert.False((bool?)status[$"{char.ToLowerInvariant(kind[0])}{kind[1..]}Ready"] ?? false);
        foreach (var other in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses }.Where(other => other.Kind != kind))
            Assert.NotEmpty(OwnedLeaves.Of(await scenario.Client.GetAsync(other, scenario.Namespace.Name, name)));

        // Who has the name is read from then on, and no write is sent that is refused.
        if (kind != "Service" && fixture.ControlPlane.IsOwn)
            Assert.InRange((await scenario.WritesAsync(name)).Count(write => write.Resource == resource.Plural), 0, 1);
        // Neither another look nor the end of the server touches it.
        await scenario.PassAsync(name);
        await scenario.EditServerAsync("image: example.org/hello:2", name);
        await scenario.EventuallyStatusAsync("the edit was looked at", seen => (string?)seen["image"] == "example.org/hello:2", name);
        var after = await scenario.Client.GetAsync(resource, scenario.Namespace.Name, name);
        Assert.Equal((string)before["metadata"]!["resourceVersion"]!, (string)after["metadata"]!["resourceVersion"]!);

        await scenario.Client.DeleteAsync(resource, scenario.Namespace.Name, name);
        await Eventually.TrueAsync(
            "the server had its own", () => scenario.Client.GetAsync(resource, scenario.Namespace.Name, name), live => OwnedLeaves.Of(live).Count > 0);
        await scenario.RollOutAsync(name);
        await scenario.EventuallyPhaseAsync("Ready", name);
    }

    [Fact]
    public async Task AForeignIngressSurvivesTheRouteConflictOfItsNamesake()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, arguments: ["--workers", "1"]);
        var before = await scenario.Client.CreateAsync(Foreign("Ingress", "b"), scenario.Namespace.Name);
        await scenario.CreateServerAsync("{image: 'example.org/hello:1', ingressPath: /same}", "a");
        await scenario.SettledAsync("a");

        await scenario.CreateServerAsync("{image: 'example.org/hello:1', ingressPath: /same}", "b");
        var status = await scenario.EventuallyPhaseAsync("Error", "b");
        await scenario.PassAsync("b");

        Assert.Equal("False RouteConflict", ServerScenario.StatusAndReason(status, "IngressReady"));
        var after = await scenario.IngressAsync("b");
        Assert.Equal((string)before["metadata"]!["resourceVersion"]!, (string)after["metadata"]!["resourceVersion"]!);
    }

    /// <summary>Labels are enough to adopt, not to delete.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AUsersCopyOfAnIngressSurvivesTheRouteConflictOfItsNamesake(bool withOwner)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, arguments: ["--workers", "1"]);
        await scenario.CreateServerAsync("{image: 'example.org/hello:1', ingressPath: /same}", "a");
        await scenario.SettledAsync("a");
        await scenario.CreateServerAsync("{image: 'example.org/hello:1', ingressPath: /same}", "b");
        await scenario.EventuallyPhaseAsync("Error", "b");
        var copy = ServerScenario.CopyOf(await scenario.IngressAsync("a"), "b", withOwner);
        copy["metadata"]!["labels"]!["app"] = "b";
        if (withOwner)
        {
            var owner = copy["metadata"]!["ownerReferences"]![0]!;
            (owner["name"], owner["uid"]) = ("b", (string)(await scenario.ServerAsync("b"))["metadata"]!["uid"]!);
        }

        var made = await scenario.Client.CreateAsync(copy, scenario.Namespace.Name);
        await scenario.PassAsync("b");
        await scenario.PassAsync("b");

        ServerScenario.AssertJson(made, await scenario.IngressAsync("b"));
    }

    [Fact]
    public async Task OrphansOfADeletedServerAreAdoptedByTheNextOfItsName()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/hello:1");
        await scenario.SettledAsync();
        await scenario.StopOperatorAsync();
        // As `kubectl delete --cascade=orphan` leaves them.
        var orphans = new Dictionary<Resource, string>();
        foreach (var resource in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses })
        {
            var orphan = await scenario.Client.PatchAsync(
                resource, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"ownerReferences": null}}""");
            orphans.Add(resource, (string)orphan["metadata"]!["uid"]!);
        }
        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);

        var server = await scenario.CreateServerAsync("image: example.org/hello:2");
        await scenario.StartOperatorAsync(ServerScenario.Permissive);
        await scenario.SettledAsync();

        foreach (var (resource, uid) in orphans)
        {
            var adopted = await scenario.Client.GetAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
            Assert.Equal(uid, (string)adopted["metadata"]!["uid"]!);
            Assert.Equal((string)server["metadata"]!["uid"]!, (string)adopted["metadata"]!["ownerReferences"]!.AsArray().Single()!["uid"]!);
        }
        Assert.Equal("example.org/hello:2", (string)(await scenario.ContainerAsync())["image"]!);
    }

    private static JsonObject Foreign(string kind, string name) => Manifest.Parse(kind switch
    {
        "Deployment" => $$$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{{name}}}}
            spec:
              selector: {matchLabels: {app: theirs}}
              template:
                metadata: {labels: {app: theirs}}
                spec: {containers: [{name: theirs, image: example.org/theirs}]}
            """,
        "Service" when name == "other-port" => $$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{{name}}}}
            spec: {selector: {run: theirs}, ports: [{name: theirs, port: 9090}]}
            """,
        "Service" => $$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{{name}}}}
            spec: {selector: {app: theirs}, ports: [{port: 80}]}
            """,
        _ => $$$"""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: {{{name}}}}
            spec: {defaultBackend: {service: {name: theirs, port: {number: 80} } } }
            """,
    });
}
