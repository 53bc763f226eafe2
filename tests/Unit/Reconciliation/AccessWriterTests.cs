using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Unit.Resources;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Reconciliation;

public sealed class AccessWriterTests
{
    private const string Spec = """{"serverRef":{"name":"web"},"subject":{"agentID":"a"}}""";

    private static readonly ObjectKey Server = new("team", "web");

    /// <summary>Else a server with thousands of them keeps a worker from everything else, and looks like one that hangs.</summary>
    [Fact]
    public async Task APassTellsForAMinuteAtMostAndTheNextOnesTellTheOthers()
    {
        var time = new FakeTimeProvider();
        using var slow = new SlowServer(time);
        using var api = new ApiClient(slow, new Uri("https://api.example.org"), time);
        var stores = new Stores((_, _) => { }, (_, _) => { }, Servers.Settings);
        stores.Sessions.Store.Replace(null, [.. Enumerable.Range(0, 7).Select(Session)], "100");
        var writer = new AccessWriter(stores, api, new OperatorCounters(), time, NullLogger.Instance);

        var passes = new List<(bool IsDone, int Told)>();
        do
        {
            var isDone = await writer.ReportAsync(writer.Judge(Server, null, null), isInForce: false, CancellationToken.None);
            passes.Add((isDone, slow.Told.Count));
        }
        while (!passes[^1].IsDone && passes.Count < 10);

        // Each takes 25 s: the fourth would begin after 75.
        Assert.Equal([(false, 3), (false, 6), (true, 7)], passes);
        Assert.Distinct(slow.Told);
    }

    private static StoredMember Session(int i) => StoredMember.Decode(JsonElement.Parse(
        $$"""{"metadata":{"namespace":"team","name":"s{{i}}","uid":"u{{i}}","resourceVersion":"{{i + 1}}","generation":1},"spec":{{Spec}} }"""));

    /// <summary>Takes every status, in 25 s each, and answers with the object that carries it.</summary>
    private sealed class SlowServer(FakeTimeProvider time) : HttpMessageHandler
    {
        private int _version = 200;

        public List<string> Told { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var name = request.RequestUri!.Segments[^2].TrimEnd('/');
            Told.Add(name);
            time.Advance(TimeSpan.FromSeconds(25));
            var sent = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!;
            sent["metadata"]!["uid"] = $"u{name[1..]}";
            sent["metadata"]!["resourceVersion"] = $"{++_version}";
            sent["metadata"]!["generation"] = 1;
            sent["spec"] = JsonNode.Parse(Spec);
            return new(HttpStatusCode.OK) { Content = new StringContent(sent.ToJsonString(), Encoding.UTF8, "application/json") };
        }
    }
}
