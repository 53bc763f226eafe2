using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Unit.Controller;

public sealed class LeaderElectorTests : IAsyncDisposable
{
    private const string Us = "us";
    private const string Them = "them";

    private static readonly ObjectKey Key = new("ns", "lease");
    private static readonly TimeSpan RetryPeriod = LeaseTiming.Default.RetryPeriod;
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(5);

    private readonly Clock _time = new();
    private readonly Lines _log = new();
    private readonly LeaseServer _server = new();
    private readonly ApiClient _api;
    private readonly LeaderElector _elector;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _leading = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isThrough = true;
    private bool _wasCut;
    private Task _running = Task.CompletedTask;

    public LeaderElectorTests()
    {
        _api = new ApiClient(Product.Identity, _server, new Uri("https://api.test"), _time);
        _elector = new LeaderElector(_api, Key, Us, LeaseTiming.Default, _log, _time, () => 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _server.Answer = null;
        while (!_running.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        _api.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task ItLeadsAndRenewsAndAtTheEndOfItsWorkReleases()
    {
        Assert.False(_elector.Leads);
        await LeadAsync();
        Assert.True(_elector.Leads);
        Assert.Equal(["GET", "POST"], _server.Sent);

        await PauseAsync(RetryPeriod);
        await PauseAsync(RetryPeriod);
        await WaitsForAsync(RetryPeriod);
        Assert.Equal(["GET", "POST", "PUT", "PUT"], _server.Sent);

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.Equal(["GET", "POST", "PUT", "PUT", "GET", "PUT"], _server.Sent);
        Assert.Equal(("", 1), (_server.Stored.Holder, _server.Stored.DurationSeconds));
        Assert.False(_elector.Leads);
        Assert.Equal(0, _elector.SlowPaths);
        Assert.Equal(["LeaseAcquired", "LeaseReleased"], Events());
    }

    [Fact]
    public async Task WhatMayStillBeOnItsWayIsNotFollowedByARelease()
    {
        _isThrough = false;
        await LeadAsync();

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.Equal(["GET", "POST"], _server.Sent);
        Assert.Equal(Us, _server.Stored.Holder);
        Assert.False(_elector.Leads);
    }

    [Fact]
    public async Task AStandbyLooksAndWritesNothingAndSaysOnceWhoLeads()
    {
        _server.Store(Them, 15, "r1");
        Start();
        await PauseAsync(RetryPeriod);
        await PauseAsync(RetryPeriod);
        await WaitsForAsync(RetryPeriod);

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.Equal(["GET", "GET", "GET"], _server.Sent);
        Assert.Equal(["StandingBy"], Events());
        Assert.False(_leading.Task.IsCompleted);
    }

    [Fact]
    public async Task AStandbyTakesALeaseThatIsReleased()
    {
        _server.Store(Them, 15, "r1");
        Start();
        await WaitsForAsync(RetryPeriod);
        _server.Store("", 1, "r2");
        _time.Advance(RetryPeriod);

        await _leading.Task.WaitAsync(Limit.OfATest);
        Assert.Equal((Us, 1), (_server.Stored.Holder, _server.Stored.Transitions));
    }

    [Fact]
    public async Task AStandbyThatIsStoppedWhileItsClaimIsOnItsWayReleasesIt()
    {
        _server.Store("", 1, "r1");
        // Carried out, but no answer comes.
        _server.Answer = (method, carryOut, token) =>
        {
            var answer = carryOut();
            return method == "PUT" && _server.Stored.Holder == Us ? Hang(token) : Task.FromResult(answer);
        };
        Start();
        await WaitsForAsync(RequestLimit);
        await WaitsForAsync(RequestLimit);
        Assert.Equal(["GET", "PUT"], _server.Sent);

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.Equal("", _server.Stored.Holder);
    }

    [Fact]
    public async Task ALeaseThatCannotBeRenewedUntilTheDeadlineIsLostAndTheWorkCutOff()
    {
        await LeadAsync();
        _server.Answer = (_, _, _) => throw new HttpRequestException("no way");
        for (var attempt = 0; attempt < 5; attempt++)
        {
            Assert.True(_elector.Leads);
            Assert.False(_wasCut);
            await PauseAsync(RetryPeriod);
        }

        Assert.False(_elector.Leads);
        await Assert.ThrowsAsync<LeaseLostException>(() => _running.WaitAsync(Limit.OfATest));
        Assert.True(_wasCut);
        // At 2 s the renewal, at 2, 4, 6 and 8 s a look; at 10 s nothing.
        Assert.Equal(["GET", "POST", "PUT", "GET", "GET", "GET", "GET"], _server.Sent);
        // One for the renewal, one for the look after it; the rest is nothing new.
        Assert.Equal(
            ["LeaseAcquired", "LeaseFailed", "LeaseFailed", "LeaseContested", "LeaseContested", "LeaseContested", "LeaseLost"], Events());
        Assert.EndsWith("not renewed for 10 s. The process ends, and writes nothing any more", Assert.Single(_log.All, l => l.Event == "LeaseLost").Text, StringComparison.Ordinal);
        Assert.Equal(1, _elector.SlowPaths);
    }

    [Fact]
    public async Task AProcessThatWasStoppedPastItsLeaseSendsNothing()
    {
        await LeadAsync();
        await WaitsForAsync(RetryPeriod);
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.False(_elector.Leads);
        await Assert.ThrowsAsync<LeaseLostException>(() => _running.WaitAsync(Limit.OfATest));
        Assert.Equal(["GET", "POST"], _server.Sent);
    }

    [Fact]
    public async Task ALeaseThatSomebodyElseHasTakenIsLostAtOnce()
    {
        await LeadAsync();
        _server.Store(Them, 15, "r1");
        await PauseAsync(RetryPeriod);

        await Assert.ThrowsAsync<LeaseLostException>(() => _running.WaitAsync(Limit.OfATest));
        Assert.Equal(["GET", "POST", "PUT", "GET"], _server.Sent);
        Assert.Contains("its holder is \"them\"", Assert.Single(_log.All, l => l.Event == "LeaseLost").Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALeaseThatSomebodyHasLabelledIsRenewedAllTheSameAndQuietly()
    {
        await LeadAsync();
        _server.Touch();
        await PauseAsync(RetryPeriod);
        await WaitsForAsync(RetryPeriod);

        Assert.True(_elector.Leads);
        Assert.Equal(["GET", "POST", "PUT", "GET", "PUT"], _server.Sent);
        Assert.Equal(["LeaseAcquired", "LeaseContested"], Events());
        Assert.Equal(1, _elector.SlowPaths);
        Assert.True(_server.HasLabel);
    }

    [Fact]
    public async Task ARenewalThatHangsIsGivenUpInTimeForAnotherTry()
    {
        await LeadAsync();
        await WaitsForAsync(RetryPeriod);
        _server.Answer = (_, _, token) => Hang(token);
        _time.Advance(RetryPeriod);
        await WaitsForAsync(RequestLimit);
        _server.Answer = null;
        _time.Advance(RequestLimit);
        await WaitsForAsync(RetryPeriod);

        Assert.True(_elector.Leads);
        Assert.Equal(["GET", "POST", "PUT", "GET", "PUT"], _server.Sent);
        Assert.EndsWith("no answer within 5 s", Assert.Single(_log.All, l => l.Event == "LeaseFailed").Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReleaseThatMeetsARenewalOnItsWayIsTriedAgain()
    {
        await LeadAsync();
        var isTouched = false;
        _server.Answer = (method, carryOut, _) =>
        {
            if (method == "PUT" && !isTouched)
            {
                isTouched = true;
                _server.Touch();
            }

            return Task.FromResult(carryOut());
        };
        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.Equal(["GET", "POST", "GET", "PUT", "GET", "PUT"], _server.Sent);
        Assert.Equal("", _server.Stored.Holder);
    }

    [Fact]
    public async Task AReleaseTakesNoMoreThanTheStopHasLeft()
    {
        await LeadAsync();
        _server.Answer = (_, _, token) => Hang(token);
        await _stop.CancelAsync();
        await WaitsForAsync(TimeSpan.FromSeconds(4.25));
        _time.Advance(TimeSpan.FromSeconds(4.25));

        await _running.WaitAsync(Limit.OfATest);
        Assert.Equal(["LeaseAcquired", "LeaseNotReleased"], Events());
    }

    [Fact]
    public async Task ALeaderThatHangsIsUnhealthySomeTimeAfterItsLease()
    {
        await LeadAsync();
        await WaitsForAsync(RetryPeriod);
        var never = new TaskCompletionSource<HttpResponseMessage>();
        _server.Answer = (_, _, _) => never.Task;
        _time.Advance(RetryPeriod);
        await WaitsForAsync(RequestLimit);

        _time.Advance(TimeSpan.FromSeconds(33));
        Assert.False(_elector.Leads);
        Assert.Null(_elector.StuckLeader());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(_elector.StuckLeader());
        never.SetException(new HttpRequestException("x"));
    }

    private void Start() => _running = _elector.RunAsync(WorkAsync, _stop.Token);

    private async Task LeadAsync()
    {
        Start();
        await _leading.Task.WaitAsync(Limit.OfATest);
    }

    private async Task<bool> WorkAsync(CancellationToken stop, CancellationToken cut)
    {
        try
        {
            await _elector.AcquireAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return true;
        }

        _leading.SetResult();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, cut);
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _wasCut = cut.IsCancellationRequested;
        return _isThrough;
    }

    /// <summary>Waits until somebody has set a timer of this length.</summary>
    private async Task WaitsForAsync(TimeSpan delay)
    {
        while (await _time.NextTimer() != delay)
        {
        }
    }

    private async Task PauseAsync(TimeSpan delay)
    {
        await WaitsForAsync(delay);
        _time.Advance(delay);
    }

    private IEnumerable<string?> Events() => _log.All.Select(line => line.Event);

    private static async Task<HttpResponseMessage> Hang(CancellationToken token)
    {
        await Task.Delay(Timeout.Infinite, token);
        throw new InvalidOperationException();
    }

    /// <summary>Keeps one lease as an API server does: a write needs the version that is stored.</summary>
    private sealed class LeaseServer : HttpMessageHandler
    {
        private readonly Lock _lock = new();
        private readonly List<string> _sent = [];
        private JsonObject? _stored;
        private int _version;

        public IReadOnlyList<string> Sent
        {
            get
            {
                lock (_lock)
                    return [.. _sent];
            }
        }

        public bool HasLabel => _stored!["metadata"]!["labels"] is not null;

        public LeaseRecord Stored
        {
            get
            {
                using var json = JsonDocument.Parse(_stored!.ToJsonString());
                return Lease.Decode(json.RootElement).Record;
            }
        }

        /// <summary>In place of the ordinary answer: is given the method, and what carries the request out.</summary>
        public Func<string, Func<HttpResponseMessage>, CancellationToken, Task<HttpResponseMessage>>? Answer { get; set; }

        public void Store(string holder, long duration, string renewTime)
        {
            _stored = (JsonObject)JsonNode.Parse(Lease.Body(Key, new(holder, duration, "acquired", renewTime, 0)))!;
            Version();
        }

        public void Touch()
        {
            _stored!["metadata"]!["labels"] = new JsonObject { ["theirs"] = "x" };
            Version();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
            lock (_lock)
                _sent.Add(request.Method.Method);
            return Answer is null ? CarryOut() : await Answer(request.Method.Method, CarryOut, cancellationToken);

            HttpResponseMessage CarryOut()
            {
                if (request.Method == HttpMethod.Get)
                    return _stored is null ? ScenarioHandler.Status(404, "NotFound", "none") : ScenarioHandler.Json(_stored.ToJsonString());
                var sent = (JsonObject)JsonNode.Parse(body!)!;
                if (request.Method == HttpMethod.Post)
                {
                    if (_stored is not null)
                        return ScenarioHandler.Status(409, "AlreadyExists", "there is one");
                }
                else if ((string?)sent["metadata"]!["resourceVersion"] != (string?)_stored!["metadata"]!["resourceVersion"])
                {
                    return ScenarioHandler.Status(409, "Conflict", "changed");
                }

                _stored = sent;
                Version();
                return ScenarioHandler.Json(_stored.ToJsonString(), HttpStatusCode.OK);
            }
        }

        private void Version() => _stored!["metadata"]!["resourceVersion"] = $"{++_version}";
    }
}
