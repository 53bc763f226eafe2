using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// The end of a server. A control plane without controllers has no garbage collector: that the children carry the owner
/// it goes by is in <see cref="CreateTests"/>, and here a test takes its place.
/// </summary>
public sealed class DeletionTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task NothingOfADeletedServerIsMadeAnew()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, null, "--workers", "1");
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        await scenario.CreateServerAsync("image: example.org/other", "other");
        await scenario.SettledAsync("other");

        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);
        await CollectGarbageAsync(scenario);
        await scenario.EditAndSettleAsync("replicas: 2", "other");
        await scenario.EditAndSettleAsync("replicas: 3", "other");

        Assert.DoesNotContain(await scenario.WritesAsync(), write => write.Verb == "delete");
        foreach (var resource in Children)
            Assert.Null(await scenario.Client.FindAsync(resource, scenario.Namespace.Name, ServerScenario.Name));
        Assert.Equal(3, (int)(await scenario.DeploymentAsync("other"))["spec"]!["replicas"]!);
    }

    [Fact]
    public async Task AServerThatIsBeingDeletedIsLeftAlone()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, null, "--workers", "1");
        var manifest = scenario.ServerManifest("image: example.org/web");
        manifest["metadata"]!["finalizers"] = new JsonArray("example.org/wait");
        await scenario.Client.CreateAsync(manifest);
        await scenario.SettledAsync();
        await scenario.PassAsync();
        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);
        Assert.NotNull((await scenario.ServerAsync())["metadata"]!["deletionTimestamp"]);
        await scenario.PassAsync();
        var before = await scenario.WritesAsync();

        await scenario.EditServerAsync("image: example.org/other");
        await scenario.Client.DeleteAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name);
        await scenario.PassAsync();
        await scenario.PassAsync();

        Assert.Equal(before, await scenario.WritesAsync());
        Assert.Equal("example.org/web:latest", (string?)(await scenario.ContainerAsync())["image"]);
        Assert.Null(await scenario.Client.FindAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name));

        await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": null}}""");
        Assert.Null(await scenario.Client.FindAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name));
    }

    [Fact]
    public async Task AServerMadeAnewWaitsForTheObjectsOfTheOldOneToGo()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/web:1");
        var old = await scenario.SettledAsync();
        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);

        var made = await scenario.CreateServerAsync("image: example.org/web:2");
        var status = await scenario.EventuallyPhaseAsync("Error");
        foreach (var type in (string[])["Ready", "DeploymentReady", "ServiceReady", "IngressReady"])
            Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, type));
        Assert.Contains(
            $"Deployment {scenario.Namespace}/web still belongs to a deleted MCPServer of this name", (string?)status["message"]);
        Assert.Equal("example.org/web:1", (string?)(await scenario.ContainerAsync())["image"]);
        foreach (var resource in Children)
            Assert.Equal((string?)old["metadata"]!["uid"], OwnerOf(await scenario.Client.GetAsync(resource, scenario.Namespace.Name, ServerScenario.Name)));

        // One by one, as the garbage collector takes them.
        await scenario.Client.DeleteAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name);
        status = await scenario.EventuallyStatusAsync(
            "the Service was there again", status => ServerScenario.StatusAndReason(status, "ServiceReady") == "True ClusterIPAssigned");
        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        await CollectGarbageAsync(scenario, (string)old["metadata"]!["uid"]!);

        await scenario.EventuallyStatusAsync("nothing was in the way any more", status => (string?)status["phase"] == "PartiallyReady");
        Assert.Equal("example.org/web:2", (string?)(await scenario.ContainerAsync())["image"]);
        foreach (var resource in Children)
            Assert.Equal((string?)made["metadata"]!["uid"], OwnerOf(await scenario.Client.GetAsync(resource, scenario.Namespace.Name, ServerScenario.Name)));
    }

    [Fact]
    public async Task AServerMadeAnewWhileNoOperatorRanWaitsAsWell()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/web:1");
        var old = await scenario.SettledAsync();
        await scenario.StopOperatorAsync();
        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);
        await scenario.CreateServerAsync("image: example.org/web:2");

        await scenario.StartOperatorAsync();
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Equal("example.org/web:1", (string?)(await scenario.ContainerAsync())["image"]);

        await CollectGarbageAsync(scenario, (string)old["metadata"]!["uid"]!);
        await scenario.EventuallyStatusAsync("nothing was in the way any more", status => (string?)status["phase"] == "PartiallyReady");
        Assert.Equal("example.org/web:2", (string?)(await scenario.ContainerAsync())["image"]);
    }

    private static readonly Resource[] Children = [Resource.Deployments, Resource.Services, Resource.Ingresses];

    /// <summary>Deletes the server's objects, or those of them that this owner controls.</summary>
    private static async Task CollectGarbageAsync(ServerScenario scenario, string? owner = null)
    {
        foreach (var resource in Children)
        {
            var child = await scenario.Client.FindAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
            if (child is not null && (owner is null || OwnerOf(child) == owner))
                await scenario.Client.DeleteAsync(resource, scenario.Namespace.Name, ServerScenario.Name);
        }
    }

    private static string? OwnerOf(JsonObject child) => (string?)child["metadata"]!["ownerReferences"]!.AsArray().Single()!["uid"];
}
