using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Servers;
using McpOperator.Servers.Diagnosis;
using McpOperator.Servers.Kinds;
using McpOperator.Unit.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Servers.Diagnosis;

/// <summary>When pods are listed, and how often.</summary>
public sealed class DiagnosticianTests : IDisposable
{
    private const string Crash = """{"name":"demo","restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":1}}}""";
    private const string NoImage = """{"name":"demo","state":{"waiting":{"reason":"ErrImagePull","message":"not found"}}}""";
    private const string BackOff = """{"name":"demo","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}}}""";
    private const string Ready = """{"name":"demo","ready":true,"state":{"running":{}}}""";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 6, 7, 8, 9, TimeSpan.Zero));
    private readonly ServerKinds _kinds = Passes.Kinds();
    private readonly PodServer _server = new();
    private readonly ApiClient _api;
    private readonly Diagnostician _diagnostician;
    private readonly ServerMemory _memory;
    private LastReport? _reported;

    public DiagnosticianTests()
    {
        _api = new ApiClient(Product.Identity, _server, new Uri("https://api.example.org"), _time);
        _diagnostician = new(_api, _kinds, SampleServers.Settings, _time, NullLogger.Instance);
        _memory = new(_kinds);
    }

    public void Dispose()
    {
        _api.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task AServerThatStaysBrokenCostsOneListInItsFirstMinuteAndTenInItsFirstHourThoseOfEventsIncluded()
    {
        _server.Pods = [Pod("demo-1-a", BackOff)];
        for (var second = 0; second < 3600; second++)
        {
            await LookAsync();
            if (second == 59)
                Assert.Single(_server.Requests);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(10, _server.Requests.Count);
        Assert.Equal(
            "GET https://api.example.org/api/v1/namespaces/team/pods?resourceVersion=0&labelSelector=app%3Ddemo%2Capp.kubernetes.io%2Fmanaged-by%3Dmcp-runtime",
            _server.Requests[0]);
        Assert.Equal(
            "GET https://api.example.org/api/v1/namespaces/team/events?resourceVersion=0&fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Ddemo-1-a%2Ctype%3DWarning",
            Assert.Single(_server.Requests.Where(request => request.Contains("/events", StringComparison.Ordinal)).Distinct()));
        Assert.Equal(2, _server.Requests.Count(request => request.Contains("/events", StringComparison.Ordinal)));
    }

    /// <summary>A kubelet sends five events a second: those of a pod among many that break come late.</summary>
    [Fact]
    public async Task EventsThatComeLateAreAskedForOnceMoreAndNotWhenTheyHaveCome()
    {
        const string Failed =
            """{"metadata":{"namespace":"team","name":"e"},"reason":"Failed","lastTimestamp":"2026-05-06T07:08:09Z","message":"Failed to pull image \"i\": manifest unknown: not found"}""";
        _server.Pods = [Pod("demo-1-a", BackOff)];
        await PassTenSecondsAsync();
        _time.Advance(TimeSpan.FromMinutes(1));
        await LookAsync();
        Assert.DoesNotContain("not found", _memory.Diagnosis!.CauseOf(_kinds.Stable)!.Message, StringComparison.Ordinal);

        _server.Events = [Failed];
        for (var looks = 0; looks < 3; looks++)
        {
            _time.Advance(TimeSpan.FromMinutes(12));
            await LookAsync();
            Assert.Contains("not found", _memory.Diagnosis!.CauseOf(_kinds.Stable)!.Message, StringComparison.Ordinal);
        }

        Assert.Equal(2, _server.Requests.Count(request => request.Contains("/events", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task NothingIsAskedBeforeItsTimeNorOfAServerThatIsReady()
    {
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(9));
        await LookAsync();
        Assert.Equal(TimeSpan.FromSeconds(1), _memory.DueIn(_time));
        await LookAsync(available: 1);
        Assert.Null(_memory.Diagnosis);
        _time.Advance(TimeSpan.FromHours(1));
        await LookAsync(available: 1);

        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task AChangeOfTheNumbersIsAReasonToLookButNotMoreOftenThanEveryTenSeconds()
    {
        await PassTenSecondsAsync();
        Assert.Single(_server.Requests);

        _time.Advance(TimeSpan.FromSeconds(4));
        await LookAsync(ready: 1);
        Assert.Single(_server.Requests);
        Assert.Equal(TimeSpan.FromSeconds(6), _memory.DueIn(_time));
        _time.Advance(TimeSpan.FromSeconds(6));
        await LookAsync(ready: 1);

        Assert.Equal(2, _server.Requests.Count);
    }

    [Fact]
    public async Task AnotherGenerationBeginsAnew()
    {
        _server.Pods = [Pod("demo-1-a", NoImage)];
        await PassTenSecondsAsync();
        Assert.Equal(Reasons.ImagePullFailed, _memory.Diagnosis!.CauseOf(_kinds.Stable)!.Reason);

        await LookAsync(generation: 3);

        Assert.Null(_memory.Diagnosis!.CauseOf(_kinds.Stable));
        Assert.Equal(TimeSpan.FromSeconds(10), _memory.DueIn(_time));
    }

    /// <summary>Else each restart would take back what was found, and tell it again.</summary>
    [Fact]
    public async Task WhatAProcessBeforeHasFoundIsLookedForAtOnce()
    {
        _reported = new LastReport { Conditions = [new LastCondition(ConditionTypes.DeploymentReady, "False", null, Reasons.CrashLoop)] };
        _server.Pods = [Pod("demo-1-a", Crash)];

        await LookAsync();

        Assert.Equal(Reasons.CrashLoop, _memory.Diagnosis!.CauseOf(_kinds.Stable)!.Reason);
    }

    [Fact]
    public async Task TheCauseThatExplainsMostIsToldWithThePodThatShowsItAndHowManyShareIt()
    {
        _server.Pods =
        [
            Pod("demo-1-d", Crash), Pod("demo-1-c", NoImage), Pod("demo-1-b", NoImage), Pod("demo-1-a", Ready, isReady: true),
            Pod("demo-canary-1-a", Crash), // another Deployment's
            Pod("stranger", Crash, owner: "{}"),
        ];
        await PassTenSecondsAsync();

        Assert.Equal(
            "the server: the registry has no image i: not found; correct spec.image or spec.imageTag (pod demo-1-b; 2 of 4 pods)",
            _memory.Diagnosis!.CauseOf(_kinds.Stable)!.Message);
        Assert.Null(_memory.Diagnosis.CauseOf(_kinds.Canary));
    }

    /// <summary>A broken pod stays until the one that replaces it is available, and one that was evicted until it is collected.</summary>
    [Fact]
    public async Task PodsOfAnOlderRevisionAndPodsThatHaveEndedSayNothing()
    {
        _server.Pods =
        [
            Pod("demo-1-a", NoImage), Pod("demo-2-a", Crash, revision: "2", created: "2026-05-06T07:08:00Z"),
            Pod("demo-2-b", NoImage, revision: "2", created: "2026-05-06T07:08:01Z", phase: "Failed"),
        ];
        await PassTenSecondsAsync();

        Assert.Equal(Reasons.CrashLoop, _memory.Diagnosis!.CauseOf(_kinds.Stable)!.Reason);
        Assert.EndsWith("(pod demo-2-a)", _memory.Diagnosis.CauseOf(_kinds.Stable)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnApiServerThatRefusesTheListLeavesTheNumbers()
    {
        _server.IsForbidden = true;

        await PassTenSecondsAsync();

        Assert.Null(_memory.Diagnosis!.CauseOf(_kinds.Stable));
        Assert.Equal(TimeSpan.FromMinutes(1), _memory.DueIn(_time));
    }

    [Theory]
    [InlineData("""{"type":"ReplicaFailure","status":"True","message":"pods \"a\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"}""",
        Reasons.QuotaExceeded, "a quota of the namespace leaves no room for a pod: pods \"a\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1; ask for less, or for a larger quota")]
    [InlineData("""{"type":"ReplicaFailure","status":"True","message":"pods \"a\" is forbidden: maximum memory usage per Container is 64Mi, but limit is 256Mi"}""",
        Reasons.PodRejected, "a pod is refused: pods \"a\" is forbidden: maximum memory usage per Container is 64Mi, but limit is 256Mi")]
    [InlineData("""{"type":"ReplicaFailure","status":"False","message":"x"}""", null, null)]
    [InlineData("""{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"ReplicaSet \"demo-1\" has timed out progressing."}""",
        Reasons.ProgressDeadlineExceeded, "the rollout takes longer than the Deployment allows: ReplicaSet \"demo-1\" has timed out progressing")]
    public void ADeploymentsOwnConditions(string condition, string? reason, string? message)
    {
        var cause = DeploymentCauses.Of(JsonDocument.Parse($$"""{"conditions":[{{condition}}]}""").RootElement);

        Assert.Equal((reason, message), (cause?.Reason, cause?.Message));
    }

    private async Task PassTenSecondsAsync()
    {
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        await LookAsync();
    }

    private async Task LookAsync(int generation = 2, int available = 0, int ready = 0)
    {
        var server = SampleServers.Of() with { Reported = _reported };
        var pass = new Pass(server, policy: null, conflict: static () => null, SampleServers.Settings, _memory);
        var deployment = JsonDocument.Parse($$"""
            {
              "metadata": { "name": "demo", "namespace": "team", "generation": {{generation}} }, "spec": { "replicas": 1 },
              "status": {
                "observedGeneration": {{generation}}, "replicas": 1, "updatedReplicas": 1, "availableReplicas": {{available}}, "readyReplicas": {{ready}}
              }
            }
            """).RootElement;
        await pass.RunAsync(_kinds, (kind, _) => Task.FromResult(new ApplyResult(
            kind == _kinds.Stable ? new ObservedDeployment(deployment, Product.Identity.OwnedFields) : null)));
        await _diagnostician.LookAsync(pass, CancellationToken.None);
    }

    private static string Pod(
        string name, string container, bool isReady = false, string? owner = null, string revision = "1", string created = "2026-05-06T07:00:00Z", string phase = "Running")
    {
        var deployment = name[..^"-1-a".Length];
        owner ??= "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"" + deployment + "-" + revision + "\",\"controller\":true}";
        return "{\"metadata\":{\"namespace\":\"team\",\"name\":\"" + name + "\",\"creationTimestamp\":\"" + created + "\",\"labels\":{\"pod-template-hash\":\"" + revision + "\"},\"ownerReferences\":[" + owner
            + "]},\"spec\":{\"containers\":[{\"name\":\"demo\",\"image\":\"i\"}]},\"status\":{\"phase\":\"" + phase + "\",\"conditions\":[{\"type\":\"Ready\",\"status\":\""
            + isReady + "\"}],\"containerStatuses\":[" + container + "]}}";
    }

    private sealed class PodServer : HttpMessageHandler
    {
        public IReadOnlyList<string> Pods { get; set; } = [];

        public IReadOnlyList<string> Events { get; set; } = [];

        public bool IsForbidden { get; set; }

        public List<string> Requests { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add($"{request.Method} {request.RequestUri!.OriginalString}");
            return Task.FromResult(IsForbidden
                ? ScenarioHandler.Status(403, "Forbidden", "pods is forbidden")
                : ScenarioHandler.Json("{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" + string.Join(',', request.RequestUri.AbsolutePath.EndsWith("/events", StringComparison.Ordinal) ? Events : Pods) + "]}"));
        }
    }
}
