using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What others add to the operator's objects is theirs: it stays, and nobody fights over it.</summary>
public sealed class OthersFieldsTests(ControlPlaneFixture fixture)
{
    [Theory]
    [InlineData("deployments", "an annotation and a label", """{"metadata": {"annotations": {"example.org/a": "b"}, "labels": {"example.org/c": "d"}}}""")]
    [InlineData("deployments", "a restart", """{"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2024-05-01T12:00:00Z"}}}}}""")]
    [InlineData("deployments", "a sidecar", """{"spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "example.org/proxy:1", "ports": [{"name": "http", "containerPort": 9000}]}]}}}}""")]
    [InlineData("deployments", "an init container and a volume", """{"spec": {"template": {"spec": {"volumes": [{"name": "data", "emptyDir": {}}], "initContainers": [{"name": "init", "image": "example.org/init:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}}}}""")]
    [InlineData("deployments", "a variable in the server's container", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "HTTP_PROXY", "value": "http://proxy:3128"}]}]}}}}""")]
    [InlineData("deployments", "a port and a mount in the server's container", """{"spec": {"template": {"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}], "containers": [{"name": "web", "ports": [{"name": "metrics", "containerPort": 9090}], "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}]}}}}""")]
    [InlineData("deployments", "a resource, a node selector and a toleration", """{"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}], "containers": [{"name": "web", "resources": {"limits": {"ephemeral-storage": "1Gi"}}}]}}}}""")]
    [InlineData("deployments", "a finalizer", """{"metadata": {"finalizers": ["example.org/keep"]}}""")]
    [InlineData("deployments", "a second owner", """{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "bundle", "uid": "9c0f7a3e-0000-4000-8000-000000000001"}]}}""")]
    [InlineData("deployments", "settings of the rollout", """{"spec": {"progressDeadlineSeconds": 120, "revisionHistoryLimit": 2, "minReadySeconds": 5}}""")]
    [InlineData("services", "a port", """{"spec": {"ports": [{"name": "metrics", "port": 9090, "targetPort": 9090}]}}""")]
    [InlineData("services", "annotations, a label and affinity", """{"metadata": {"annotations": {"prometheus.io/scrape": "true"}, "labels": {"team": "x"}}, "spec": {"sessionAffinity": "ClientIP"}}""")]
    [InlineData("ingresses", "an annotation and a label", """{"metadata": {"annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}, "labels": {"team": "x"}}}""")]
    [InlineData("ingresses", "a certificate", """{"spec": {"tls": [{"hosts": ["tools.example.org"], "secretName": "tools-tls"}]}}""")]
    public async Task AnAdditionStaysAndNothingIsWritten(string kind, string what, string patch)
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, arguments: ["--workers", "1"]);
        var resource = new[] { Resource.Deployments, Resource.Services, Resource.Ingresses }.Single(resource => resource.Plural == kind);
        await scenario.CreateServerAsync("{image: example.org/hello:1, ingressHost: tools.example.org, envVars: [{name: A, value: b}]}");
        await scenario.SettledAsync();
        var owned = OwnedLeaves.Text(await scenario.Client.GetAsync(resource, scenario.Namespace.Name, ServerScenario.Name));
        var writes = await WritesAsync();

        var edited = await scenario.Client.PatchAsync(
            resource, scenario.Namespace.Name, ServerScenario.Name, patch.AsJson(), PatchKind.Strategic, fieldManager: "somebody");
        await scenario.PassAsync();

        Assert.Equal(writes, await WritesAsync());
        // And it stays where the operator has something to write.
        await scenario.EditAndSettleAsync("{image: 'example.org/hello:2', servicePort: 81, ingressAnnotations: {example.org/x: y}}");
        var live = await scenario.Client.GetAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
        Assert.NotEqual((string)edited["metadata"]!["resourceVersion"]!, (string)live["metadata"]!["resourceVersion"]!);
        Assert.True(Holds(live, patch.AsJson()), $"{what} is gone:\n{live}");
        Assert.NotEqual(owned, OwnedLeaves.Text(live));
        if (live["metadata"]!["finalizers"] is not null)
            await scenario.Client.PatchAsync(resource, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": null}}""");

        // What stands in our container is told in the status.
        async Task<int> WritesAsync() => (await scenario.WritesAsync()).Count(write => write.Resource != "mcpservers");
    }

    [Fact]
    public async Task AConditionOfAnotherControllerStaysInTheStatus()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, arguments: ["--workers", "1"]);
        await scenario.CreateServerAsync("image: example.org/hello:1");
        await scenario.SettledAsync();

        await scenario.Client.ApplyAsync(
            new JsonObject
            {
                ["apiVersion"] = Resource.MCPServers.ApiVersion,
                ["kind"] = "MCPServer",
                ["metadata"] = new JsonObject { ["name"] = ServerScenario.Name, ["namespace"] = scenario.Namespace.Name },
                ["status"] = Manifest.Parse("""
                    conditions: [{type: Audited, status: "True", reason: Fine, message: fine, lastTransitionTime: "2024-05-01T12:00:00Z"}]
                    """),
            },
            scenario.Namespace.Name, "auditor", subresource: "status");
        await scenario.PassAsync();
        var writes = (await scenario.WritesAsync()).Count;
        await scenario.PassAsync();

        Assert.Equal(writes, (await scenario.WritesAsync()).Count);
        await scenario.EditAndSettleAsync("image: example.org/hello:2");
        Assert.Equal("True Fine", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "Audited"));
    }

    /// <summary>Everything in the patch is in the object; list items wherever they stand in the list.</summary>
    private static bool Holds(JsonNode? live, JsonNode? patch) => (live, patch) switch
    {
        (JsonObject members, JsonObject wanted) => wanted.All(member => Holds(members[member.Key], member.Value)),
        (JsonArray items, JsonArray wanted) => wanted.All(item => items.Any(candidate => Holds(candidate, item))),
        _ => JsonNode.DeepEquals(live, patch),
    };
}
