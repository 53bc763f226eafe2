using System.Net;
using System.Text;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Servers.Kinds;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class SharedKindTests : IDisposable
{
    private readonly Server _server = new();
    private readonly ApiClient _api;
    private readonly ServerKinds _kinds = Passes.Kinds();
    private readonly Applier _applier;

    public SharedKindTests()
    {
        _api = new ApiClient(Product.Identity, _server, new Uri("https://api.example.org"), TimeProvider.System);
        _applier = new Applier(_api, new WriteCounters(), TimeProvider.System, NullLogger.Instance);
    }

    public void Dispose()
    {
        _api.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task WorkersThatNeedTheServiceAccountAtTheSameTimeSendOneRequest()
    {
        var all = Enumerable.Range(0, 8).Select(_ => EnsureAsync("a")).ToList();
        var other = EnsureAsync("b");
        Assert.Equal(2, _server.Requests);

        _server.Answer(HttpStatusCode.Created);

        Assert.All(await Task.WhenAll([.. all, other]), Assert.Null);
        Assert.Null(await EnsureAsync("a"));
        Assert.Equal(2, _server.Requests);
    }

    [Fact]
    public async Task WhatFailedIsTriedAgainAndEveryoneWhoWaitedIsTold()
    {
        var first = EnsureAsync("a");
        var second = EnsureAsync("a");
        _server.Answer(HttpStatusCode.Forbidden);

        Assert.NotNull(await first);
        Assert.NotNull(await second);
        var third = EnsureAsync("a");
        Assert.Equal(2, _server.Requests);
        _server.Answer(HttpStatusCode.Created);
        Assert.Null(await third);
    }

    [Fact]
    public async Task AfterAServerWentItIsDoneAgainEvenIfItWasUnderWay()
    {
        var first = EnsureAsync("a");
        _kinds.ServiceAccount.ForgetNamespace("a");
        var second = EnsureAsync("a");
        Assert.Equal(2, _server.Requests);
        _server.Answer(HttpStatusCode.Conflict);

        Assert.Null(await first);
        Assert.Null(await second);
    }

    private async Task<Problem?> EnsureAsync(string ns)
    {
        var pass = Passes.Over(SampleServers.Of(ns: ns));
        var kind = _kinds.ServiceAccount;
        return (await kind.CarryOutAsync(_applier, pass, kind.DesiredStateOf(pass), CancellationToken.None)).Problem;
    }

    /// <summary>Holds every request back until it is told the answer.</summary>
    private sealed class Server : HttpMessageHandler
    {
        private readonly List<TaskCompletionSource<HttpStatusCode>> _waiting = [];

        public int Requests { get; private set; }

        public void Answer(HttpStatusCode code)
        {
            foreach (var request in _waiting)
                request.TrySetResult(code);
            _waiting.Clear();
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests++;
            var waiting = new TaskCompletionSource<HttpStatusCode>();
            _waiting.Add(waiting);
            var code = await waiting.Task;
            var reason = code == HttpStatusCode.Conflict ? "AlreadyExists" : code.ToString();
            return new HttpResponseMessage(code)
            {
                Content = new StringContent(
                    $$"""{"kind":"Status","apiVersion":"v1","reason":"{{reason}}","message":"no","code":{{(int)code}}}""",
                    Encoding.UTF8,
                    "application/json"),
            };
        }
    }
}
