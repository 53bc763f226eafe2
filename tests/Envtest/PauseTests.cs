using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The annotation mcpruntime.org/paused: hands off, but for what takes access away.</summary>
public sealed class PauseTests(ControlPlaneFixture fixture)
{
    private const string Paused = "mcpruntime.org/paused";

    [Fact]
    public async Task OfAPausedServerNothingButTheStatusIsWrittenAndItSaysWhatWouldChange()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1'}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var before = (await scenario.WritesAsync()).Count;

        await scenario.AnnotateServerAsync(Paused, "true");
        var status = await scenario.EventuallyStatusAsync("it was paused", IsPaused);
        Assert.Equal(("Ready", "True Paused"), ((string)status["phase"]!, ServerScenario.StatusAndReason(status, "Ready")));
        Assert.EndsWith("so that nothing of it is written; nothing would change", (string)status["message"]!, StringComparison.Ordinal);
        var since = (string)ServerScenario.Condition(status, "Paused")!["lastTransitionTime"]!;

        // Edited by its user, and changed and deleted by others.
        await scenario.EditServerAsync("{replicas: 2, servicePort: 81, ingressPath: null}");
        await scenario.Client.DeleteAsync(Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name);
        status = await scenario.EventuallyStatusAsync(
            "it said what would change", seen => ((string)seen["message"]!).Contains("would create Ingress; update Deployment, Service", StringComparison.Ordinal));
        Assert.Equal(("PartiallyReady", "False Paused"), ((string)status["phase"]!, ServerScenario.StatusAndReason(status, "Ready")));
        Assert.Equal(since, (string?)ServerScenario.Condition(status, "Paused")!["lastTransitionTime"]);
        Assert.Equal((long)(await scenario.ServerAsync())["metadata"]!["generation"]!, (long)status["observedGeneration"]!);

        // Nor by the next process.
        await scenario.StopOperatorAsync();
        var written = (await scenario.WritesAsync()).Count;
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.PassAsync();
        Assert.Equal(written, (await scenario.WritesAsync()).Count);
        Assert.All((await scenario.WritesAsync()).Skip(before), write => Assert.Equal(("mcpservers", "status"), (write.Resource, write.Subresource)));

        await ResumeAsync(scenario);
        status = await scenario.EventuallyStatusAsync("it went on", seen => ServerScenario.Condition(seen, "Paused") is null);
        await Eventually.TrueAsync("the Ingress was there", () => scenario.Client.FindAsync(Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name), found => found is not null);
        Assert.Equal(2, (int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!);
        Assert.Equal(81, (int)(await scenario.ServiceAsync())["spec"]!["ports"]![0]!["port"]!);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await Eventually.TrueAsync(
            "all was told", () => scenario.EventsAsync(),
            told => new[] { "Paused", "Updated" }.All(reason => told.Any(one => (string?)one["reason"] == reason)));
    }

    [Fact]
    public async Task OfANewOneNothingIsCreatedAndItGoesWhenItIsDeleted()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        var manifest = scenario.ServerManifest(Gateways.Spec);
        manifest["metadata"]!["annotations"] = new JsonObject { [Paused] = "true" };
        await scenario.Client.CreateAsync(manifest);

        var status = await scenario.EventuallyPhaseAsync("Pending");

        Assert.Equal("False Paused", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Contains("would create Deployment, Service, Ingress", (string)status["message"]!, StringComparison.Ordinal);
        await scenario.PassAsync();
        Assert.Null(await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name));
        Assert.Null(await scenario.FindConfigMapAsync());

        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);
        Assert.Null(await scenario.Client.FindAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name));
    }

    [Fact]
    public async Task WhatIsTakenAwayGoesOutAndWhatIsGivenWaits()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("old");
        await scenario.CreateGrantAsync("stays");
        await scenario.IsAcceptedAsync("old");
        await scenario.IsAcceptedAsync("stays");
        await scenario.AnnotateServerAsync(Paused, "true");
        await scenario.EventuallyStatusAsync("it was paused", IsPaused);
        var version = (string?)(await scenario.ConfigMapAsync())["metadata"]!["resourceVersion"];

        await scenario.CreateGrantAsync("new");
        await scenario.AccessPassAsync();
        Assert.Equal(version, (string?)(await scenario.ConfigMapAsync())["metadata"]!["resourceVersion"]);
        Assert.Null((await scenario.Client.GetAsync(Resource.MCPAccessGrants, scenario.Namespace.Name, "new"))["status"]);
        var status = await scenario.EventuallyStatusAsync("the policy said so", seen => ServerScenario.StatusAndReason(seen, "PolicyReady") == "False Paused");
        Assert.NotEqual("Error", (string?)status["phase"]);
        Assert.Contains("write the policy", (string)status["message"]!, StringComparison.Ordinal);

        await scenario.Client.DeleteAsync(Resource.MCPAccessGrants, scenario.Namespace.Name, "old");
        await scenario.EventuallyPolicyAsync("what was taken away was gone", policy => Gateways.NamesIn(policy, "grants").SequenceEqual(["stays"]));

        // Nobody gets out of it by taking the document away: pods that run hold the last one that they saw.
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());
        await scenario.EventuallyPolicyAsync("it was there again", policy => Gateways.NamesIn(policy, "grants").Contains("stays"));

        await ResumeAsync(scenario);
        await scenario.IsAcceptedAsync("new");
        Assert.Equal(["new", "stays"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
    }

    [Fact]
    public async Task AValueThatIsNeitherTrueNorFalsePausesNothingAndIsTold()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1'}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.AnnotateServerAsync(Paused, "yes");
        var status = await scenario.EventuallyStatusAsync("it was told", seen => ServerScenario.Condition(seen, "Paused") is not null);
        Assert.Equal(("False InvalidAnnotation", "True AllResourcesReady"), (ServerScenario.StatusAndReason(status, "Paused"), ServerScenario.StatusAndReason(status, "Ready")));
        Assert.Contains("must be \"true\" or \"false\"", (string)status["message"]!, StringComparison.Ordinal);
        await Eventually.TrueAsync("an event told it", () => scenario.EventsAsync(), told => told.Any(one => (string?)one["reason"] == "SpecWarning"));
        await scenario.EditServerAsync("replicas: 2");
        await Eventually.TrueAsync("the edit was followed", () => scenario.DeploymentAsync(), live => (int)live["spec"]!["replicas"]! == 2);
    }

    private static bool IsPaused(JsonNode status) => ServerScenario.Condition(status, "Paused") is { } paused && (string?)paused["status"] == "True";

    private static Task<JsonObject> ResumeAsync(ServerScenario scenario) => scenario.Client.PatchAsync(
        Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name,
        new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Paused] = null } } });
}
