using System.Net;

namespace McpOperator.Envtest.Faults;

/// <summary>The first list breaks off, is something else, or is refused; nothing is made of half of one.</summary>
public sealed class ListFaultTests(ControlPlaneFixture fixture)
{
    [Theory]
    // One that breaks off is asked for again twice before it is a failure.
    [InlineData("cut", 4)]
    [InlineData("<html>200 OK</html>", 4)]
    [InlineData("""{"kind":"MCPServerList","items":[{"metadata":""", 4)]
    [InlineData("""{"kind":"MCPServerList","items":["web"],"metadata":{"resourceVersion":"1"}}""", 4)]
    [InlineData("{}", 1)]
    public async Task AListThatIsNotWholeIsNotBelieved(string body, int times)
    {
        fixture.RequireOwn("a front that is a user of its own");
        Fault fault = null!;
        await using var scenario = await FaultScenario.BeginAsync(fixture.ControlPlane, [], front => fault = front.Fail(
            request => request.IsList && request.IsOf(Resource.MCPServers),
            exchange => body == "cut" ? exchange.LoseAnswerAsync(inTheMiddle: true) : exchange.GarbleAnswerAsync(body),
            times));
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");
        await fault.WaitAsync(times);

        await scenario.AssertRecoveredAsync("ReflectorFailed");
        Assert.Single(scenario.Complaints);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "InternalError")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable")]
    [InlineData(HttpStatusCode.TooManyRequests, "TooManyRequests")]
    public async Task AListThatIsRefusedForAWhileIsOneWarningAKind(HttpStatusCode code, string reason)
    {
        fixture.RequireOwn("a front that is a user of its own");
        Fault fault = null!;
        await using var scenario = await FaultScenario.BeginAsync(fixture.ControlPlane, [], front => fault = front.Fail(
            request => request.IsList && request.IsOf(Resource.MCPServers), exchange => exchange.RefuseAsync(code, reason), times: 2));
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");
        await fault.WaitAsync(2);

        await scenario.AssertRecoveredAsync("ReflectorFailed");
        Assert.Single(scenario.Complaints);
    }

    [Fact]
    public async Task AGrantThatIsDeletedWhileItsListBreaksOffIsNotInThePolicy()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        await scenario.Servers.EditServerAsync("gateway: {enabled: true, image: 'example.org/gateway:1'}");
        string[] names = ["a", "b", "c"];
        foreach (var name in names)
            await scenario.Servers.CreateGrantAsync(name);
        await IsPolicyAsync(names);

        await DeleteWhileTheListBreaksOffAsync(scenario, Resource.MCPAccessGrants, "a");

        await IsPolicyAsync("b", "c");
        await scenario.AssertRecoveredAsync();
        Assert.Equal(["b", "c"], Gateways.NamesIn(await scenario.Servers.PolicyAsync(), "grants"));

        async Task IsPolicyAsync(params string[] wanted) => await scenario.Servers.EventuallyPolicyAsync(
            $"the policy held {string.Join(", ", wanted)}", policy => Gateways.NamesIn(policy, "grants").SequenceEqual(wanted));
    }

    [Fact]
    public async Task AServerThatIsDeletedWhileItsListBreaksOffIsNotMadeAgain()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        foreach (var name in (string[])["a", "b"])
        {
            await scenario.Servers.CreateServerAsync("image: example.org/web:1", name);
            await scenario.Servers.SettledAsync(name);
        }

        await DeleteWhileTheListBreaksOffAsync(scenario, Resource.MCPServers, "a");

        // What the garbage collector does in a whole cluster, and what a deleted server is looked at for.
        var owned = (Resource[])[Resource.Ingresses, Resource.Services, Resource.Deployments];
        foreach (var resource in owned)
            await scenario.Servers.Client.DeleteAsync(resource, scenario.Servers.Namespace.Name, "a");
        await scenario.AssertRecoveredAsync();
        foreach (var resource in owned)
            Assert.Null(await scenario.Servers.Client.FindAsync(resource, scenario.Servers.Namespace.Name, "a"));
    }

    /// <summary>
    /// The watch has expired; the first answer to the list that follows holds the object, and breaks off; before the list is
    /// sent again, the object is deleted.
    /// </summary>
    private static async Task DeleteWhileTheListBreaksOffAsync(FaultScenario scenario, Resource resource, string name)
    {
        var (client, ns) = (scenario.Servers.Client, scenario.Servers.Namespace.Name);
        await scenario.WatchesLastAsync();
        using var expired = scenario.Front.Fail(
            request => request.IsWatch && request.IsOf(resource), exchange => exchange.RefuseAsync(HttpStatusCode.Gone, "Expired"), times: 1);
        using var broken = scenario.Front.Fail(
            request => request.IsList && request.IsOf(resource),
            exchange => exchange.LoseEndOfListAsync(async () =>
            {
                await client.DeleteAsync(resource, ns, name);
                // The list may come from the API server's cache, which learns of the deletion a moment later.
                await Eventually.TrueAsync(
                    $"the API server's cache lacked {name}",
                    () => client.SendAsync(HttpMethod.Get, resource.PathTo(ns) + "?resourceVersion=0"),
                    list => list["items"]!.AsArray().All(item => (string?)item!["metadata"]!["name"] != name));
            }),
            times: 1);
        var lists = Lists();
        scenario.Front.Wire.Reset();
        await Eventually.TrueAsync("the list was sent again", () => Task.FromResult(Lists()), count => count >= lists + 2);

        int Lists() => scenario.Front.Requests.Count(request => request.IsList && request.IsOf(resource) && request.Code == 200);
    }
}
