using System.Net;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>A spec that breaks a rule: said at once and in full, and nothing is done for it.</summary>
public sealed class InvalidSpecTests(ControlPlaneFixture fixture)
{
    /// <summary>All of it passes a schema without rules across fields.</summary>
    private const string ManyFaults = """
        image: example.org/hello:1
        ingressHost: 10.0.0.1
        ingressPath: /a/../b
        ingressAnnotations: {"not a key": x}
        resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}
        envVars: [{name: A, value: b}]
        secretEnvVars: [{name: A, secretKeyRef: {name: s, key: k}}]
        rollout: {maxSurge: "0", maxUnavailable: 0%}
        auth: {mode: mtls}
        """;

    private static readonly string[] FaultyFields =
    [
        "spec.ingressHost", "spec.ingressPath", "spec.ingressAnnotations[not a key]", "spec.resources.requests.memory",
        "spec.secretEnvVars[0].name", "spec.rollout.maxUnavailable", "spec.auth.mode",
    ];

    [Fact]
    public async Task EveryFaultIsNamedAndNothingIsDoneUntilTheSpecChanges()
    {
        fixture.RequireOwn("the audit log, and a schema whose rules across fields are not checked by the API server");
        var environment = new Dictionary<string, string?>(ServerScenario.Permissive) { ["REQUEUE_DELAY_SECONDS"] = "1" };
        await using var scenario = await ServerScenario.StartAsync(fixture, environment, "--workers", "1");
        await CreateAsync(scenario, ManyFaults);
        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.All(FaultyFields, field => Assert.Contains($"{field}: ", (string)status["message"]!));
        Assert.Equal(FaultyFields.Length, ((string)status["message"]!).Split("; spec.").Length);
        foreach (var condition in new[] { "DeploymentReady", "ServiceReady", "IngressReady" })
            Assert.Equal("False NotCreated", ServerScenario.StatusAndReason(status, condition));
        var requests = await RequestsAsync(scenario);
        // One write of a status, and nothing else: neither defaults nor objects.
        Assert.Equal([("patch", "mcpservers", "status")], requests.Select(request => (request.Verb, request.Resource, request.Subresource)));

        // Another server goes on, through more than one delay of those that wait for something.
        await scenario.CreateServerAsync("image: example.org/hello:1", "other");
        await scenario.EventuallyStatusAsync("the other was there", seen => (bool?)seen["ingressReady"] == true, "other");
        await scenario.RollOutAsync("other");
        await scenario.EventuallyPhaseAsync("Ready", "other");
        await scenario.PassAsync();
        Assert.Equal(requests.Count, (await RequestsAsync(scenario)).Count);

        await scenario.EditServerAsync("""
            {ingressHost: null, ingressPath: null, ingressAnnotations: null, resources: null, secretEnvVars: null, rollout: null, auth: null}
            """);
        await scenario.EventuallyStatusAsync("it was brought up", seen => (bool?)seen["serviceReady"] == true);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Theory]
    [InlineData("{gateway: {enabled: true}}", "spec.gateway.image: is required")]
    [InlineData("{replicas: 3, rollout: {strategy: Canary}}", "spec.rollout.canaryReplicas: ")]
    [InlineData("{rollout: {canaryImage: Hello}}", "spec.rollout.canaryImage: ")]
    [InlineData("{resources: {requests: {cpu: 2}, limits: {cpu: 1}}}", "spec.resources.requests.cpu: ")]
    public async Task ARunningServerThatIsMadeInvalidKeepsItsObjectsAndTheirObservedReadiness(string edit, string fault)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await CreateAsync(scenario, "image: example.org/hello:1");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var before = await VersionsAsync();

        await scenario.EditServerAsync(edit.Replace("cpu: 2", "cpu: '2'", StringComparison.Ordinal).Replace("cpu: 1", "cpu: '1'", StringComparison.Ordinal));
        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Contains(fault, (string)status["message"]!);
        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Equal("True DeploymentAvailable", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Equal((true, true, true), ((bool)status["deploymentReady"]!, (bool)status["serviceReady"]!, (bool)status["ingressReady"]!));
        Assert.Equal(("example.org/hello:1", 1), ((string)status["image"]!, (int)status["readyReplicas"]!));
        Assert.Equal(before, await VersionsAsync());

        // It is observed on.
        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name);
        status = await scenario.EventuallyStatusAsync("the loss of its pod was reported", seen => (bool?)seen["deploymentReady"] != true);
        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason(status, "Ready"));

        await scenario.RollOutAsync();
        await scenario.EditServerAsync("{gateway: null, rollout: null, resources: null}");
        await scenario.RollOutAsync();
        await scenario.EventuallyAsync("it was Ready again", server =>
        {
            // The kubelet is played once a generation, and which one came of the edit is for the operator to say.
            return (string?)server["status"]!["phase"] is "Ready" or "PartiallyReady" && (string?)server["status"]!["message"] is { } message && !message.Contains(fault, StringComparison.Ordinal);
        });

        async Task<string> VersionsAsync() => string.Join(' ', await Task.WhenAll(
            new[] { await scenario.DeploymentAsync(), await scenario.ServiceAsync(), await scenario.IngressAsync() }
                .Select(live => Task.FromResult((string)live["metadata"]!["resourceVersion"]!))));
    }

    [Theory]
    [InlineData("{replicas: 1}", "spec.image")]
    [InlineData("{image: ''}", "spec.image")]
    [InlineData("{image: x, replicas: -1}", "spec.replicas")]
    [InlineData("{image: x, replicas: three}", "spec.replicas")]
    [InlineData("{image: x, port: 65536}", "spec.port")]
    [InlineData("{image: x, servicePort: -1}", "spec.servicePort")]
    [InlineData("{image: x, gateway: {port: 70000}}", "spec.gateway.port")]
    [InlineData("{image: x, ingressHost: 'UPPER.example.org'}", "spec.ingressHost")]
    [InlineData("{image: x, ingressHost: 'https://x'}", "spec.ingressHost")]
    [InlineData("{image: x, ingressPath: '/a b'}", "spec.ingressPath")]
    [InlineData("{image: x, publicPathPrefix: 'a`b'}", "spec.publicPathPrefix")]
    [InlineData("{image: x, ingressAnnotations: {a: 1}}", "spec.ingressAnnotations")]
    [InlineData("{image: x, resources: {limits: {cpu: lots}}}", "spec.resources.limits.cpu")]
    [InlineData("{image: x, envVars: [{name: 1A}]}", "spec.envVars.name")]
    [InlineData("{image: x, envVars: [{name: A}, {name: A}]}", "spec.envVars: Duplicate value")]
    [InlineData("{image: x, envVars: {A: b}}", "spec.envVars")]
    [InlineData("{image: x, secretEnvVars: [{name: A}]}", "spec.secretEnvVars")]
    [InlineData("{image: x, secretEnvVars: [{name: A, secretKeyRef: {name: s}}]}", "spec.secretEnvVars")]
    [InlineData("{image: x, teamID: 'a b'}", "spec.teamID")]
    [InlineData("{image: x, imagePullSecrets: ['A_B']}", "spec.imagePullSecrets")]
    [InlineData("{image: x, rollout: {strategy: BlueGreen}}", "spec.rollout.strategy")]
    [InlineData("{image: x, rollout: {maxSurge: many}}", "spec.rollout.maxSurge")]
    [InlineData("{image: x, rollout: {maxSurge: -1}}", "spec.rollout.maxSurge")]
    [InlineData("{image: x, tools: [{name: t, sideEffect: none}]}", "spec.tools")]
    [InlineData("{image: x, tools: [{name: t}]}", "spec.tools")]
    [InlineData("{image: x, auth: {mode: magic}}", "spec.auth.mode")]
    public async Task TheSchemaRefusesItAtOnce(string spec, string field)
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);

        var refused = await Assert.ThrowsAsync<KubeException>(() => fixture.Client.CreateAsync(new JsonObject
        {
            ["apiVersion"] = Resource.MCPServers.ApiVersion,
            ["kind"] = "MCPServer",
            ["metadata"] = new JsonObject { ["name"] = "web" },
            ["spec"] = Manifest.Parse(spec),
        }, ns.Name));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Code);
        Assert.Contains(field, refused.Message);
    }

    [Theory]
    [InlineData("1web")]
    [InlineData("we.b")]
    [InlineData("a234567890123456789012345678901234567890123456789012345678901234")]
    public async Task TheSchemaRefusesANameThatCannotNameAService(string name)
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);

        var refused = await Assert.ThrowsAsync<KubeException>(() => fixture.Client.CreateAsync(
            $$"""{apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: {{name}} }, spec: {image: x} }""", ns.Name));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Code);
        Assert.Contains("metadata.name", refused.Message);
    }

    /// <summary>As CreateServerAsync, with the name that the other helpers take.</summary>
    private static Task<JsonObject> CreateAsync(ServerScenario scenario, string spec) => scenario.CreateServerAsync(spec);

    private static async Task<IReadOnlyList<AuditEvent>> RequestsAsync(ServerScenario scenario) =>
        [.. (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.Name == ServerScenario.Name && request.Verb is not ("list" or "watch"))];
}
