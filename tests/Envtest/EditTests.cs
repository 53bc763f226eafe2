using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Objects that change while the operator works on them, and others who do not give in.</summary>
public sealed class EditTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task TheLastOfManyQuickEditsIsLive()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/hello:0");
        // Somebody else writes into the same status meanwhile.
        var others = Task.Run(async () =>
        {
            for (var i = 0; i < 15; i++)
                await scenario.Client.PatchStatusAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, new JsonObject { ["message"] = $"{i}" });
        });

        for (var i = 1; i <= 30; i++)
            await scenario.EditServerAsync(i % 3 == 0 ? $"description: edit {i}" : $"image: example.org/hello:{i}");
        await others;

        await Eventually.TrueAsync("the last image was live", () => scenario.ContainerAsync(), container => (string?)container["image"] == "example.org/hello:29");
        var server = await scenario.EventuallyAsync("the status described it", seen =>
            (long?)seen["status"]?["observedGeneration"] == (long)seen["metadata"]!["generation"]!
            && (string?)seen["status"]!["image"] == "example.org/hello:29" && !int.TryParse((string?)seen["status"]!["message"], out _));
        Assert.Equal("edit 30", (string?)server["spec"]!["description"]);
        Assert.Equal("example.org/hello:29", (string?)server["spec"]!["image"]);
        // A status is for the server as it was read: where another writer was faster it is refused, and nothing else is.
        Assert.DoesNotContain(await scenario.WritesAsync(), write => write.Subresource == "status" && write.Code is >= 400 and not 409);
    }

    [Fact]
    public async Task NothingThatAUserSetsIsLostToTheDefaultsThatAreWrittenInTheSameMoment()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        var names = Enumerable.Range(0, 12).Select(i => $"s{i}").ToList();

        await Task.WhenAll(names.Select(async (name, i) =>
        {
            await scenario.CreateServerAsync("image: example.org/hello", name);
            await scenario.EditServerAsync($$"""{imageTag: "{{i}}", publicPathPrefix: prefix-{{i}}, ingressClass: nginx}""", name);
        }));

        foreach (var (name, i) in names.Select((name, i) => (name, i)))
        {
            var server = await scenario.SettledAsync(name);
            Assert.Equal(($"{i}", $"prefix-{i}", "nginx"), ((string)server["spec"]!["imageTag"]!, (string)server["spec"]!["publicPathPrefix"]!, (string)server["spec"]!["ingressClass"]!));
            Assert.Equal(($"example.org/hello:{i}", $"/prefix-{i}/mcp"), ((string)server["status"]!["image"]!, (string)server["status"]!["url"]!));
        }
    }

    // Kubernetes 1.20 leaves variables in the order in which they came. The one apply by which a new process finds that out is no repair.
    [Fact]
    public async Task AfterARestartVariablesThatStandInAnotherOrderAreNotToldAsARepair()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("{image: example.org/hello, envVars: [{name: A}, {name: B, value: b}]}");
        await scenario.SettledAsync();
        await scenario.EditAndSettleAsync("{envVars: [{name: B, value: b}, {name: A}]}");

        await scenario.StopOperatorAsync();
        await scenario.StartOperatorAsync(arguments: ["--workers", "1"]);
        await scenario.PassAsync();

        Assert.DoesNotContain(scenario.Operator!.Log, entry => (string?)entry["name"] == ServerScenario.Name && (string?)entry["event"] == "ObjectApplied");
    }

    [Theory]
    [InlineData("a secret variable becomes a plain one", "{secretEnvVars: [{name: A, secretKeyRef: {name: s, key: k}}]}", "{secretEnvVars: null, envVars: [{name: A, value: b}]}")]
    [InlineData("a plain variable becomes a secret one", "{envVars: [{name: A, value: b}]}", "{envVars: null, secretEnvVars: [{name: A, secretKeyRef: {name: s, key: k}}]}")]
    [InlineData("a rolling update becomes Recreate", "{rollout: {maxSurge: '1', maxUnavailable: '0'}}", "{rollout: {strategy: Recreate}}")]
    [InlineData("Recreate becomes a rolling update", "{rollout: {strategy: Recreate}}", "{rollout: {strategy: RollingUpdate}}")]
    [InlineData("the ports change", "{port: 8000, servicePort: 80}", "{port: 8001, servicePort: 8080}")]
    [InlineData("variables are reordered and removed", "{envVars: [{name: A, value: a}, {name: B, value: b}, {name: C, value: c}]}", "{envVars: [{name: C, value: c}, {name: A, value: x}]}")]
    [InlineData("secrets and annotations are removed", "{imagePullSecrets: [a, b], ingressAnnotations: {x.org/a: b}}", "{imagePullSecrets: [b], ingressAnnotations: null}")]
    [InlineData("the host goes", "{ingressHost: tools.example.org, ingressPath: /mcp}", "{ingressHost: null, ingressPath: /other}")]
    public async Task AfterAnEditTheObjectsAreThoseOfANewServer(string what, string first, string then)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/hello:1");
        await scenario.EditAndSettleAsync(first);

        var edited = await scenario.EditAndSettleAsync(then);

        Assert.True((string)edited["status"]!["phase"]! != "Error", $"{what}: {edited["status"]!["message"]}");
        var objects = await ObjectsAsync();
        foreach (var resource in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses })
            await scenario.Client.DeleteAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
        await Eventually.TrueAsync("new objects were the same", async () => Difference(objects, await ObjectsAsync()), difference => difference.Length == 0);

        async Task<string> ObjectsAsync()
        {
            var specs = new List<string>();
            foreach (var resource in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses })
            {
                var live = await scenario.Client.GetAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
                foreach (var assigned in new[] { "clusterIP", "clusterIPs" })
                    live["spec"]!.AsObject().Remove(assigned);
                specs.Add($"{live["spec"]}\n{live["metadata"]!["annotations"]}\n{OwnedLeaves.Text(live)}");
            }
            return string.Join('\n', specs);
        }

        static string Difference(string before, string after) =>
            string.Join('\n', before.Split('\n').Except(after.Split('\n')).Concat(after.Split('\n').Except(before.Split('\n'))));
    }

    [Fact]
    public async Task SomebodyWhoNeverGivesInCostsOneWriteARound()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, arguments: ["--workers", "1"]);
        await scenario.CreateServerAsync("image: example.org/hello:1");
        await scenario.SettledAsync();
        var before = (await DeploymentWritesAsync()).Count;
        const int rounds = 5;

        for (var i = 0; i < rounds; i++)
        {
            await scenario.Client.PatchAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, """{"spec": {"replicas": 7}}""");
            await Eventually.TrueAsync("it was put right", () => scenario.DeploymentAsync(), live => (int)live["spec"]!["replicas"]! == 1);
        }
        // And without waiting for the operator: it may miss some of them, but not the last.
        for (var i = 0; i < rounds; i++)
            await scenario.Client.PatchAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, $$"""{"spec": {"replicas": {{i + 10}} } }""");
        await Eventually.TrueAsync("it was put right", () => scenario.DeploymentAsync(), live => (int)live["spec"]!["replicas"]! == 1);
        await scenario.PassAsync();

        Assert.InRange((await DeploymentWritesAsync()).Count - before, rounds + 1, 2 * rounds);

        async Task<IReadOnlyList<AuditEvent>> DeploymentWritesAsync() =>
            [.. (await scenario.WritesAsync()).Where(write => write.Resource == "deployments")];
    }

    [Fact]
    public async Task ANamespaceThatIsBeingDeletedIsLeftInPeaceWhileOthersGoOn()
    {
        fixture.RequireOwn("a namespace whose deletion nobody finishes, and the audit log");
        await using var dying = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var living = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await living.GrantInAsync(dying);
        await using var process = await OperatorProcess.StartAsync(
            fixture.ControlPlane, living, new() { Arguments = ["--workers", "1", "--watch-namespaces", $"{dying},{living}"] });
        await CreateAsync(dying, "web");
        await CreateAsync(dying, "other");
        await SettledAsync(dying, "web");
        await SettledAsync(dying, "other");
        await fixture.Client.DeleteAsync(Resource.Namespaces, null, dying.Name);
        await Eventually.TrueAsync(
            "the namespace was being deleted",
            () => fixture.Client.GetAsync(Resource.Namespaces, null, dying.Name),
            ns => (string?)ns["status"]?["phase"] == "Terminating");

        // What is deleted there cannot be made again, and after that nothing else is tried.
        await fixture.Client.DeleteAsync(Resource.Deployments, dying.Name, "web");
        await process.WaitForLogAsync("it saw that the namespace goes", entry => (string?)entry["event"] == "NamespaceTerminating");
        await EditAsync(dying, "web", 2);
        await EditAsync(dying, "other", 2);
        await CreateAsync(living, "web");
        await SettledAsync(living, "web");
        var before = (await InDyingAsync()).Count;
        foreach (var i in new[] { 3, 4, 5 })
        {
            await EditAsync(living, "web", i);
            await SettledAsync(living, "web");
        }

        Assert.Equal(before, (await InDyingAsync()).Count);
        Assert.InRange((await InDyingAsync()).Count(request => request.Code == 403), 1, 4);
        Assert.Empty(process.Complaints);

        Task CreateAsync(TestNamespace ns, string name) => fixture.Client.CreateAsync($$"""
            {apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: {{name}}}, spec: {image: 'example.org/hello:1', ingressHost: {{name}}.{{ns}}.example.org} }
            """, ns.Name);

        Task EditAsync(TestNamespace ns, string name, int tag) => fixture.Client.PatchAsync(
            Resource.MCPServers, ns.Name, name, $$$"""{"spec": {"image": "example.org/hello:{{{tag}}}"} }""");

        Task SettledAsync(TestNamespace ns, string name) => Eventually.TrueAsync(
            $"the status of {ns}/{name} described the current generation",
            () => fixture.Client.GetAsync(Resource.MCPServers, ns.Name, name),
            server => (long?)server["status"]?["observedGeneration"] == (long)server["metadata"]!["generation"]!);

        // Watches aside, which the API server ends when it pleases.
        async Task<IReadOnlyList<AuditEvent>> InDyingAsync() =>
            [.. (await living.OperatorRequestsAsync()).Where(request => request.Namespace == dying.Name && request.Verb is not ("watch" or "list"))];
    }
}
