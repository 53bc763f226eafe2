using System.Net;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// What is taken away is out of the stored document, whatever else is wrong. When is told by the order of requests in the audit log: few writes
/// come between the API server's answer to the user and the document.
/// </summary>
public sealed class RevocationTests(ControlPlaneFixture fixture)
{
    private static readonly Resource Grants = Resource.MCPAccessGrants;

    /// <summary>Writes of other things that a document may wait for: those that were on their way.</summary>
    private const int Few = 5;

    public static TheoryData<string> Ways => Revocable.Ways;

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ItIsOutOfTheDocumentWhileTheSpecIsInvalid(string way)
    {
        await using var members = await Revocable.StartAsync(Require(), ServerScenario.OneWorker);
        var scenario = members.Scenario;
        await scenario.EditServerAsync("port: 9103");
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("True PolicyCurrent", ServerScenario.StatusAndReason(status, "PolicyReady"));

        await members.TakeAwayAsync(way);

        await members.GoneAsync(way);
        await members.IsToldAsync(way);
        await members.AssertFirstAsync(way, Few);
        Assert.Contains(Revocable.Stays, Gateways.NamesIn(await members.PolicyAsync(), "grants"));
        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "Ready"));
    }

    /// <summary>None of the faults is about access, so that what is granted meanwhile comes in, too.</summary>
    [Theory]
    [InlineData("{port: 9103}")]
    [InlineData("{gateway: {port: 8088}}")]
    [InlineData("{rollout: {strategy: RollingUpdate, maxSurge: '0', maxUnavailable: '0'}}")]
    [InlineData("{resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}")]
    public async Task AFaultThatIsNotAboutAccessKeepsNobodyOut(string edit)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("old");
        await scenario.IsAcceptedAsync("old");
        await scenario.EditServerAsync(edit);
        await scenario.EventuallyPhaseAsync("Error");

        await scenario.CreateGrantAsync("new");
        await scenario.IsAcceptedAsync("new");
        await scenario.EditAsync(Grants, "old", "disabled: true");
        await scenario.IsToldAsync(Grants, "old", "Disabled", "Disabled");

        var policy = await scenario.PolicyAsync();
        Assert.Equal(["new", "old"], Gateways.NamesIn(policy, "grants"));
        Assert.True((bool)policy["grants"]![1]!["disabled"]!);
        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "Ready"));
    }

    [Fact]
    public async Task ItIsOutOfTheDocumentsOfAllServersWhenTheOperatorsGatewayImageIsGone()
    {
        const string Image = "MCP_GATEWAY_PROXY_IMAGE";
        var environment = new Dictionary<string, string?>(ServerScenario.Permissive) { [Image] = "example.org/gateway:1" };
        await using var ns = await TestNamespace.CreateAsync(Require());
        await using var members = await Revocable.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.OneWorker, environment, "{image: 'example.org/web:1', gateway: {enabled: true}}");
        var scenario = members.Scenario;
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ["--watch-namespaces", $"{ns},{members.Other}", .. ServerScenario.OneWorker]);
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Contains("spec.gateway.image", (string)status["message"]!, StringComparison.Ordinal);

        foreach (var way in Revocable.AllWays)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.IsToldAsync(way);
            await members.AssertFirstAsync(way, Few);
        }

        Assert.Equal([Revocable.Disabled, Revocable.Stays], Gateways.NamesIn(await members.PolicyAsync(), "grants"));
    }

    /// <summary>Then nobody knows what the document should say; that it shall say less is known.</summary>
    [Theory]
    [InlineData("{auth: {mode: mtls}}", "{auth: null}")]
    [InlineData("{auth: {mode: oauth}}", "{auth: null}")]
    public async Task WhenTheAccessPartIsInvalidTheLastDocumentStaysWithoutWhatIsTakenAway(string edit, string back)
    {
        await using var members = await Revocable.StartAsync(Require(), ServerScenario.OneWorker);
        var scenario = members.Scenario;
        var before = await members.PolicyAsync();
        await scenario.EditServerAsync(edit);
        await scenario.EventuallyPhaseAsync("Error");
        await scenario.CreateGrantAsync("new");
        await scenario.CreateGrantAsync("bad", "subject: {humanID: \"a\\tb\"}");
        await scenario.IsToldAsync(Grants, "bad", "Rejected", "Invalid");

        foreach (var way in Revocable.AllWays)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.IsToldAsync(way);
            await members.AssertFirstAsync(way, Few);
        }

        // What one of them grants less is taken away as well.
        await scenario.EditAsync(Grants, Revocable.Stays, "toolRules: [{name: t, decision: deny}]");
        await scenario.EventuallyPolicyAsync("it denied", seen => (string?)seen["grants"]!.AsArray()
            .Single(grant => (string?)grant!["name"] == Revocable.Stays)!["tool_rules"]?[0]?["decision"] == "deny");
        await scenario.AccessPassAsync();
        var policy = await members.PolicyAsync();
        Assert.DoesNotContain("new", Gateways.NamesIn(policy, "grants"));
        foreach (var part in (string[])["server", "auth", "policy", "session"])
            ServerScenario.AssertJson(before[part], policy[part]);
        Assert.Null((await scenario.Client.GetAsync(Grants, scenario.Namespace.Name, "new"))["status"]);

        await scenario.EditServerAsync(back);
        await scenario.IsAcceptedAsync("new");
        await scenario.IsAcceptedAsync(Revocable.Stays);
        policy = await members.PolicyAsync();
        Assert.Equal([Revocable.Disabled, "new", Revocable.Stays], Gateways.NamesIn(policy, "grants"));
    }

    /// <summary>As a webhook of somebody else that hangs, and refuses in the end.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ItIsOutOfTheDocumentWhileTheDeploymentHangsInAWebhook(string way)
    {
        await using var ns = await TestNamespace.CreateAsync(Require());
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        await using var members = await Revocable.StartAsync(fixture.ControlPlane, ns, ["--kubeconfig", front.Kubeconfig]);
        using var webhook = new Hang(front, request => request.IsWrite && request.IsOf(Resource.Deployments), exchange => exchange.RefuseAsync(
            HttpStatusCode.InternalServerError, "InternalError", "failed calling webhook \"slow.example.org\": context deadline exceeded"));
        await members.Scenario.EditServerAsync("image: example.org/web:2");
        await webhook.WaitAsync();

        await members.TakeAwayAsync(way);
        await members.GoneAsync(way);

        // The Deployment's write still waits for its answer.
        Assert.False(webhook.HasEnded);
        await members.AssertFirstAsync(way, Few);
        webhook.Dispose();
        await members.IsToldAsync(way);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ItIsOutOfTheDocumentWhileNoStatusCanBeWritten(string way)
    {
        await using var ns = await TestNamespace.CreateAsync(Require());
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        await using var members = await Revocable.StartAsync(fixture.ControlPlane, ns, ["--kubeconfig", front.Kubeconfig]);
        using var fault = front.Fail(
            request => request.IsWrite && request.IsStatus,
            exchange => exchange.RefuseAsync(HttpStatusCode.Forbidden, "Forbidden", "User \"operator\" cannot patch resource \"mcpaccessgrants/status\""));
        // Reports that fail again and again, so that whatever waits for them waits longer each time.
        await members.Scenario.CreateGrantAsync("unreported-1");
        await members.Scenario.CreateGrantAsync("unreported-2");
        await members.Scenario.EditServerAsync("replicas: 2");
        await fault.WaitAsync(12);

        await members.TakeAwayAsync(way);
        await members.GoneAsync(way);

        await members.AssertFirstAsync(way, Few);
        fault.Dispose();
        await members.IsToldAsync(way);
    }

    /// <summary>A report that gets no answer is nobody else's trouble.</summary>
    [Fact]
    public async Task ItIsOutOfTheDocumentWhileReportsHang()
    {
        await using var ns = await TestNamespace.CreateAsync(Require());
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        await using var members = await Revocable.StartAsync(fixture.ControlPlane, ns, ["--kubeconfig", front.Kubeconfig]);
        using var hang = new Hang(front, request => request.IsWrite && request.IsStatus && request.IsOf(Grants), exchange => exchange.ForwardAsync());
        await members.Scenario.CreateGrantAsync("unreported");
        await hang.WaitAsync();

        foreach (var way in Revocable.AllWays)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            Assert.False(hang.HasEnded);
            await members.AssertFirstAsync(way, Few);
        }

        hang.Dispose();
        foreach (var way in Revocable.AllWays)
            await members.IsToldAsync(way);
        await members.Scenario.IsAcceptedAsync("unreported");
    }

    [Fact]
    public async Task ItIsOutOfTheDocumentOfAServerThatIsBeingDeleted()
    {
        await using var members = await Revocable.StartAsync(Require(), ServerScenario.OneWorker);
        var scenario = members.Scenario;
        await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": ["example.org/wait"]}}""");
        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);
        Assert.NotNull((await scenario.ServerAsync())["metadata"]!["deletionTimestamp"]);

        foreach (var way in Revocable.AllWays)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.AssertFirstAsync(way, Few);
        }

        await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"finalizers": null}}""");
    }

    private ControlPlane Require()
    {
        fixture.RequireOwn("the audit log, and an operator of two namespaces");
        return fixture.ControlPlane;
    }
}
