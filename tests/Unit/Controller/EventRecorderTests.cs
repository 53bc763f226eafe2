using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Controller;

public sealed class EventRecorderTests : IDisposable
{
    private const string Written = """{"metadata":{"name":"demo.1"}}""";

    private static readonly ResourceType Kind = new("example.org", "v1", "widgets", "Widget");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(1_234_567));
    private readonly EndingNamespaces _ending = new();
    private readonly Server _server = new();
    private readonly Lines _log = new();
    private readonly ApiClient _api;
    private readonly EventRecorder _recorder;

    public EventRecorderTests()
    {
        _api = new ApiClient(Product.Identity, _server, new Uri("https://api.test"), _time);
        _recorder = new EventRecorder(_api, Product.EventReporter, "host_1", _ending, _time, _log);
    }

    public void Dispose()
    {
        _recorder.Dispose();
        _api.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task AnEventHasEveryFieldThatTheApiServerAsksFor()
    {
        Record("Created", note: "Created Deployment");
        await SentAsync(1);

        Assert.Equal("POST /apis/events.k8s.io/v1/namespaces/team/events", _server.Sent[0].Line);
        var body = JsonNode.Parse(_server.Sent[0].Body)!;
        var name = (string)body["metadata"]!["name"]!;
        Assert.StartsWith("demo.", name, StringComparison.Ordinal);
        Assert.Equal(
            $$$"""
            {"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"{{{name}}}","namespace":"team"},"eventTime":"2026-01-02T03:04:05.123456Z","reportingController":"mcpruntime.org/mcp-operator","reportingInstance":"host_1","action":"Apply","reason":"Created","type":"Normal","note":"Created Deployment","regarding":{"apiVersion":"example.org/v1","kind":"Widget","namespace":"team","name":"demo","uid":"u1"}}
            """,
            body.ToJsonString());
    }

    [Fact]
    public async Task RepetitionsAreOneEventWithACount()
    {
        Record("Repaired");
        await SentAsync(1);
        Record("Repaired", note: "another note");
        await SentAsync(2);
        for (var i = 0; i < 5; i++)
            Record("Repaired");
        await IdleAsync();

        Assert.Equal(2, _server.Sent.Count);
        var name = (string)JsonNode.Parse(_server.Sent[0].Body)!["metadata"]!["name"]!;
        Assert.Equal($"PATCH /apis/events.k8s.io/v1/namespaces/team/events/{name}", _server.Sent[1].Line);
        Assert.Equal(2, Count(1));

        // Counted here, and written when it is over.
        await AdvanceAsync(EventRecorder.SeriesEnd + TimeSpan.FromMinutes(1));
        await SentAsync(3);
        Assert.Equal(7, Count(2));

        // Which is forgotten then: the next is another event.
        await AdvanceAsync(TimeSpan.FromMinutes(2));
        Record("Repaired");
        await SentAsync(4);
        Assert.StartsWith("POST", _server.Sent[3].Line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASeriesThatGoesOnIsWrittenNowAndThen()
    {
        Record("Repaired");
        Record("Repaired");
        for (var minute = 0; minute < 31; minute++)
        {
            await AdvanceAsync(TimeSpan.FromMinutes(1));
            Record("Repaired");
        }

        await AdvanceAsync(TimeSpan.FromMinutes(1));
        await IdleAsync();
        Assert.InRange(_server.Sent.Count, 2, 3);
        Assert.InRange(Count(_server.Sent.Count - 1), 30, 33);
    }

    [Fact]
    public async Task WhatDiffersInMoreThanItsNoteIsAnotherEvent()
    {
        Record("Created");
        Record("Updated");
        Record("Created", name: "other");
        Record("Created", uid: "u2");
        Record("Created", isWarning: true);
        await SentAsync(5);

        Assert.Equal(5, _server.Sent.Select(sent => (string)JsonNode.Parse(sent.Body)!["metadata"]!["name"]!).Distinct().Count());
    }

    [Fact]
    public async Task OneThatWasForgottenByTheServerBeginsAnew()
    {
        Record("Repaired");
        await SentAsync(1);
        _server.Answer = sent => sent.Line.StartsWith("PATCH", StringComparison.Ordinal)
            ? ScenarioHandler.Status(404, "NotFound", "gone")
            : ScenarioHandler.Json(Written);
        Record("Repaired");
        await SentAsync(3);

        Assert.Equal(["POST", "PATCH", "POST"], _server.Sent.Select(sent => sent.Line.Split(' ')[0]));
    }

    [Fact]
    public async Task ARefusalIsSaidOnceAndDropped()
    {
        _server.Answer = _ => ScenarioHandler.Status(403, "Forbidden", "not you");
        Record("Created");
        Record("Updated");
        await SentAsync(2);
        await IdleAsync();

        Assert.Equal(2, _recorder.Dropped);
        Assert.Equal([LogLevel.Warning, LogLevel.Debug], _log.All.Select(entry => entry.Level));
    }

    [Fact]
    public async Task AnEndingNamespaceIsNoFault()
    {
        _server.Answer = _ => ScenarioHandler.Json(
            """{"kind":"Status","code":403,"reason":"Forbidden","message":"x","details":{"causes":[{"reason":"NamespaceTerminating"}]} }""",
            HttpStatusCode.Forbidden);
        Record("Created");
        Record("Created", name: "other");
        await SentAsync(1);
        await IdleAsync();

        Assert.Empty(_log.All);
        Assert.Equal(2, _recorder.Dropped);
    }

    [Fact]
    public async Task NothingIsSentIntoANamespaceThatIsKnownToEnd()
    {
        var hold = new TaskCompletionSource();
        _server.Hold = hold.Task;
        Record("Created");
        Record("Updated");
        _ending.Add("team");
        Record("Repaired");
        hold.SetResult();
        await IdleAsync();

        // The first one may have been on its way.
        var sent = _server.Sent.Count;
        Assert.InRange(sent, 0, 1);
        Assert.Equal(3 - sent, _recorder.Dropped);
        _ending.Remove("team");
        Record("Deleted");
        await SentAsync(sent + 1);
    }

    [Fact]
    public async Task AServerThatIsAwayIsTriedAgain()
    {
        var attempts = 0;
        _server.Answer = _ => ++attempts < 4 ? throw new HttpRequestException("away") : ScenarioHandler.Json(Written);
        Record("Created");
        await SentAsync(4);

        Assert.Equal(0, _recorder.Dropped);
        Assert.Equal([LogLevel.Warning, LogLevel.Debug, LogLevel.Debug], _log.All.Select(entry => entry.Level));
    }

    [Fact]
    public async Task BeyondItsCapacityItDropsAndNeverWaits()
    {
        var hold = new TaskCompletionSource();
        _server.Hold = hold.Task;
        for (var i = 0; i < EventRecorder.Capacity + 10; i++)
            Record("Created", name: $"demo-{i}");

        Assert.InRange(_recorder.Dropped, 9, 10);
        _recorder.Dispose();
        hold.SetResult();
        await IdleAsync();
    }

    [Fact]
    public async Task ALongNoteIsCut()
    {
        Record("Created", note: new string('é', 800));
        await SentAsync(1);

        var note = (string)JsonNode.Parse(_server.Sent[0].Body)!["note"]!;
        Assert.InRange(Encoding.UTF8.GetByteCount(note), 1000, 1024);
        Assert.EndsWith("é…", note, StringComparison.Ordinal);
    }

    [Fact]
    public void AfterTheEndNothingIsTaken()
    {
        _recorder.Dispose();
        Record("Created");
        Assert.Empty(_server.Sent);
    }

    private void Record(string reason, string note = "note", string name = "demo", string uid = "u1", bool isWarning = false) =>
        _recorder.Record(new ClusterEvent(Kind, new ObjectKey("team", name), uid, isWarning, reason, "Apply", note));

    private int Count(int sent) => (int)JsonNode.Parse(_server.Sent[sent].Body)!["series"]!["count"]!;

    /// <summary>Lets its pauses pass until so many requests were sent, and nothing more is to be.</summary>
    private async Task SentAsync(int count)
    {
        await IdleAsync();
        Assert.Equal(count, _server.Sent.Count);
    }

    private async Task AdvanceAsync(TimeSpan duration)
    {
        for (var end = _time.GetUtcNow() + duration; _time.GetUtcNow() < end; await IdleAsync())
            _time.Advance(TimeSpan.FromMinutes(1));
    }

    private async Task IdleAsync()
    {
        for (; !_recorder.Sending.IsCompleted; await Task.Delay(1, TestContext.Current.CancellationToken))
            _time.Advance(EventRecorder.Pace);
    }

    private sealed class Server : HttpMessageHandler
    {
        private readonly List<SentRequest> _sent = [];

        public Func<SentRequest, HttpResponseMessage>? Answer { get; set; }

        public Task Hold { get; set; } = Task.CompletedTask;

        public IReadOnlyList<SentRequest> Sent
        {
            get
            {
                lock (_sent)
                    return [.. _sent];
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Hold;
            var sent = new SentRequest(
                $"{request.Method} {request.RequestUri!.AbsolutePath}", await request.Content!.ReadAsStringAsync(cancellationToken),
                null, "", "", cancellationToken);
            lock (_sent)
                _sent.Add(sent);
            return Answer?.Invoke(sent) ?? ScenarioHandler.Json(Written);
        }
    }
}
