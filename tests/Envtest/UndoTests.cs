using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// Somebody puts a Deployment back to a former revision. What bears our names is what the spec says all the same; what another tool
/// has put into a container of ours stays, and is told.
/// </summary>
public sealed class UndoTests(ControlPlaneFixture fixture)
{
    /// <summary>Of <c>kubectl rollout undo</c>, which names no manager and so has that of its user agent; other commands name one.</summary>
    private const string Kubectl = "kubectl";

    private const string Canary = "{strategy: Canary, canaryReplicas: 1}";

    [Theory]
    [InlineData("web", Kubectl)]
    [InlineData("web", "k9s")]
    [InlineData("web-canary", Kubectl)]
    public async Task AGatewayThatTheSpecHasDroppedGoesWhoeverBringsItBack(string deployment, string manager)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync($"{{image: 'example.org/web:1', replicas: 2, rollout: {Canary}, gateway: {{enabled: true, image: 'example.org/gateway:1'}}}}");
        await scenario.SettledAsync();
        var former = await TemplateAsync(scenario, deployment);
        await scenario.EditAndSettleAsync("gateway: null");
        await RollOutAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");
        var right = await TemplateAsync(scenario, deployment);
        Assert.Null(right["spec"]!["volumes"]);

        await UndoAsync(scenario, former, deployment, manager);

        await Eventually.TrueAsync("the gateway was gone", () => TemplateAsync(scenario, deployment), live => JsonNode.DeepEquals(live, right));
        await AssertNothingMoreIsWrittenAsync(scenario, deployment);
    }

    [Theory]
    [InlineData("web", Kubectl, false)]
    [InlineData("web", Kubectl, true)]
    [InlineData("web", "k9s", false)]
    [InlineData("web-canary", Kubectl, false)]
    public async Task AVariableThatTheSpecHasDroppedGoesWhoeverBringsItBack(string deployment, string manager, bool whileNobodyLooks)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync($$"""
            image: example.org/web:1
            replicas: 2
            rollout: {{Canary}}
            envVars: [{name: A, value: a}, {name: B, value: b}]
            secretEnvVars: [{name: TOKEN, secretKeyRef: {name: tickets, key: token} }]
            """);
        await scenario.SettledAsync();
        var former = await TemplateAsync(scenario, deployment);
        await scenario.EditAndSettleAsync("{envVars: [{name: A, value: a}], secretEnvVars: null}");
        await RollOutAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");
        var right = await TemplateAsync(scenario, deployment);
        if (whileNobodyLooks)
            await scenario.StopOperatorAsync();

        await UndoAsync(scenario, former, deployment, manager);
        if (whileNobodyLooks)
            await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);

        await Eventually.TrueAsync("they were gone", () => TemplateAsync(scenario, deployment), live => JsonNode.DeepEquals(live, right));
        await AssertNothingMoreIsWrittenAsync(scenario, deployment);
    }

    [Fact]
    public async Task OtherListItemsThatAnUndoBringsBackIntoOurContainersGoToo()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var right = await TemplateAsync(scenario);
        var former = right.DeepClone();
        var container = former["spec"]!["containers"]![0]!;
        former["spec"]!["volumes"] = Manifest.Parse("list: [{name: tmp, emptyDir: {}}]")["list"]!.DeepClone();
        container["volumeMounts"] = Manifest.Parse("list: [{name: tmp, mountPath: /tmp}]")["list"]!.DeepClone();
        container["ports"]!.AsArray().Add(Manifest.Parse("{name: metrics, containerPort: 9090, protocol: TCP}"));
        container["startupProbe"] = Manifest.Parse("{tcpSocket: {port: 9090}}");

        await UndoAsync(scenario, former);

        var live = await Eventually.TrueAsync("they were gone", () => TemplateAsync(scenario), live => JsonNode.DeepEquals(live["spec"]!["containers"], right["spec"]!["containers"]));
        // A volume of another name is no matter of ours.
        Assert.NotNull(live["spec"]!["volumes"]);
    }

    /// <summary>One of ours is left behind by another operator that has a registry, or by a backup tool from when this one had.</summary>
    [Theory]
    [InlineData("mcp-runtime-registry-pull", "velero", true)]
    [InlineData("former", Kubectl, true)]
    [InlineData("theirs", "velero", false)]
    public async Task APullSecretOfOursGoesAndAnotherOneStaysAndIsTold(string name, string manager, bool isGone)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web:1, imagePullSecrets: [wanted]}");
        await scenario.SettledAsync();
        var right = await TemplateAsync(scenario);
        var more = right.DeepClone();
        more["spec"]!["imagePullSecrets"]!.AsArray().Add(new JsonObject { ["name"] = name });

        await UndoAsync(scenario, more, manager: manager);

        var told = $"pull secret {name} (by {manager})";
        if (isGone)
        {
            await Eventually.TrueAsync("it was gone", () => TemplateAsync(scenario), live => JsonNode.DeepEquals(live, right));
            await AssertNothingMoreIsWrittenAsync(scenario, "web");
            Assert.Empty(await EventsAsync(scenario, "NotInSpec"));
            return;
        }

        var note = (await Eventually.TrueAsync("it was told", () => EventsAsync(scenario, "NotInSpec"), events => events.Count > 0)).Single();
        Assert.Contains(told, (string?)note["note"]);
        Assert.True(JsonNode.DeepEquals(await TemplateAsync(scenario), more));
    }

    [Theory]
    [InlineData("variable HTTP_PROXY", """{"env": [{"name": "HTTP_PROXY", "value": "http://user:secret@proxy:3128"}]}""")]
    [InlineData("port 9090", """{"ports": [{"name": "metrics", "containerPort": 9090}]}""")]
    [InlineData("envFrom", """{"envFrom": [{"configMapRef": {"name": "more"}}]}""")]
    [InlineData("startupProbe", """{"startupProbe": {"tcpSocket": {"port": 8088}}}""")]
    public async Task WhatAnotherToolPutsIntoOurContainerStaysAndIsToldOnceWithItsManager(string what, string content)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web:1, envVars: [{name: A, value: a}]}");
        await scenario.SettledAsync();
        var container = content.AsJson();
        container["name"] = "web";
        await scenario.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, "web",
            new JsonObject { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray(container) } } } },
            PatchKind.Strategic, fieldManager: "reloader");
        await scenario.RollOutAsync();

        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True DeploymentAvailable", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Contains($"{what} of container web (by reloader)", (string?)ServerScenario.Condition(status, "DeploymentReady")!["message"]);
        Assert.Equal("All resources are ready", (string?)status["message"]);
        await scenario.PassAsync();
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.PassAsync();
        await scenario.RollOutAsync();
        await scenario.PassAsync();
        var told = (await Eventually.TrueAsync(
            "it was told in an event", () => EventsAsync(scenario, "NotInSpec"), events => events.Count > 0)).Single();
        Assert.Contains($"{what} of container web (by reloader)", (string?)told["note"]);
        Assert.DoesNotContain("secret", told.ToJsonString() + status.ToJsonString(), StringComparison.Ordinal);

        var live = await scenario.ContainerAsync();
        foreach (var (member, value) in content.AsJson().AsObject())
            Assert.NotNull(live[member]);
    }

    private static async Task<JsonNode> TemplateAsync(ServerScenario scenario, string deployment = "web") =>
        (await scenario.DeploymentAsync(deployment))["spec"]!["template"]!;

    /// <summary>The patch that kubectl sends (its rollback.go), but for the annotations, of which there are none without a controller.</summary>
    private static Task<JsonObject> UndoAsync(ServerScenario scenario, JsonNode template, string deployment = "web", string manager = Kubectl) =>
        scenario.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, deployment,
            new JsonArray(new JsonObject { ["op"] = "replace", ["path"] = "/spec/template", ["value"] = template.DeepClone() }),
            PatchKind.Json, fieldManager: manager);

    private static async Task<IReadOnlyList<JsonObject>> EventsAsync(ServerScenario scenario, string reason) =>
        [.. (await scenario.Client.ListAsync(Resource.Events, scenario.Namespace.Name)).Where(told => (string?)told["reason"] == reason)];

    private static async Task RollOutAsync(ServerScenario scenario)
    {
        await scenario.RollOutAsync();
        await scenario.RollOutAsync("web-canary");
    }

    private async Task AssertNothingMoreIsWrittenAsync(ServerScenario scenario, string deployment)
    {
        if (!fixture.ControlPlane.IsOwn)
            return;
        await scenario.PassAsync();
        var writes = (await scenario.WritesAsync(deployment)).Count;
        await scenario.PassAsync();
        Assert.Equal(writes, (await scenario.WritesAsync(deployment)).Count);
    }
}
