using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A cluster that comes from the Go operator, which wrote whole objects as <c>manager</c> (Data/go-operator), and one that
/// goes back to it.
/// </summary>
public sealed class GoOperatorTests(ControlPlaneFixture fixture)
{
    private const string GoManager = "manager";

    [Theory]
    [InlineData("plain", "DeploymentReady,IngressReady,Ready,ServiceReady")]
    [InlineData("gateway", "DeploymentReady,GatewayReady,IngressReady,PolicyReady,Ready,ServiceReady")]
    public async Task ItsObjectsAreTakenOverAsTheyStandAndFollowTheSpecFromThenOn(string what, string conditions)
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var written = await WriteAsync(ns, what);
        await fixture.Client.PatchAsync(
            Resource.Services, ns.Name, "web", """{"metadata": {"annotations": {"example.org/by": "hand"}}}""");
        var before = await LiveAsync(ns);

        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, arguments: ["--workers", "1"]);
        await scenario.SettledAsync();

        // No pod is restarted, no address changes.
        var after = await LiveAsync(ns);
        var ports = before["Service"]["spec"]!["ports"]!.AsArray();
        foreach (var port in ports)
            port!["targetPort"] = (string?)port["name"] == "http" && ports.Count > 1 ? "gateway" : (string?)port["name"]; // of the same number, in each of its pods
        foreach (var (kind, live) in after)
            ServerScenario.AssertJson(before[kind]["spec"], live["spec"]);
        Assert.Equal(1, (int)after["Deployment"]["metadata"]!["generation"]!);
        // Each field of these has one owner, and what was done by hand is still by hand.
        Assert.All(after.Values, live => Assert.DoesNotContain(GoManager, ManagersOf(live)));
        Assert.Equal(["envtest", ServerScenario.FieldManager], ManagersOf(after["Service"]).Order(StringComparer.Ordinal));
        // What a surface that is off had said of itself is gone.
        var status = (await scenario.ServerAsync())["status"]!;
        Assert.Equal(conditions, string.Join(',', status["conditions"]!.AsArray().Select(condition => (string)condition!["type"]!).Order(StringComparer.Ordinal)));
        if (fixture.ControlPlane.IsOwn)
            await AssertNothingMoreIsWrittenAsync(scenario);

        await scenario.EditAndSettleAsync("{envVars: [{name: A, value: a}], gateway: null}");

        Assert.Equal(["A"], (await scenario.ContainerAsync())["env"]!.AsArray().Select(variable => (string)variable!["name"]!));
        var deployment = await scenario.DeploymentAsync();
        Assert.Single(deployment["spec"]!["template"]!["spec"]!["containers"]!.AsArray());
        Assert.Null(deployment["spec"]!["template"]!["spec"]!["volumes"]);
        var service = await scenario.ServiceAsync();
        Assert.Equal("""{"example.org/by":"hand"}""", service["metadata"]!["annotations"]!.ToJsonString());
        Assert.Single(service["spec"]!["ports"]!.AsArray());

        // And back: the Go operator's next pass overwrites, as it always did.
        await scenario.StopOperatorAsync();
        foreach (var manifest in written.Where(manifest => (string)manifest["kind"]! is "Deployment" or "Ingress"))
        {
            var live = await fixture.Client.GetAsync(Resource.Of(manifest), ns.Name, "web");
            manifest["metadata"]!["resourceVersion"] = (string)live["metadata"]!["resourceVersion"]!;
            await SendAsync(HttpMethod.Put, Resource.Of(manifest).PathTo(ns.Name, "web"), manifest);
        }

        Assert.Equal(["A", "B"], (await scenario.ContainerAsync())["env"]!.AsArray().Select(variable => (string)variable!["name"]!));
    }

    // Its document is ours, byte for byte, but for the time (tests/Unit/Access/PolicyVectorTests).
    [Fact]
    public async Task ThePolicyThatItWroteStaysInForceAsItIsAndSoDoGrantsAndSessions()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        var members = new[]
        {
            (Kind: Resource.MCPAccessGrants, Live: await scenario.CreateGrantAsync("g")),
            (Kind: Resource.MCPAgentSessions, Live: await scenario.CreateSessionAsync("s")),
        };
        await scenario.EventuallyPolicyAsync("it held both", policy => policy["grants"] is not null && policy["sessions"] is not null);
        foreach (var (kind, _) in members)
            await scenario.IsToldAsync(kind, kind == Resource.MCPAccessGrants ? "g" : "s", "Accepted", "Accepted");
        await scenario.StopOperatorAsync();
        var theirs = await scenario.ConfigMapAsync();
        var generated = (string)Gateways.Policy(theirs)["generated_at"]!;
        var document = ((string)theirs["data"]!["policy.json"]!).Replace(generated, "2025-01-02T03:04:05Z", StringComparison.Ordinal);
        theirs["data"]!["policy.json"] = document;
        foreach (var field in new[] { "managedFields", "resourceVersion", "uid", "creationTimestamp" })
            theirs["metadata"]!.AsObject().Remove(field);
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());
        await SendAsync(HttpMethod.Post, Resource.ConfigMaps.PathTo(scenario.Namespace.Name), theirs);

        await scenario.StartOperatorAsync(ServerScenario.Permissive);

        var taken = await Eventually.TrueAsync(
            "it was taken over", () => scenario.ConfigMapAsync(), live => ManagersOf(live).SequenceEqual([ServerScenario.FieldManager]));
        Assert.Equal(document, (string?)taken["data"]!["policy.json"]);
        foreach (var (kind, before) in members)
        {
            var after = await scenario.Client.GetAsync(kind, scenario.Namespace.Name, (string)before["metadata"]!["name"]!);
            ServerScenario.AssertJson(before["spec"], after["spec"]);
            Assert.Equal("Accepted", (string?)after["status"]!["phase"]);
        }
    }

    [Fact]
    public async Task WhatItMadeAndIsNotWantedAnyMoreIsDeleted()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await WriteAsync(ns, "gateway");
        await fixture.Client.PatchAsync(Resource.MCPServers, ns.Name, "web", """{"spec": {"gateway": null}}""");

        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, arguments: ["--workers", "1"]);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();

        await Eventually.TrueAsync("the policy was gone", () => scenario.FindConfigMapAsync(), found => found is null);
    }

    /// <summary>Its Ingresses have no labels: no watch of ours shows them.</summary>
    [Fact]
    public async Task TheIngressOfAServerWhoseRouteAnotherHasGoesAndIsNotCalledGoneBefore()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await fixture.Client.CreateAsync(
            $$$"""{apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: older}, spec: {image: "a:1", ingressHost: {{{ns}}}.example.org, ingressPath: /mcp} }""", ns.Name);
        await Task.Delay(1100); // creation times have whole seconds
        await WriteAsync(ns, "plain");
        await fixture.Client.PatchAsync(
            Resource.MCPServers, ns.Name, "web", $$$"""{"spec": {"ingressHost": "{{{ns}}}.example.org", "ingressPath": "/mcp", "publicPathPrefix": null}}""");

        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, arguments: ["--workers", "1"]);
        await scenario.SettledAsync();

        Assert.Null(await scenario.Client.FindAsync(Resource.Ingresses, ns.Name, "web"));
        Assert.Equal("False RouteConflict", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "IngressReady"));
    }

    [Fact]
    public async Task AnIngressThatStandsIsNotCalledMissingWhileTheSpecIsInvalid()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await WriteAsync(ns, "plain");
        await fixture.Client.PatchAsync(Resource.MCPServers, ns.Name, "web", """{"spec": {"image": "Not An Image"}}""");

        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, ServerScenario.Permissive, "--workers", "1");
        Assert.Equal("True IngressCreated", ServerScenario.StatusAndReason((await scenario.EventuallyPhaseAsync("Error")), "IngressReady"));

        // Nor by the next process.
        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--workers", "1");
        await scenario.PassAsync();
        Assert.Equal("True IngressCreated", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "IngressReady"));
    }

    [Fact]
    public async Task WhatAnotherOperatorOfThatNameAddsLaterIsItsOwn()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, arguments: ["--workers", "1"]);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await fixture.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, "web",
            """{"metadata": {"annotations": {"example.org/scaler": "on"}}}""".AsJson(), fieldManager: GoManager);

        await scenario.EditAndSettleAsync("image: example.org/web:2");

        Assert.Equal("on", (string?)(await scenario.DeploymentAsync())["metadata"]!["annotations"]!["example.org/scaler"]);
    }

    private static async Task AssertNothingMoreIsWrittenAsync(ServerScenario scenario)
    {
        await scenario.PassAsync();
        var writes = (await scenario.WritesAsync()).Count;
        await scenario.PassAsync();
        Assert.Equal(writes, (await scenario.WritesAsync()).Count);
    }

    /// <summary>As the Go operator does: creates and updates of whole objects.</summary>
    private async Task<IReadOnlyList<JsonObject>> WriteAsync(TestNamespace ns, string what)
    {
        var yaml = await File.ReadAllTextAsync(Repository.PathTo("tests", "Envtest", "Data", "go-operator", $"{what}.yaml"));
        var manifests = Manifest.ParseAll(yaml.Replace("<namespace>", ns.Name, StringComparison.Ordinal));
        var server = await SendAsync(HttpMethod.Post, Resource.MCPServers.PathTo(ns.Name), manifests[0]);
        server["status"] = manifests[0]["status"]!.DeepClone();
        await SendAsync(HttpMethod.Put, Resource.MCPServers.PathTo(ns.Name, "web", "status"), server);
        foreach (var manifest in manifests.Skip(1))
        {
            Manifest.SetController(manifest, server);
            await SendAsync(HttpMethod.Post, Resource.Of(manifest).PathTo(ns.Name), manifest);
        }

        return manifests;
    }

    private Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject body) => fixture.Client.SendAsync(
        method, $"{path}?fieldManager={GoManager}", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));

    private async Task<Dictionary<string, JsonObject>> LiveAsync(TestNamespace ns)
    {
        var live = new Dictionary<string, JsonObject>();
        foreach (var resource in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses })
            live[resource.Kind] = await fixture.Client.GetAsync(resource, ns.Name, "web");
        if (await fixture.Client.FindAsync(Resource.ConfigMaps, ns.Name, "web-gateway-policy") is { } policy)
            live["ConfigMap"] = policy;
        return live;
    }

    private static IEnumerable<string> ManagersOf(JsonObject live) =>
        live["metadata"]!["managedFields"]!.AsArray().Select(entry => (string)entry!["manager"]!).Distinct();
}
