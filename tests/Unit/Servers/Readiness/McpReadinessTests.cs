using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Readiness;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Servers.Readiness;

/// <summary>What a pass asks for, and what it says of the answers.</summary>
public sealed class McpReadinessTests
{
    private const string Revision = "uid-0001-4";

    private static readonly McpInfo Info = new() { Name = "demo", Version = "1", ProtocolVersion = "2025-06-18", Capabilities = ["tools"], Tools = 2, Revision = Revision };
    private static readonly ToolConfig[] Tools = [new() { Name = "a", SideEffect = "read" }, new() { Name = "b", SideEffect = "read" }];

    private readonly Stores _stores = new(Looks.None, Looks.None, SampleServers.Settings);
    private readonly ServerKinds _kinds;
    private readonly Looks _queue = new();
    private readonly McpReadiness _readiness;

    public McpReadinessTests()
    {
        _kinds = Passes.Kinds(_stores);
        _readiness = new McpReadiness(_stores, _kinds, new McpProber(
            _queue, _stores.Mcp, static (_, _, _) => throw new InvalidOperationException(), new FakeTimeProvider(), static () => 0.5, CancellationToken.None));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("tcp")]
    public async Task AServerThatDoesNotUseItHasNothingOfIt(string? readiness)
    {
        var (status, _) = await StatusAsync(Server(readiness));

        Assert.Empty(_queue.All);
        Assert.Null(status.Mcp);
        Assert.DoesNotContain(status.Conditions!, condition => condition.Type is ConditionTypes.McpReady or ConditionTypes.ToolsMatch);
    }

    [Fact]
    public async Task ItIsAskedOnceItsPodsAreReadyAndReadyOnceItHasAnswered()
    {
        var (status, ready) = await StatusAsync(Server(), available: 0);
        Assert.Equal(("False McpPending", "the server is asked when its pods are ready"), ready);
        Assert.Equal(Reasons.DeploymentProgressing, status.Conditions![0].Reason);
        Assert.Empty(_queue.All);

        (status, ready) = await StatusAsync(Server());
        Assert.Equal(("False McpPending", "the server has not answered yet"), ready);
        Assert.Equal(("False", Reasons.McpPending, Phase.PartiallyReady), (status.Conditions![0].Status, status.Conditions[0].Reason, status.Phase));
        Assert.Equal(TimeSpan.Zero, Assert.Single(_queue.All).Delay);

        _stores.Mcp.Set(Key, State(Revision, isAnswering: true, Reasons.McpAnswered));
        (status, ready) = await StatusAsync(Server());
        Assert.Equal(("True McpAnswered", "told"), ready);
        Assert.Equal((Phase.Ready, Info), (status.Phase, status.Mcp));

        // Of another revision it says nothing, nor another server of its name.
        _stores.Mcp.Set(Key, State("uid-0001-3", isAnswering: true, Reasons.McpAnswered));
        Assert.Equal("False McpPending", (await StatusAsync(Server())).Ready.Condition);
        _stores.Mcp.Set(Key, State(Revision, isAnswering: true, Reasons.McpAnswered) with { Uid = "other" });
        Assert.Equal("False McpPending", (await StatusAsync(Server())).Ready.Condition);
    }

    /// <summary>A pod that fails is the Deployment's to tell, and what has answered at this revision has.</summary>
    [Fact]
    public async Task AnAnswerStaysWhilePodsAreMissing()
    {
        _stores.Mcp.Set(Key, State(Revision, isAnswering: true, Reasons.McpAnswered));

        Assert.Equal("True McpAnswered", (await StatusAsync(Server(), available: 0)).Ready.Condition);
        Assert.Empty(_queue.All);
    }

    [Theory]
    [InlineData("True", Reasons.McpAnswered)]
    [InlineData("True", Reasons.AuthRequired)]
    [InlineData("False", Reasons.McpNotAnswering)]
    [InlineData("False", Reasons.McpProtocolError)]
    public async Task AfterARestartTheStatusIsTheSame(string status, string reason)
    {
        var isAnswering = status == "True";
        _stores.Mcp.Set(Key, State(Revision, isAnswering, reason) with
        {
            Message = isAnswering ? McpWords.Of(reason) : "POST http://10.0.0.1/ (pod p) answered 404",
            Tools = new McpTools(["a", "x"]),
            Info = reason == Reasons.AuthRequired ? new McpInfo { Revision = Revision } : Info,
        });
        var server = Server(tools: Tools);
        var before = Text((await StatusAsync(server)).Status);
        _stores.Mcp.Remove(Key);

        var after = Text((await StatusAsync(Reported(server, before))).Status);

        Assert.Equal(before, after);
        Assert.Contains("the server does not list b; spec.tools does not have x", after, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("its revision", "False McpPending")]
    [InlineData("nothing", "True McpAnswered")]
    public async Task WhatWasReportedOfAnotherRevisionIsNotTaken(string changed, string expected)
    {
        _stores.Mcp.Set(Key, State(Revision, isAnswering: true, Reasons.McpAnswered));
        var server = Server();
        var reported = Reported(server, Text((await StatusAsync(server)).Status));
        _stores.Mcp.Remove(Key);
        _queue.All.Clear();

        var (status, ready) = await StatusAsync(reported, revision: changed == "nothing" ? 4 : 5);

        Assert.Equal(expected, ready.Condition);
        // What is known of the one before stays until the new one is.
        Assert.Equal(Info, status.Mcp);
    }

    [Fact]
    public async Task WhatHasNoPodsIsReadyAndBeginsAnewWithThem()
    {
        _stores.Mcp.Set(Key, State(Revision, isAnswering: true, Reasons.McpAnswered));
        var server = Server(tools: Tools);
        server = server with { Spec = server.Spec with { Replicas = 0 } };

        var (status, ready) = await StatusAsync(server, replicas: 0, available: 0);
        Assert.Equal("True ScaledToZero", ready.Condition);
        Assert.Equal("Unknown McpPending", Told(status, ConditionTypes.ToolsMatch).Condition);
        Assert.Null(_stores.Mcp.Get(Key));

        Assert.Equal("False McpPending", (await StatusAsync(Reported(Server(tools: Tools), Text(status)))).Ready.Condition);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatIsPausedOrInvalidIsNotAsked(bool isPaused)
    {
        var server = Server() with { Pause = isPaused ? PauseRequest.Paused : PauseRequest.None };
        server = isPaused ? server : server with { Spec = server.Spec with { IngressHost = "-" } };

        Assert.Equal(("False McpPending", isPaused ? "the server is not asked while it is paused" : "the server is not asked while its spec is invalid"), (await StatusAsync(server)).Ready);
        Assert.Empty(_queue.All);
        _stores.Mcp.Set(Key, State(Revision, isAnswering: true, Reasons.McpAnswered));
        Assert.Equal("True McpAnswered", (await StatusAsync(server)).Ready.Condition);
    }

    [Fact]
    public async Task TheCanaryHasToBeThereToo()
    {
        var server = Server();
        server = server with { Spec = server.Spec with { Replicas = 2, Rollout = new RolloutConfig { Strategy = RolloutConfig.Canary, CanaryReplicas = 1 } } };

        await StatusAsync(server, canary: 0);
        Assert.Empty(_queue.All);
        await StatusAsync(server, canary: 1);
        Assert.Single(_queue.All);
    }

    public static TheoryData<string[], string[]?, string, string> Comparisons { get; } = new()
    {
        { ["a", "b"], ["b", "a"], "True ToolsMatched", "the server lists the tools of spec.tools, and no others" },
        { ["a"], [], "False ToolsDiffer", "the server does not list a" },
        { ["a"], ["a", "c\n\u202e", "b"], "False ToolsDiffer", "spec.tools does not have b, c" },
        { ["x"], [.. Enumerable.Range(10, 14).Select(i => $"t{i}")], "False ToolsDiffer",
            "the server does not list x; spec.tools does not have t10, t11, t12, t13, t14, t15, t16, t17, t18, t19 and 4 more" },
        { ["a"], null, "Unknown AuthRequired", "why" },
    };

    [Theory]
    [MemberData(nameof(Comparisons))]
    public void ToolsAreCompared(string[] wanted, string[]? listed, string condition, string message)
    {
        var told = McpReport.Compare([.. wanted.Select(name => new ToolConfig { Name = name })], listed is null ? new McpTools(null, Reasons.AuthRequired, "why") : new McpTools(listed));

        Assert.Equal((condition, message), ($"{told.Status} {told.Reason}", told.Message));
    }

    [Theory]
    [InlineData(null, null, null, "/demo/mcp")]
    [InlineData("/", null, null, "/")]
    [InlineData("/tools/x", null, null, "/tools/x")]
    [InlineData("/tools/x", "", "http://127.0.0.1:8088", "/tools/x")]
    [InlineData("/tools/x", "tools", "http://127.0.0.1:8088", "/x")]
    [InlineData("/tools/x", "/tools/", "http://127.0.0.1:8088/", "/x")]
    [InlineData("/tools/x", "/tools/x", "http://127.0.0.1:8088", "/")]
    [InlineData("/tools/x", "/too", "http://127.0.0.1:8088", "/tools/x")]
    [InlineData("/tools/x", "/tools", "http://127.0.0.1:8088/api/", "/api/x")]
    [InlineData("/tools/x", "/tools", "what is no URL", "/x")]
    public void ItIsAskedWhereItsClientsEndUp(string? path, string? prefix, string? upstream, string expected)
    {
        var spec = new MCPServerSpec { Image = "a:1", IngressPath = path };
        var server = prefix is null ? SampleServers.Effective(spec) : SampleServers.WithGateway(spec with { Gateway = new() { StripPrefix = prefix, UpstreamURL = upstream } });

        Assert.Equal(expected, McpPath.Of("demo", server.Spec));
    }

    private static ObjectKey Key => SampleServers.Of().Key;

    private static MCPServer Server(string? readiness = "mcp", IReadOnlyList<ToolConfig>? tools = null) =>
        SampleServers.Of(new MCPServerSpec { Image = "example.org/demo:1", Readiness = readiness, Tools = tools });

    private static McpState State(string revision, bool isAnswering, string reason) =>
        new("uid-of-demo", revision, isAnswering, reason, "told", Info with { Revision = revision }, new McpTools(["a", "b"]));

    /// <summary>The server as it is read with this status.</summary>
    private static MCPServer Reported(MCPServer server, string status)
    {
        using var json = JsonDocument.Parse($$"""{"metadata":{},"status":{{status}} }""");
        return server with { Reported = LastReport.Decode(json.RootElement, Product.Identity.OwnedFields, ReportedMcp.Decode) };
    }

    private static string Text(MCPServerStatus status) => JsonSerializer.Serialize(status, ApiJsonContext.Default.MCPServerStatus);

    private async Task<(MCPServerStatus Status, (string Condition, string Message) Ready)> StatusAsync(
        MCPServer server, int replicas = 1, int available = 1, int revision = 4, int? canary = null)
    {
        var pass = new Pass(server, policy: null, static () => null, SampleServers.Settings, new ServerMemory(_kinds)) { IsPaused = server.Pause == PauseRequest.Paused };
        await pass.RunAsync(_kinds, (kind, _) => Task.FromResult(new ApplyResult(kind switch
        {
            CanaryKind => canary is { } ready ? Deployment(1, ready) : null,
            StableKind => Deployment(replicas, available),
            ServiceKind => Passes.Decode(json => new ObservedService(json, Product.Identity.OwnedFields), """{"metadata":{},"spec":{"clusterIP":"10.0.0.1"}}"""),
            IngressKind => Passes.Decode(json => new ObservedIngress(json, Product.Identity.OwnedFields), """{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"}]}}}"""),
            _ => default(Observed),
        })));
        _readiness.Look(pass);
        var status = StatusReport.Compose(server, StatusReport.ConditionsOf(pass, _kinds), null, [], doubts: "", "/u", "i", SampleServers.Epoch, pause: null, pass.Mcp);
        return (status, Told(status, ConditionTypes.McpReady));

        ObservedDeployment Deployment(int wanted, int ready) => Passes.Decode(json => new ObservedDeployment(json, Product.Identity.OwnedFields), $$"""
            {
              "metadata": { "name": "demo", "uid": "uid-0001-and-more", "annotations": { "deployment.kubernetes.io/revision": "{{revision}}" } },
              "spec": { "replicas": {{wanted}} },
              "status": { "replicas": {{wanted}}, "updatedReplicas": {{wanted}}, "availableReplicas": {{ready}}, "readyReplicas": {{ready}} }
            }
            """);
    }

    private static (string Condition, string Message) Told(MCPServerStatus status, string type) =>
        status.Conditions!.FirstOrDefault(condition => condition.Type == type) is { } told ? ($"{told.Status} {told.Reason}", told.Message) : ("", "");
}
