using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>How a server becomes ready and stops being so, and how people and programs see it.</summary>
public sealed class ReadinessTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task InStrictModeAServerIsReadyWhenItsPodsAreAvailableAndAnAddressIsPublished()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("{image: example.org/web, replicas: 2}");
        await AssertPhaseAsync(scenario, "PartiallyReady", "False DeploymentProgressing", "False DeploymentProgressing", "False LoadBalancerPending");

        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name, ready: 1);
        var status = await scenario.EventuallyStatusAsync("one replica was counted", status => (int?)status["readyReplicas"] == 1);
        Assert.StartsWith("Deployment not ready: 1 of 2 replicas are available; ", (string)status["message"]!);
        Assert.Equal(2, (int)status["replicas"]!);

        await scenario.RollOutAsync();
        status = await AssertPhaseAsync(scenario, "PartiallyReady", "False LoadBalancerPending", "True DeploymentAvailable", "False LoadBalancerPending");
        Assert.StartsWith("Ingress not ready: no ingress controller has published an address yet", (string)status["message"]!, StringComparison.Ordinal);

        await scenario.ServeIngressAsync();
        status = await AssertPhaseAsync(scenario, "Ready", "True AllResourcesReady", "True DeploymentAvailable", "True LoadBalancerAssigned");
        Assert.Equal("All resources are ready", (string?)status["message"]);
        Assert.Equal((true, true, true), ((bool)status["deploymentReady"]!, (bool)status["serviceReady"]!, (bool)status["ingressReady"]!));
        Assert.Equal((2, 2), ((int)status["replicas"]!, (int)status["readyReplicas"]!));

        await scenario.ServeIngressAsync(ip: null);
        await AssertPhaseAsync(scenario, "PartiallyReady", "False LoadBalancerPending", "True DeploymentAvailable", "False LoadBalancerPending");
        await scenario.ServeIngressAsync();
        await AssertPhaseAsync(scenario, "Ready", "True AllResourcesReady", "True DeploymentAvailable", "True LoadBalancerAssigned");
    }

    /// <summary>As a controller leaves it that takes its own addresses away.</summary>
    [Fact]
    public async Task AnEntryWithoutAnAddressIsNoAddress()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.ServeIngressAsync();
        await AssertPhaseAsync(scenario, "Ready", "True AllResourcesReady", "True DeploymentAvailable", "True LoadBalancerAssigned");

        await scenario.Client.PatchStatusAsync(
            Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name, """{"loadBalancer": {"ingress": [{}]}}""".AsJson().AsObject());

        await AssertPhaseAsync(scenario, "PartiallyReady", "False LoadBalancerPending", "True DeploymentAvailable", "False LoadBalancerPending");
    }

    [Theory]
    [InlineData("Deployment")]
    [InlineData("Service")]
    [InlineData("Ingress")]
    public async Task WhatIsBeingDeletedIsNotReadyAndIsMadeAnewOnceItsFinalizersLetItGo(string kind)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var resource = new[] { Resource.Deployments, Resource.Services, Resource.Ingresses }.Single(resource => resource.Kind == kind);
        await scenario.Client.PatchAsync(
            resource, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": ["example.org/hold"]}}""");

        await scenario.Client.DeleteAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
        var status = await scenario.EventuallyPhaseAsync("PartiallyReady");
        Assert.Equal("False Terminating", ServerScenario.StatusAndReason(status, $"{kind}Ready"));
        Assert.Equal("False Terminating", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Equal(
            $"{kind} not ready: the {kind} is being deleted, and is held by its finalizers: example.org/hold", (string?)status["message"]);

        await scenario.Client.PatchAsync(resource, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": null}}""");
        if (kind == "Deployment")
        {
            await scenario.EventuallyStatusAsync(
                "it was made anew", seen => ServerScenario.StatusAndReason(seen, "DeploymentReady") == "False DeploymentProgressing");
            await scenario.RollOutAsync();
        }

        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Fact]
    public async Task InPermissiveModeAnIngressThatExistsIsReady()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web");
        await AssertPhaseAsync(scenario, "PartiallyReady", "False DeploymentProgressing", "False DeploymentProgressing", "True IngressCreated");

        await scenario.RollOutAsync();
        await AssertPhaseAsync(scenario, "Ready", "True AllResourcesReady", "True DeploymentAvailable", "True IngressCreated");

        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name);
        var status = await AssertPhaseAsync(scenario, "PartiallyReady", "False DeploymentProgressing", "False DeploymentProgressing", "True IngressCreated");
        Assert.Equal("Deployment not ready: 0 of 1 replicas are available", (string?)status["message"]);
        Assert.Equal(0, (int)status["readyReplicas"]!);

        await scenario.RollOutAsync();
        await AssertPhaseAsync(scenario, "Ready", "True AllResourcesReady", "True DeploymentAvailable", "True IngressCreated");
    }

    [Fact]
    public async Task TheWordReadyIsNotSaidOfANewImageBeforeItsRolloutWasSeen()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        // Nobody plays the kubelet now: every status of the new generation must deny it.
        var status = (await scenario.EditAndSettleAsync("image: example.org/web:2"))["status"]!;
        Assert.Equal("False DeploymentProgressing", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Equal("example.org/web:2", (string?)status["image"]);

        // The Deployment controller has seen it, and the pods are still of the old revision.
        var generation = (long)(await scenario.DeploymentAsync())["metadata"]!["generation"]!;
        await scenario.Client.PatchStatusAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, new JsonObject
        {
            ["observedGeneration"] = generation,
            ["updatedReplicas"] = 0,
        });
        await scenario.EventuallyStatusAsync(
            "the old revision was the cause", status => ((string)status["message"]!).Contains("0 of 1 replicas are of the latest revision"));
        await scenario.Client.PatchStatusAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, new JsonObject
        {
            ["replicas"] = 2,
            ["updatedReplicas"] = 1,
        });
        await scenario.EventuallyStatusAsync(
            "the replica that remains was the cause", status => ((string)status["message"]!).Contains("1 replicas of an old revision remain"));

        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Fact]
    public async Task ATransitionTimeMovesOnlyWithItsStatus()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web, replicas: 2}");
        var before = (await scenario.SettledAsync())["status"]!;
        // Times have whole seconds.
        await Task.Delay(TimeSpan.FromSeconds(1.1), TestContext.Current.CancellationToken);

        await Kubelet.NotReadyAsync(scenario.Client, scenario.Namespace.Name, ServerScenario.Name, ready: 1);
        var other = await scenario.EventuallyStatusAsync("one replica was counted", status => (int?)status["readyReplicas"] == 1);
        Assert.Equal(Since(before, "DeploymentReady"), Since(other, "DeploymentReady"));

        await scenario.RollOutAsync();
        var after = await scenario.EventuallyPhaseAsync("Ready");
        Assert.NotEqual(Since(before, "DeploymentReady"), Since(after, "DeploymentReady"));
        Assert.NotEqual(Since(before, "Ready"), Since(after, "Ready"));
        Assert.Equal(Since(before, "ServiceReady"), Since(after, "ServiceReady"));
        Assert.Equal(
            ["Ready", "DeploymentReady", "ServiceReady", "IngressReady"],
            after["conditions"]!.AsArray().Select(condition => (string)condition!["type"]!));

        static string Since(JsonNode status, string type) => (string)ServerScenario.Condition(status, type)!["lastTransitionTime"]!;
    }

    [Fact]
    public async Task AServerWithoutReplicasIsReadyOnceThereAreNone()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web, replicas: 1}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        var status = (await scenario.EditAndSettleAsync("replicas: 0"))["status"]!;
        Assert.Equal(0, (int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!);
        Assert.Equal("False DeploymentProgressing", ServerScenario.StatusAndReason(status, "DeploymentReady"));

        await scenario.RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True ScaledToZero", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Equal((0, 0), ((int)status["replicas"]!, (int)status["readyReplicas"]!));

        await scenario.EditAndSettleAsync("replicas: 2");
        Assert.Equal(2, (int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!);
    }

    [Fact]
    public async Task ScalingChangesTheSpecAndReachesTheDeployment()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var path = Resource.MCPServers.PathTo(scenario.Namespace.Name, ServerScenario.Name, "scale");

        var scale = await scenario.Client.SendAsync(HttpMethod.Get, path);
        ServerScenario.AssertJson("{replicas: 1}", scale["spec"]);
        ServerScenario.AssertJson("{replicas: 1, selector: 'app=web,app.kubernetes.io/managed-by=mcp-runtime'}", scale["status"]);

        // kubectl scale and autoscalers.
        scale["spec"]!["replicas"] = 3;
        await scenario.Client.SendAsync(HttpMethod.Put, path, new StringContent(scale.ToJsonString(), Encoding.UTF8, "application/json"));
        await ScaledToAsync(3);
        await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = 2 } },
            subresource: "scale");
        await ScaledToAsync(2);

        async Task ScaledToAsync(int replicas)
        {
            Assert.Equal(replicas, (int)(await scenario.SettledAsync())["spec"]!["replicas"]!);
            Assert.Equal(replicas, (int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!);
            await scenario.RollOutAsync();
            await scenario.EventuallyPhaseAsync("Ready");
            Assert.Equal(replicas, (int)(await scenario.Client.SendAsync(HttpMethod.Get, path))["status"]!["replicas"]!);
        }
    }

    [Fact]
    public async Task KubectlGetShowsPhaseReadyReplicasUrlAndAge()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web, ingressHost: mcp.example.org}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        // As kubectl asks for it.
        var table = await scenario.Client.SendAsync(
            HttpMethod.Get, Resource.MCPServers.PathTo(scenario.Namespace.Name), accept: "application/json;as=Table;v=v1;g=meta.k8s.io");

        Assert.Equal(
            ["Name", "Phase", "Ready", "Replicas", "URL", "Age", "Team 1", "Gateway 1", "Policy 1", "Image 1", "Message 1"],
            table["columnDefinitions"]!.AsArray().Select(column => $"{column!["name"]}{((int)column["priority"]! is var priority and > 0 ? $" {priority}" : "")}"));
        var cells = table["rows"]!.AsArray().Single()!["cells"]!.AsArray();
        Assert.Equal(
            ["web", "Ready", "True", "1", "http://mcp.example.org/web/mcp", "example.org/web:latest", "All resources are ready"],
            cells.Where((_, column) => column is < 5 or > 8).Select(cell => cell!.ToString()));
        Assert.Matches(@"^\d+s$", cells[5]!.ToString());
    }

    [Fact]
    public async Task TheServerIsFoundByItsShortNames()
    {
        var resources = await fixture.Client.SendAsync(HttpMethod.Get, "apis/mcpruntime.org/v1alpha1");

        var server = resources["resources"]!.AsArray().Single(resource => (string?)resource!["name"] == "mcpservers")!;
        Assert.Equal(["mcp", "mcps"], server["shortNames"]!.AsArray().Select(name => (string)name!));
    }

    /// <summary>Waits for the phase and these conditions as status and reason.</summary>
    private static Task<JsonNode> AssertPhaseAsync(ServerScenario scenario, string phase, string ready, string deployment, string ingress) =>
        scenario.EventuallyStatusAsync(
            $"the phase was {phase}, Ready {ready}, DeploymentReady {deployment} and IngressReady {ingress}",
            status => (string?)status["phase"] == phase
                && ServerScenario.StatusAndReason(status, "Ready") == ready
                && ServerScenario.StatusAndReason(status, "DeploymentReady") == deployment
                && ServerScenario.StatusAndReason(status, "ServiceReady") == "True ClusterIPAssigned"
                && ServerScenario.StatusAndReason(status, "IngressReady") == ingress);
}
