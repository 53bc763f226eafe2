using System.Net;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// A pod that changes has its volumes refreshed by its kubelet at once; so each change of a document puts its revision on the gateway pods that run.
/// </summary>
public sealed class PolicyRefreshTests(ControlPlaneFixture fixture)
{
    private const string Annotation = "mcpruntime.org/policy-revision";

    [Fact]
    public async Task TheGatewayPodsThatRunGetTheRevisionByOneListAndOnePatchEach()
    {
        fixture.RequireOwn("the audit log, and pods that nobody runs");
        await using var scenario = await StartAsync(fixture.ControlPlane);
        string[] running = ["running-1", "running-2"];
        foreach (var name in running)
            await scenario.CreatePodAsync(name);
        await scenario.CreatePodAsync("without-gateway", containers: ["web"]);
        await scenario.CreatePodAsync("of-another", app: "other");
        await scenario.CreatePodAsync("not-ours", isManaged: false);
        await scenario.CreatePodAsync("pending", phase: "Pending");
        await scenario.CreatePodAsync("finished", phase: "Succeeded");
        await scenario.CreatePodAsync("terminating");
        await scenario.Client.PatchAsync(Resource.Pods, scenario.Namespace.Name, "terminating", """{"metadata": {"finalizers": ["example.org/wait"]}}""");
        await scenario.Client.DeleteAsync(Resource.Pods, scenario.Namespace.Name, "terminating");

        await scenario.CreateGrantAsync("first");
        await scenario.IsAcceptedAsync("first");
        await HaveRevisionAsync(scenario, running);
        var before = await PodRequestsAsync(scenario);
        await scenario.EditAsync(Resource.MCPAccessGrants, "first", "disabled: true");
        await scenario.IsToldAsync(Resource.MCPAccessGrants, "first", "Disabled", "Disabled");
        await HaveRevisionAsync(scenario, running);

        var requests = (await PodRequestsAsync(scenario)).Skip(before.Count).ToList();
        Assert.Equal(
            ["list ", "patch running-1", "patch running-2"],
            requests.Select(request => $"{request.Verb} {request.Name}").Order(StringComparer.Ordinal));
        Assert.Equal("list", requests[0].Verb);
        Assert.All(requests, request => Assert.Equal(200, request.Code));
        foreach (var pod in await scenario.Client.ListAsync(Resource.Pods, scenario.Namespace.Name))
        {
            var name = (string)pod["metadata"]!["name"]!;
            if (running.Contains(name))
                Assert.Equal([Annotation], pod["metadata"]!["annotations"]!.AsObject().Select(annotation => annotation.Key));
            else
                Assert.True(pod["metadata"]!["annotations"]?[Annotation] is null, $"{name} was told: {pod["metadata"]!.ToJsonString()}");
        }

        // The document is stored before anybody is told of it, and nothing is asked where nothing changed.
        var events = await scenario.ControlPlane.AuditEventsAsync();
        var last = PolicyWrites.Of(events, scenario.Namespace.Name)[^1].Request;
        Assert.True(last.StageTime < requests[0].Received, $"{last} until {last.StageTime:O}\n{requests[0]} from {requests[0].Received:O}");
        var count = (await PodRequestsAsync(scenario)).Count;
        await scenario.Client.PatchAsync(
            Resource.MCPAccessGrants, scenario.Namespace.Name, "first", """{"metadata": {"annotations": {"example.org/touched": "x"}}}""");
        await scenario.AccessPassAsync();
        await scenario.PassAsync();
        Assert.Equal(count, (await PodRequestsAsync(scenario)).Count);
    }

    /// <summary>However fast the documents follow each other, the last one is told of.</summary>
    [Fact]
    public async Task ManyChangesAreToldOfTogetherAndTheLastIsNeverMissed()
    {
        fixture.RequireOwn("the audit log, and pods that nobody runs");
        await using var scenario = await StartAsync(fixture.ControlPlane);
        await scenario.CreatePodAsync("running");
        for (var i = 0; i < 8; i++)
        {
            await scenario.CreateGrantAsync($"g-{i}");
            await scenario.EventuallyPolicyAsync("it was in the document", policy => Gateways.NamesIn(policy, "grants").Contains($"g-{i}"));
        }

        await HaveRevisionAsync(scenario, "running");

        var documents = (await scenario.PolicyWritesAsync()).Count;
        var lists = (await PodRequestsAsync(scenario)).Count(request => request.Verb == "list");
        TestContext.Current.TestOutputHelper?.WriteLine($"{lists} lists for {documents} documents");
        Assert.InRange(lists, 1, documents);
        Assert.InRange(documents, 9, 20);
    }

    [Fact]
    public async Task SwitchedOffNobodyIsAskedOrTold()
    {
        fixture.RequireOwn("the audit log, and pods that nobody runs");
        await using var scenario = await StartAsync(fixture.ControlPlane, "--policy-refresh=false");
        await scenario.CreatePodAsync("running");
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await scenario.AccessPassAsync();
        await scenario.PassAsync();

        Assert.Empty(await PodRequestsAsync(scenario));
    }

    [Theory]
    [InlineData("list", HttpStatusCode.Forbidden, "Forbidden")]
    [InlineData("patch", HttpStatusCode.Forbidden, "Forbidden")]
    [InlineData("patch", HttpStatusCode.InternalServerError, "InternalError")]
    public async Task AFailureIsSaidOnceAndTheDocumentIsWrittenAllTheSame(string verb, HttpStatusCode code, string reason)
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        using var fault = front.Fail(
            request => request.IsOf(Resource.Pods) && request.IsWrite == (verb == "patch"), exchange => exchange.RefuseAsync(code, reason));
        await using var scenario = await ServerScenario.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.Permissive, [.. ServerScenario.OneWorker, "--kubeconfig", front.Kubeconfig]);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await scenario.CreatePodAsync("running");

        for (var i = 1; i <= 3; i++)
        {
            await scenario.CreateGrantAsync($"g-{i}");
            await scenario.IsAcceptedAsync($"g-{i}");
            await fault.WaitAsync(i);
        }

        Assert.Equal(["g-1", "g-2", "g-3"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
        var complaints = scenario.Operator!.Complaints.Where(entry => (string?)entry["event"] != "EventNotWritten").ToList();
        Assert.True(complaints.Count == 1, string.Join('\n', complaints.Select(entry => entry.ToJsonString())));
        Assert.Equal("RefreshFailed", (string?)complaints[0]["event"]);
    }

    /// <summary>A pod that hangs in an admission webhook holds up no document.</summary>
    [Fact]
    public async Task APatchThatHangsHoldsUpNoDocument()
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        using var hang = new Hang(front, request => request.IsWrite && request.IsOf(Resource.Pods), exchange => exchange.ForwardAsync());
        await using var scenario = await ServerScenario.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.Permissive, ["--kubeconfig", front.Kubeconfig]);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await scenario.CreatePodAsync("running");
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await hang.WaitAsync();

        await scenario.EditAsync(Resource.MCPAccessGrants, "g", "disabled: true");
        await scenario.IsToldAsync(Resource.MCPAccessGrants, "g", "Disabled", "Disabled");
        Assert.False(hang.HasEnded);

        hang.Dispose();
        await HaveRevisionAsync(scenario, "running");
    }

    private static async Task<ServerScenario> StartAsync(ControlPlane controlPlane, params string[] arguments)
    {
        var scenario = await ServerScenario.StartAsync(controlPlane, ServerScenario.Permissive, [.. ServerScenario.OneWorker, .. arguments]);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        return scenario;
    }

    private static async Task HaveRevisionAsync(ServerScenario scenario, params string[] pods)
    {
        foreach (var name in pods)
        {
            await Eventually.TrueAsync(
                $"{name} had the document's revision",
                async () => (Pod: await scenario.Client.GetAsync(Resource.Pods, scenario.Namespace.Name, name), Policy: await scenario.PolicyAsync()),
                seen => (string?)seen.Pod["metadata"]!["annotations"]?[Annotation] == (string?)seen.Policy["revision"]);
        }
    }

    private static async Task<IReadOnlyList<AuditEvent>> PodRequestsAsync(ServerScenario scenario) =>
        [.. (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.Resource == "pods")];
}
