using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A backup tool has made our objects anew, or somebody has applied them as a whole: whoever owns all that we own beside us is no
/// neighbour, but has a copy. It is taken over from, once, so that what the spec drops later goes.
/// </summary>
public sealed class RestoreTests(ControlPlaneFixture fixture)
{
    private const string Spec = """
        image: example.org/web:1
        ingressAnnotations: {example.org/timeout: "30"}
        secretEnvVars: [{name: TOKEN, secretKeyRef: {name: tickets, key: token}}]
        gateway: {enabled: true, image: "example.org/gateway:1"}
        """;

    private const string Less = "{ingressAnnotations: null, secretEnvVars: null, gateway: null}";

    private static readonly Resource[] Kinds = [Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ConfigMaps];

    public enum Copy
    {
        /// <summary>Deleted, and created with all that it had, while no operator ran.</summary>
        Restored,

        /// <summary>Likewise, and another image is wanted since.</summary>
        RestoredFromBefore,

        /// <summary>Its managedFields were emptied.</summary>
        Reset,

        /// <summary>Likewise, while the operator runs.</summary>
        ResetWhileWatched,

        /// <summary>Applied as it is by somebody.</summary>
        Applied,
    }

    [Theory]
    [InlineData(Copy.Restored)]
    [InlineData(Copy.RestoredFromBefore)]
    [InlineData(Copy.Reset)]
    [InlineData(Copy.ResetWhileWatched)]
    [InlineData(Copy.Applied)]
    public async Task WhatTheSpecDropsAfterThatGoes(Copy copy)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Spec);
        await scenario.SettledAsync();
        await RollOutAsync(scenario);
        var isWatched = copy is Copy.ResetWhileWatched or Copy.Applied;
        if (!isWatched)
            await scenario.StopOperatorAsync();

        foreach (var kind in Kinds)
            await CopyAsync(scenario, kind, copy);
        if (copy == Copy.RestoredFromBefore)
            await scenario.EditServerAsync("{image: 'example.org/web:2', servicePort: 81}");
        if (!isWatched)
            await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.SettledAsync();
        foreach (var kind in Kinds)
        {
            await Eventually.TrueAsync(
                $"the {kind.Kind} was ours alone", () => FindAsync(scenario, kind),
                live => OwnedLeaves.Of(live!).Count > 0 && OwnersOf(live!, "f:app.kubernetes.io/managed-by").SequenceEqual([ServerScenario.FieldManager]));
        }

        await RollOutAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");
        await AssertNothingMoreIsWrittenAsync(scenario);
        Assert.Contains(scenario.Operator!.Log, line => (string?)line["event"] == "CopyTakenOver" && line["kind"] is not null);
        Assert.True(await scenario.Operator.MetricAsync("mcp_operator_writes_total", """kind="Deployment",reason="migrated""") > 0);

        await scenario.EditAndSettleAsync(Less);
        await RollOutAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");

        var pod = (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!;
        Assert.Equal(["web"], pod["containers"]!.AsArray().Select(container => (string?)container!["name"]));
        Assert.Null(pod["containers"]![0]!["env"]);
        Assert.Null(pod["volumes"]);
        Assert.Equal(["http"], (await scenario.ServiceAsync())["spec"]!["ports"]!.AsArray().Select(port => (string?)port!["name"]));
        Assert.Null((await scenario.IngressAsync())["metadata"]!["annotations"]?["example.org/timeout"]);
        await Eventually.TrueAsync("the policy was gone", () => scenario.FindConfigMapAsync(), found => found is null);
    }

    /// <summary>Nobody owns the port that was there, so an apply keeps it beside the new one of the same name, and is refused.</summary>
    [Fact]
    public async Task APortThatIsEditedAfterTheManagedFieldsWereEmptiedIsTheOnlyOne()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Spec + "\nport: 8000");
        await scenario.SettledAsync();
        await scenario.StopOperatorAsync();
        foreach (var kind in Kinds)
            await CopyAsync(scenario, kind, Copy.Reset);
        await scenario.EditServerAsync("{port: 8088, servicePort: 81}");
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.SettledAsync();
        await RollOutAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");

        Assert.Equal([8088], (await scenario.ContainerAsync())["ports"]!.AsArray().Select(port => (int)port!["containerPort"]!));
        Assert.Equal([81, 9103], (await scenario.ServiceAsync())["spec"]!["ports"]!.AsArray().Select(port => (int)port!["port"]!).Order());
        Assert.Equal([ServerScenario.FieldManager], OwnersOf(await scenario.DeploymentAsync(), "f:app.kubernetes.io/managed-by"));
        await AssertNothingMoreIsWrittenAsync(scenario);
    }

    /// <summary>Conditions that are not told any more.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SoDoesWhatAStatusSaysNoMore(bool isReset)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await scenario.StopOperatorAsync();
        var server = await scenario.ServerAsync();
        if (isReset)
        {
            await scenario.Client.PatchAsync(Resource.MCPServers, scenario.Namespace.Name, "web", """{"metadata": {"managedFields": [{}]}}""");
        }
        else
        {
            await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, "web");
            var restored = await scenario.CreateServerAsync(Gateways.Spec);
            restored["status"] = server["status"]!.DeepClone();
            await SendAsync(HttpMethod.Put, Resource.MCPServers.PathTo(scenario.Namespace.Name, "web", "status"), restored);
        }

        await scenario.EditServerAsync("gateway: null");
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.SettledAsync();

        await scenario.EventuallyStatusAsync("nothing was said of a gateway", status => ServerScenario.Condition(status, "GatewayReady") is null);
    }

    /// <summary>Each of them has something beside us, and something that is ours as well.</summary>
    [Theory]
    [InlineData("scaler", """{"spec": {"replicas": 1, "revisionHistoryLimit": 3}}""")]
    [InlineData("gitops", """{"metadata": {"labels": {"app": "web", "app.kubernetes.io/managed-by": "mcp-runtime", "mcpruntime.org/rollout-track": "stable", "team": "x"}}}""")]
    [InlineData("editor", """{"metadata": {"annotations": {"a": "b"}}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.org/web:1", "env": [{"name": "MORE", "value": "m"}]}]}}}}""")]
    public async Task WhoOwnsAPartOfItIsANeighbour(string manager, string part)
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var writes = (await scenario.WritesAsync()).Count(write => write.Resource == "deployments");
        var manifest = part.AsJson().AsObject();
        manifest["apiVersion"] = "apps/v1";
        manifest["kind"] = "Deployment";
        (manifest["metadata"] ??= new JsonObject())["name"] = "web";
        var applied = await scenario.Client.ApplyAsync(manifest, scenario.Namespace.Name, manager);
        await scenario.PassAsync();
        await scenario.PassAsync();

        ServerScenario.AssertJson(Entry(applied, manager), Entry(await scenario.DeploymentAsync(), manager));
        Assert.Equal(writes, (await scenario.WritesAsync()).Count(write => write.Resource == "deployments"));
    }

    /// <summary>A tool that applies its copy again and again, or another operator that takes over from us in turn.</summary>
    [Fact]
    public async Task OneThatComesBackIsNotFought()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await CopyAsync(scenario, Resource.Deployments, Copy.Applied);
        await Eventually.TrueAsync(
            "it was ours alone", () => scenario.DeploymentAsync(), live => OwnersOf(live, "f:app.kubernetes.io/managed-by").SequenceEqual([ServerScenario.FieldManager]));
        await scenario.PassAsync();
        var writes = (await scenario.WritesAsync()).Count;

        for (var i = 0; i < 3; i++)
        {
            await CopyAsync(scenario, Resource.Deployments, Copy.Applied);
            await scenario.PassAsync();
        }

        Assert.Equal(writes, (await scenario.WritesAsync()).Count);
        Assert.Contains("velero", OwnersOf(await scenario.DeploymentAsync(), "f:app.kubernetes.io/managed-by"));
    }

    private static Task<JsonObject?> FindAsync(ServerScenario scenario, Resource kind) => scenario.Client.FindAsync(
        kind, scenario.Namespace.Name, kind == Resource.ConfigMaps ? Gateways.PolicyName() : ServerScenario.Name);

    private async Task CopyAsync(ServerScenario scenario, Resource kind, Copy copy)
    {
        var live = (await FindAsync(scenario, kind))!;
        var name = (string)live["metadata"]!["name"]!;
        if (copy is Copy.Reset or Copy.ResetWhileWatched)
        {
            await scenario.Client.PatchAsync(kind, scenario.Namespace.Name, name, """{"metadata": {"managedFields": [{}]}}""");
            return;
        }

        foreach (var field in new[] { "managedFields", "resourceVersion", "uid", "creationTimestamp", "generation" })
            live["metadata"]!.AsObject().Remove(field);
        live.Remove("status");
        if (copy == Copy.Applied)
        {
            await scenario.Client.ApplyAsync(live, scenario.Namespace.Name, "velero");
            return;
        }

        await scenario.Client.DeleteAsync(kind, scenario.Namespace.Name, name);
        await SendAsync(HttpMethod.Post, kind.PathTo(scenario.Namespace.Name), live);
    }

    private Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject body) => fixture.Client.SendAsync(
        method, $"{path}?fieldManager=velero", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));

    private static async Task RollOutAsync(ServerScenario scenario)
    {
        await scenario.RollOutAsync();
        await scenario.ServeIngressAsync();
    }

    private async Task AssertNothingMoreIsWrittenAsync(ServerScenario scenario)
    {
        if (!fixture.ControlPlane.IsOwn)
            return;
        await scenario.PassAsync();
        var writes = (await scenario.WritesAsync()).Count;
        await scenario.PassAsync();
        Assert.Equal(writes, (await scenario.WritesAsync()).Count);
    }

    /// <summary>Of a label.</summary>
    private static IEnumerable<string> OwnersOf(JsonObject live, string label) => live["metadata"]!["managedFields"]!.AsArray()
        .Where(entry => entry!["fieldsV1"]?["f:metadata"]?["f:labels"]?[label] is not null)
        .Select(entry => (string)entry!["manager"]!);

    private static JsonNode? Entry(JsonObject live, string manager) =>
        live["metadata"]!["managedFields"]!.AsArray().Single(entry => (string?)entry!["manager"] == manager)!["fieldsV1"];
}
