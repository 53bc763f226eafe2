using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>Objects that are deleted and made anew under the same name, and grants that move away and back, faster than anybody looks.</summary>
public sealed class NamesakeTests(ControlPlaneFixture fixture)
{
    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly Resource Sessions = Resource.MCPAgentSessions;

    [Theory]
    [InlineData(0, "Accepted", "Accepted")]
    [InlineData(1, "Disabled", "Disabled")]
    [InlineData(2, "Rejected", "Invalid")]
    [InlineData(3, "Rejected", "ServerNotFound")]
    public async Task TheStatusIsThatOfTheLastOne(int kind, string phase, string reason)
    {
        await using var scenario = await StartAsync();
        const int Times = 40;
        for (var i = Times; i >= 0; i--)
        {
            // Each is told something else than the one before; the last is of the given kind.
            var (spec, server) = ((i + kind) % 4) switch
            {
                0 => ($"subject: {{humanID: h-{i}}}", "web"),
                1 => ($"subject: {{humanID: h-{i}}}, disabled: true", "web"),
                2 => ("subject: {humanID: \"a\\tb\"}", "web"),
                _ => ($"subject: {{humanID: h-{i}}}", "nowhere"),
            };
            await scenario.CreateGrantAsync("g", spec, server);
            // Sometimes before it is in the document, sometimes when it is, and while it is told so.
            if (i % 5 == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(100 * (i % 7)));
            if (i > 0)
                await scenario.Client.DeleteAsync(Grants, scenario.Namespace.Name, "g");
        }

        await scenario.AccessPassAsync();
        var status = await scenario.IsToldAsync(Grants, "g", phase, reason);
        Assert.Equal(1, (long)status["observedGeneration"]!);
        var policy = await scenario.PolicyAsync();
        Assert.Equal(kind < 2 ? ["h-0"] : [], ((JsonArray?)policy["grants"] ?? []).Select(grant => (string?)grant!["human_id"]));
    }

    /// <summary>A status that is late is about an object that is gone, and no other one gets it.</summary>
    [Theory]
    [InlineData("MCPAccessGrant")]
    [InlineData("MCPAgentSession")]
    [InlineData("MCPServer")]
    public async Task AStatusThatIsOnItsWayIsNotTheNextOnes(string kind)
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        await using var scenario = await ServerScenario.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.Permissive, ["--kubeconfig", front.Kubeconfig]);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        var resource = kind switch { "MCPServer" => Resource.MCPServers, "MCPAccessGrant" => Grants, _ => Sessions };
        using var late = new Hang(
            front, request => request.IsStatus && request.Path.EndsWith($"/{resource.Plural}/name/status", StringComparison.Ordinal),
            exchange => exchange.ForwardAsync(), times: 1);

        await CreateAsync("first");
        await late.WaitAsync();
        await scenario.Client.DeleteAsync(resource, ns.Name, "name");
        var second = await CreateAsync("second");
        late.Dispose();
        await Eventually.TrueAsync("the late status was answered", () => Task.FromResult(Late()), seen => seen is not null);

        // By its uid, which an API server takes as a precondition or as a field that never changes.
        Assert.Contains(Late()!.Code, (int[])[409, 422]);
        await Eventually.TrueAsync(
            "the second one was told of itself", () => scenario.Client.GetAsync(resource, ns.Name, "name"),
            live => (long?)live["status"]?["observedGeneration"] == (long)live["metadata"]!["generation"]!);
        Assert.Equal((string?)second["metadata"]!["uid"], (string?)(await scenario.Client.GetAsync(resource, ns.Name, "name"))["metadata"]!["uid"]);

        // The first answer of those, since it is the only one that was asked for before.
        FrontRequest? Late() => front.Requests.FirstOrDefault(request => request.IsStatus && request.IsOf(resource) && request.Path.Contains("/name/", StringComparison.Ordinal));

        Task<JsonObject> CreateAsync(string which) => kind switch
        {
            "MCPServer" => scenario.CreateServerAsync($"image: example.org/{which}", "name"),
            "MCPAccessGrant" => scenario.CreateGrantAsync("name", $"subject: {{humanID: {which}}}"),
            _ => scenario.CreateSessionAsync("name", $"subject: {{humanID: {which}}}"),
        };
    }

    [Fact]
    public async Task AGrantThatMovesAwayAndBackAgainAndAgainIsWhereItIsInTheEnd()
    {
        await using var scenario = await StartAsync("other");
        await scenario.CreateGrantAsync("moves");
        await scenario.CreateGrantAsync("moves-too");
        await scenario.IsAcceptedAsync("moves");
        await scenario.IsAcceptedAsync("moves-too");
        for (var i = 0; i < 60; i++)
        {
            await MoveAsync("moves", i % 2 == 0 ? "other" : "web");
            await MoveAsync("moves-too", i % 2 == 0 ? "web" : "other");
            if (i % 9 == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(100 * (i % 8)));
        }

        await scenario.AccessPassAsync();
        var status = await scenario.IsAcceptedAsync("moves");
        Assert.Contains("/web", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Contains("/other", (string)(await scenario.IsAcceptedAsync("moves-too"))["message"]!, StringComparison.Ordinal);
        Assert.Equal(["moves"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
        Assert.Equal(["moves-too"], Gateways.NamesIn(await scenario.PolicyAsync("other"), "grants"));

        Task MoveAsync(string name, string server) => scenario.EditAsync(Grants, name, $"serverRef: {{name: {server}}}");
    }

    private async Task<ServerScenario> StartAsync(params string[] others)
    {
        var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        foreach (var server in (string[])["web", .. others])
        {
            await scenario.CreateServerAsync(Gateways.Spec, server);
            await scenario.SettledAsync(server);
        }

        return scenario;
    }
}
