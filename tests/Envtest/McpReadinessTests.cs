using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Servers that are ready once they have answered MCP, at a pod that a test plays: its address is this machine's.</summary>
public sealed class McpReadinessTests(ControlPlaneFixture fixture)
{
    private const string Tools = "tools: [{name: add, sideEffect: read}, {name: echo, sideEffect: read}]";

    [Fact]
    public async Task AServerIsReadyOnceItHasAnsweredAndAgainForEachRevision()
    {
        await using var play = new McpPlay { Path = "/web/mcp", Name = "first", Version = "1.0.0" };
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync(Spec(play, Tools));
        var status = await scenario.EventuallyConditionAsync("McpReady", "False McpPending");
        Assert.Equal("the server is asked when its pods are ready", Message(status, "McpReady"));
        Assert.Equal("Unknown McpPending", ServerScenario.StatusAndReason(status, "ToolsMatch"));
        Assert.Null(status["mcp"]);

        await ServeAsync(scenario);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True McpAnswered", ServerScenario.StatusAndReason(status, "McpReady"));
        Assert.Equal("True ToolsMatched", ServerScenario.StatusAndReason(status, "ToolsMatch"));
        var revision = await RevisionAsync(scenario);
        ServerScenario.AssertJson(
            $"{{name: first, version: 1.0.0, protocolVersion: '2025-06-18', capabilities: [logging, tools], tools: 2, revision: {revision}}}", status["mcp"]);
        Assert.Equal("/web/mcp", play.Requests[0].Path);
        Assert.Equal(1, await scenario.Operator!.MetricAsync("mcp_operator_mcp_probes_total", "result=\"answered\""));
        // A scaling is no revision.
        await scenario.EditAndSettleAsync("replicas: 2");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal(1, play.Requests.Count(request => request.Rpc == "initialize"));

        (play.Name, play.Version, play.Status) = ("second", "2.0.0", 503);
        await scenario.EditAndSettleAsync("image: example.org/web:2");
        await NumberAsync(scenario, 2);
        await scenario.RollOutAsync();
        // Not one of the revision before, which a list may have for a moment longer, alone or beside the new ones.
        await scenario.EventuallyStatusAsync("the list was of before", now => Message(now, "McpReady") == "pods of a former revision are still there");
        await ServeAsync(scenario, "2");
        var asked = play.Requests.Count;
        await scenario.PassAsync();
        Assert.Equal(asked, play.Requests.Count);
        await scenario.Client.DeleteAsync(Resource.Pods, scenario.Namespace.Name, "web-1-a");
        status = await scenario.EventuallyConditionAsync("McpReady", "False McpNotAnswering");
        Assert.Equal(
            $"POST http://127.0.0.1:{play.Port}/web/mcp (pod web-2-a) answered 503 (as the test has it); see what the server logs (kubectl logs web-2-a)", Message(status, "McpReady"));
        Assert.Equal("False McpNotAnswering", ServerScenario.StatusAndReason(status, "Ready"));
        // What is known of the one before stays until the new one is known.
        Assert.Equal("first", (string?)status["mcp"]!["name"]);
        Assert.Equal(revision, (string?)status["mcp"]!["revision"]);

        play.Status = 0;
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal(("second", "2.0.0", await RevisionAsync(scenario)), ((string?)status["mcp"]!["name"], (string?)status["mcp"]!["version"], (string?)status["mcp"]!["revision"]));
        Assert.Contains(await scenario.EventsAsync(), told => (string?)told["reason"] == "McpNotAnswering" && (string?)told["type"] == "Warning");
    }

    [Fact]
    public async Task AServerLosesItsReadinessWithTheThirdMissInARow()
    {
        await using var play = new McpPlay();
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync(Spec(play));
        await ServeAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");
        var before = play.Requests.Count;

        // Another path is asked at once, and not in ten minutes.
        play.Status = 500;
        await scenario.EditServerAsync("publicPathPrefix: elsewhere");
        var status = await scenario.EventuallyConditionAsync("Ready", "False McpNotAnswering");
        Assert.Equal(3, play.Requests.Count - before);
        Assert.Equal("play", (string?)status["mcp"]!["name"]);

        play.Status = 0;
        await scenario.EditServerAsync("publicPathPrefix: back");
        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Fact]
    public async Task ARestartTakesNoReadinessAndWritesNothing()
    {
        fixture.RequireOwn("the audit log");
        await using var play = new McpPlay();
        await using var failing = new McpPlay { Status = 404 };
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync(Spec(play, "tools: [{name: add, sideEffect: read}, {name: gone, sideEffect: read}]"));
        await scenario.CreateServerAsync(Spec(failing), "failing");
        await ServeAsync(scenario);
        await ServeAsync(scenario, name: "failing");
        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("False ToolsDiffer", ServerScenario.StatusAndReason(status, "ToolsMatch"));
        Assert.Equal("the server does not list gone; spec.tools does not have echo", Message(status, "ToolsMatch"));
        await scenario.EventuallyConditionAsync("Ready", "False McpProtocolError", "failing");
        await scenario.PassAsync();
        var writes = (await scenario.WritesAsync()).Count + (await scenario.WritesAsync("failing")).Count;
        var asked = failing.Requests.Count;

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.PassAsync();
        await Eventually.TrueAsync("the one that fails was asked again", () => Task.FromResult(failing.Requests.Count), now => now > asked);
        await scenario.PassAsync("failing");

        Assert.Equal(writes, (await scenario.WritesAsync()).Count + (await scenario.WritesAsync("failing")).Count);
        Assert.Equal("True AllResourcesReady", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "Ready"));
        // What is compared anew is asked for, as nothing is known of what the server lists.
        await scenario.EditServerAsync("tools: [{name: add, sideEffect: read}, {name: echo, sideEffect: read}]");
        await scenario.EventuallyConditionAsync("ToolsMatch", "True ToolsMatched");
    }

    /// <summary>A server of the official SDK, which keeps a session.</summary>
    [Fact]
    public async Task AServerOfTheOfficialSdkAnswers()
    {
        await using var hello = await TestProgram.HelloMcpAsync(("HELLO_VERSION", "1.2.3"));
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync($"{{image: 'example.org/web:1', port: {hello.Port}, readiness: mcp, {Tools}}}");
        await ServeAsync(scenario);

        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal(("hello-mcp", "1.2.3", "2025-06-18", 3), (
            (string?)status["mcp"]!["name"], (string?)status["mcp"]!["version"], (string?)status["mcp"]!["protocolVersion"], (int?)status["mcp"]!["tools"]));
        Assert.Equal("spec.tools does not have time", Message(status, "ToolsMatch"));
    }

    /// <summary>
    /// The reference server of npm by both transports (its answers are events, it keeps a session, and may send other messages first), and one of
    /// the TypeScript SDK without sessions, whose answers are JSON.
    /// </summary>
    [Theory]
    [InlineData("everything streamableHttp", "True McpAnswered", "mcp-servers/everything", "False ToolsDiffer", "the server does not list add; spec.tools does not have get-annotated-message, ")]
    [InlineData("everything sse", "True McpAnswered", "mcp-servers/everything", "False ToolsDiffer", "the server does not list add; spec.tools does not have get-annotated-message, ")]
    [InlineData("sdk", "True McpAnswered", "typescript", "True ToolsMatched", "the server lists the tools of spec.tools")]
    [InlineData("sdk token", "True AuthRequired", null, "Unknown AuthRequired", "not compared, since authentication is needed")]
    public async Task AServerOfTheTypeScriptSdkAnswers(string arguments, string ready, string? name, string tools, string told)
    {
        await using var server = await TestProgram.McpServerAsync(arguments.Split(' '));
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync($"{{image: 'example.org/web:1', port: {server.Port}, readiness: mcp, {Tools}}}");
        await ServeAsync(scenario);

        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal(ready, ServerScenario.StatusAndReason(status, "McpReady"));
        Assert.Equal((name, name is null ? null : "2025-06-18"), ((string?)status["mcp"]!["name"], (string?)status["mcp"]!["protocolVersion"]));
        Assert.Equal(tools, ServerScenario.StatusAndReason(status, "ToolsMatch"));
        Assert.StartsWith(told, Message(status, "ToolsMatch"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AServerThatWantsToKnowWhoAsksIsReady()
    {
        await using var play = new McpPlay { Status = 401 };
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync(Spec(play, Tools));
        await ServeAsync(scenario);

        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True AuthRequired", ServerScenario.StatusAndReason(status, "McpReady"));
        Assert.Equal("Unknown AuthRequired", ServerScenario.StatusAndReason(status, "ToolsMatch"));
        ServerScenario.AssertJson($"{{revision: {await RevisionAsync(scenario)}}}", status["mcp"]);
    }

    [Fact]
    public async Task WhatIsSwitchedOffLeavesNothingAndWhatIsSuspendedIsNotAsked()
    {
        await using var play = new McpPlay { IsOld = true, Path = "/sse" };
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync(Spec(play, Tools));
        await ServeAsync(scenario);
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.EditAndSettleAsync("suspend: true");
        await scenario.RollOutAsync();
        var status = await scenario.EventuallyPhaseAsync("Suspended");
        Assert.Equal("True Suspended", ServerScenario.StatusAndReason(status, "McpReady"));
        Assert.Equal("Unknown McpPending", ServerScenario.StatusAndReason(status, "ToolsMatch"));
        Assert.Equal("play", (string?)status["mcp"]!["name"]);

        play.Status = 500;
        await scenario.EditAndSettleAsync("suspend: false");
        await scenario.RollOutAsync();
        await scenario.EventuallyConditionAsync("Ready", "False McpNotAnswering");

        status = (await scenario.EditAndSettleAsync("readiness: null"))["status"]!;
        Assert.Equal("True AllResourcesReady", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Equal(("", "", null), (ServerScenario.StatusAndReason(status, "McpReady"), ServerScenario.StatusAndReason(status, "ToolsMatch"), status["mcp"]));
        var asked = play.Requests.Count;
        await scenario.PassAsync();
        Assert.Equal(asked, play.Requests.Count);
    }

    [Fact]
    public async Task AServerThatDoesNotUseItCostsNoRequest()
    {
        fixture.RequireOwn("the audit log");
        await using var play = new McpPlay();
        await using var scenario = await StartAsync();
        await scenario.CreateServerAsync($"{{image: 'example.org/web:1', port: {play.Port}, {Tools}, readiness: tcp}}");
        await ServeAsync(scenario);
        var status = await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();

        Assert.Equal(("", null), (ServerScenario.StatusAndReason(status, "McpReady"), status["mcp"]));
        Assert.Empty(play.Requests);
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => request is { Resource: "pods" });
    }

    private Task<ServerScenario> StartAsync() => ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);

    private static string Spec(McpPlay play, string more = "replicas: 1") =>
        $"{{image: 'example.org/web:1', port: {play.Port}, readiness: mcp, {more}}}";

    /// <summary>A pod of a revision, and the Deployment's word that all of its pods are of it.</summary>
    private static async Task ServeAsync(ServerScenario scenario, string hash = "1", string name = ServerScenario.Name)
    {
        await scenario.SettledAsync(name);
        await Pods.ServeAsync(scenario.Client, scenario.Namespace.Name, name, $"{name}-{hash}-a", "127.0.0.1", hash);
        if (hash == "1")
            await NumberAsync(scenario, 1, name);
        await scenario.RollOutAsync(name);
    }

    /// <summary>As the Deployment controller numbers its revisions.</summary>
    private static Task<JsonObject> NumberAsync(ServerScenario scenario, int revision, string name = ServerScenario.Name) => scenario.Client.PatchAsync(
        Resource.Deployments, scenario.Namespace.Name, name,
        new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["deployment.kubernetes.io/revision"] = $"{revision}" } } });

    private static async Task<string> RevisionAsync(ServerScenario scenario)
    {
        var metadata = (await scenario.DeploymentAsync())["metadata"]!;
        return $"{((string)metadata["uid"]!)[..8]}-{(string)metadata["annotations"]!["deployment.kubernetes.io/revision"]!}";
    }

    private static string Message(JsonNode status, string condition) => (string)ServerScenario.Condition(status, condition)!["message"]!;
}
