using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Access;

public sealed class AccessReporterTests
{
    private const string Spec = """{"serverRef":{"name":"web"},"subject":{"agentID":"a"}}""";

    private static readonly ObjectKey Key = new("team", "s");
    private static readonly Verdict Accepted = new(AccessPhase.Accepted, AccessReasons.Accepted, "Accepted");

    private readonly Looks _queue = new();
    private readonly EndingNamespaces _ending = new();
    private readonly AccessByServer _members = new((_, _) => { });

    public AccessReporterTests() => _members.Store.Replace(null, [Session("10")], "10");

    [Fact]
    public async Task WhatIsOwedIsToldOnceAndForTheStateThatWasJudged()
    {
        using var server = new ScenarioHandler(Answer);
        var reporter = Reporter(server);

        reporter.Report(Held(), Accepted);
        Assert.Equal([(Key, (Priority?)Priority.Listed, null)], _queue.All);
        Assert.Equal(Outcome.Done, await reporter.ReconcileAsync(Key, CancellationToken.None));
        Assert.Equal(Outcome.Done, await reporter.ReconcileAsync(Key, CancellationToken.None));
        reporter.Report(Held(), Accepted);

        Assert.Single(_queue.All);
        Assert.Equal("10", (string?)JsonNode.Parse(Assert.Single(server.Sent).Body)!["metadata"]!["resourceVersion"]);
    }

    [Fact]
    public async Task WhatHasChangedSinceItWasJudgedIsNotTold()
    {
        using var server = new ScenarioHandler();
        var reporter = Reporter(server);
        reporter.Report(Held(), Accepted);

        Change(Session("11", generation: 2));
        await reporter.ReconcileAsync(Key, CancellationToken.None);
        Change(Session("12", uid: "namesake"));
        await reporter.ReconcileAsync(Key, CancellationToken.None);
    }

    [Fact]
    public async Task WhatIsNotToBeSaidAnyMoreIsNot()
    {
        using var server = new ScenarioHandler();
        var reporter = Reporter(server);

        reporter.Report(Held(), Accepted);
        reporter.Report(Held(), verdict: null);

        await reporter.ReconcileAsync(Key, CancellationToken.None);
    }

    [Fact]
    public async Task WhatIsToBeSaidWhileSomethingElseIsOnItsWayIsSaidAfterIt()
    {
        var first = Held();
        var rejected = new Verdict(AccessPhase.Rejected, AccessReasons.ServerNotFound, "gone");
        AccessReporter? reporter = null;
        using var server = new ScenarioHandler(
            Answer,
            // Judged by the status from before: it says so already, and is about not to.
            request =>
            {
                reporter!.Report(first with { Reported = _members.Store.Get(Key)!.Reported }, Accepted);
                return Answer(request, phase: null, version: "21");
            },
            request => Answer(request, phase: null, version: "22"));
        reporter = Reporter(server);
        reporter.Report(first, Accepted);
        await reporter.ReconcileAsync(Key, CancellationToken.None);

        reporter.Report(Held(), rejected);
        await reporter.ReconcileAsync(Key, CancellationToken.None);
        await reporter.ReconcileAsync(Key, CancellationToken.None);

        Assert.Equal(["Accepted", "Rejected", "Accepted"], server.Sent.Select(sent => (string?)JsonNode.Parse(sent.Body)!["status"]!["phase"]));
    }

    /// <summary>Else each change of a server's grants would be another try of all those whose status cannot be written.</summary>
    [Fact]
    public async Task WhatIsOwedAlreadyIsNotAskedForOnceMore()
    {
        using var server = new ScenarioHandler(_ => ScenarioHandler.Status(403, "Forbidden", "no"));
        var reporter = Reporter(server);

        reporter.Report(Held(), Accepted);
        await reporter.ReconcileAsync(Key, CancellationToken.None);
        reporter.Report(Held(), Accepted);

        Assert.Single(_queue.All);
    }

    [Fact]
    public async Task ARefusalIsTriedAgainByItself()
    {
        using var server = new ScenarioHandler(_ => ScenarioHandler.Status(403, "Forbidden", "no"), Answer);
        var reporter = Reporter(server);
        reporter.Report(Held(), Accepted);

        Assert.Equal(Outcome.Retry, await reporter.ReconcileAsync(Key, CancellationToken.None));
        Assert.Equal(Outcome.Done, await reporter.ReconcileAsync(Key, CancellationToken.None));
        Assert.Equal(2, server.Sent.Count);
    }

    /// <summary>Sessions come and go by the thousand: nothing may be remembered of one that went while it was told.</summary>
    [Fact]
    public async Task OneThatIsDeletedWhileItIsToldIsForgotten()
    {
        // Another status than was sent, so that the writer remembers it; and the deletion before the answer.
        using var server = new ScenarioHandler(request =>
        {
            _members.Store.Apply(null, new WatchEvent(WatchEventType.Deleted, Session("10"), "30", null));
            return Answer(request, "pruned");
        }, Answer);
        var reporter = Reporter(server);
        reporter.Report(Held(), Accepted);
        await reporter.ReconcileAsync(Key, CancellationToken.None);

        // A namesake that looks just as the one before was left.
        var namesake = Session("40", status: "pruned");
        _members.Store.Apply(null, new WatchEvent(WatchEventType.Added, namesake, "40", null));
        reporter.Report(Held(), Accepted);
        await reporter.ReconcileAsync(Key, CancellationToken.None);

        Assert.Equal(2, server.Sent.Count);
    }

    private AccessReporter Reporter(HttpMessageHandler server) => new(
        MCPAgentSession.Type, _members, _queue, _ending, new ApiClient(Product.Identity, server, new Uri("https://api.example.org"), TimeProvider.System),
        new WriteCounters(), TimeProvider.System, NullLogger.Instance);

    private MCPAgentSession Held() => _members.Store.Get(Key)!.ReadSession();

    private void Change(StoredAccess session) =>
        _members.Store.Apply(null, new WatchEvent(WatchEventType.Modified, session, session.ResourceVersion, null));

    private static HttpResponseMessage Answer(SentRequest request) => Answer(request, phase: null);

    private static HttpResponseMessage Answer(SentRequest request, string? phase, string version = "20")
    {
        var sent = JsonNode.Parse(request.Body)!;
        if (phase is not null)
            sent["status"] = new JsonObject { ["phase"] = phase };
        return ScenarioHandler.Json(Object(version, 1, "u", sent["status"]!).ToJsonString());
    }

    private static StoredAccess Session(string version, long generation = 1, string uid = "u", string? status = null) => StoredAccess.Decode(
        JsonElement.Parse(Object(version, generation, uid, status is null ? null : new JsonObject { ["phase"] = status }).ToJsonString()), Product.Identity.OwnedFields);

    private static JsonObject Object(string version, long generation, string uid, JsonNode? status) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["namespace"] = Key.Namespace,
            ["name"] = Key.Name,
            ["uid"] = uid,
            ["resourceVersion"] = version,
            ["generation"] = generation,
            ["managedFields"] = status is null ? null : new JsonArray(new JsonObject
            {
                ["manager"] = Product.Identity.FieldManager,
                ["operation"] = "Apply",
                ["fieldsV1"] = new JsonObject { ["f:status"] = new JsonObject() },
            }),
        },
        ["spec"] = JsonNode.Parse(Spec),
        ["status"] = status?.DeepClone(),
    };
}
