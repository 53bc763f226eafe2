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

/// <summary>What is said of a server without an address, and how often the classes are listed for all of them.</summary>
public sealed class AddressDiagnosticianTests : IDisposable
{
    private const string Waits = "no ingress controller has published an address yet";
    private const string Traefik = "traefik=traefik.io/ingress-controller";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 6, 7, 8, 9, TimeSpan.Zero));
    private readonly ServerKinds _kinds = Passes.Kinds();
    private readonly ClassServer _server = new();
    private readonly ApiClient _api;
    private readonly ServerMemory _memory;
    private LastReport? _reported;
    private AddressDiagnostician _diagnostician;

    public AddressDiagnosticianTests()
    {
        _api = new ApiClient(Product.Identity, _server, new Uri("https://api.example.org"), _time);
        _memory = new(_kinds);
        _diagnostician = Diagnostician(mayList: true);
    }

    public void Dispose()
    {
        _api.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData("traefik", "", Reasons.IngressClassNotFound,
        "the cluster has no IngressClass at all, and traefik is asked for; install an ingress controller with its class")]
    [InlineData("nginx", "traefik=traefik.io/ingress-controller,haproxy=haproxy.org/x", Reasons.IngressClassNotFound,
        "the cluster has no IngressClass nginx, but haproxy, traefik; correct spec.ingressClass, or install the controller of class nginx")]
    [InlineData("nginx", "a=x/a,b=x/b,c=x/c,d=x/d,e=x/e,f=x/f,g=x/g", Reasons.IngressClassNotFound,
        "the cluster has no IngressClass nginx, but a, b, c, d, e and 2 more; correct spec.ingressClass, or install the controller of class nginx")]
    [InlineData("traefik", Traefik, Reasons.LoadBalancerPending,
        "the controller of class traefik is traefik.io/ingress-controller: does it run, and publish addresses? else set MCP_INGRESS_READINESS_MODE=permissive")]
    [InlineData("traefik", "traefik=", Reasons.LoadBalancerPending, "the IngressClass traefik names no controller, so that none serves it")]
    // Istio goes by the annotation, and needs no IngressClass.
    [InlineData("istio", Traefik, Reasons.LoadBalancerPending,
        "the controller of class istio: does it run, and publish addresses? else set MCP_INGRESS_READINESS_MODE=permissive")]
    public async Task TheReasonAndTheMessage(string name, string classes, string reason, string message)
    {
        _server.Classes = classes;
        await LookAsync(name);
        Assert.Equal((Reasons.LoadBalancerPending, Waits), await LookAsync(name));

        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal((reason, $"{Waits}: {message}"), await LookAsync(name));
    }

    [Fact]
    public async Task NothingIsAskedBeforeItsTimeNorOfAServerThatHasAnAddress()
    {
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(9));
        await LookAsync();
        Assert.Equal(TimeSpan.FromSeconds(1), _memory.DueIn(_time));

        Assert.Equal(Reasons.LoadBalancerAssigned, (await LookAsync(address: """{"ip":"192.0.2.1"}""")).Reason);

        Assert.Null(_memory.AddressWait);
        _time.Advance(TimeSpan.FromHours(1));
        await LookAsync(address: """{"ip":"192.0.2.1"}""");
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task AllServersThatWaitCostOneListAMinuteAtMostAndTenInAnHour()
    {
        var memories = Enumerable.Range(0, 200).Select(_ => new ServerMemory(_kinds)).ToList();
        for (var second = 0; second < 3600; second++)
        {
            // They come one after the other, in the first ten seconds.
            for (var i = 0; i < Math.Min(memories.Count, (second + 1) * 20); i++)
            {
                if (memories[i].AddressWait is null || memories[i].DueIn(_time) == TimeSpan.Zero)
                    await LookAsync(memory: memories[i]);
            }

            if (second == 59)
                Assert.Single(_server.Requests);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(_server.Requests.Count, 2, 10);
        Assert.Equal("GET https://api.example.org/apis/networking.k8s.io/v1/ingressclasses?resourceVersion=0", _server.Requests.Distinct().Single());
        Assert.All(memories, memory => Assert.Equal(Reasons.IngressClassNotFound, memory.AddressWait!.Cause!.Reason));
    }

    [Fact]
    public async Task ServersThatKeepComingCostOneListAMinute()
    {
        for (var second = 0; second < 600; second++)
        {
            var memory = new ServerMemory(_kinds);
            await LookAsync(memory: memory);
            memory.AddressWait!.DueAt = 0;
            await LookAsync(memory: memory);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(10, _server.Requests.Count);
    }

    [Fact]
    public async Task AClassThatComesLaterIsSeenAtTheNextLook()
    {
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(Reasons.IngressClassNotFound, (await LookAsync()).Reason);

        _server.Classes = Traefik;
        Assert.Equal(TimeSpan.FromMinutes(1), _memory.DueIn(_time));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(Reasons.LoadBalancerPending, (await LookAsync()).Reason);
    }

    /// <summary>As it comes with one chart, or one apply: the last list is from before.</summary>
    [Fact]
    public async Task AClassThatMayHaveComeWithTheServerIsNotSaidToBeMissing()
    {
        var other = new ServerMemory(_kinds);
        await LookAsync(memory: other);
        _time.Advance(TimeSpan.FromSeconds(10));
        await LookAsync(memory: other);

        _time.Advance(TimeSpan.FromSeconds(1));
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((Reasons.LoadBalancerPending, Waits), await LookAsync());
        Assert.Equal(TimeSpan.FromSeconds(49), _memory.DueIn(_time));
    }

    [Fact]
    public async Task AnotherClassBeginsAnew()
    {
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(Reasons.IngressClassNotFound, (await LookAsync()).Reason);

        Assert.Equal((Reasons.LoadBalancerPending, Waits), await LookAsync("nginx"));
    }

    /// <summary>Else each restart would take back what was found, and tell it again.</summary>
    [Fact]
    public async Task WhatAProcessBeforeHasFoundIsLookedForAtOnce()
    {
        _reported = new LastReport
        {
            Conditions = [new LastCondition(ConditionTypes.IngressReady, "False", KubernetesTime.Format(_time.GetUtcNow() - TimeSpan.FromMinutes(1)), Reasons.IngressClassNotFound)],
        };

        Assert.Equal(Reasons.IngressClassNotFound, (await LookAsync()).Reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WithoutTheRightOrWhereOnlyNamespacesAreWatchedTheHintHasToDo(bool mayList)
    {
        _server.IsForbidden = true;
        _diagnostician = Diagnostician(mayList);
        await LookAsync();
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(
            (Reasons.LoadBalancerPending, $"{Waits}: the controller of class traefik: does it run, and publish addresses? else set MCP_INGRESS_READINESS_MODE=permissive"),
            await LookAsync());
        Assert.Equal(mayList ? 1 : 0, _server.Requests.Count);
        Assert.Equal(mayList ? TimeSpan.FromMinutes(1) : null, _memory.DueIn(_time));
    }

    private AddressDiagnostician Diagnostician(bool mayList) =>
        new(new IngressClasses(_api, mayList, _time, NullLogger.Instance), _kinds, SampleServers.Settings, _time);

    private async Task<(string Reason, string Message)> LookAsync(string name = "traefik", string address = "{}", ServerMemory? memory = null)
    {
        var sample = SampleServers.Of();
        var server = sample with { Reported = _reported, Spec = sample.Spec with { IngressClass = name } };
        var pass = new Pass(server, policy: null, conflict: static () => null, SampleServers.Settings, memory ?? _memory);
        var ingress = JsonDocument.Parse($$"""
            { "metadata": { "name": "demo", "namespace": "team" }, "spec": { "rules": [{}] }, "status": { "loadBalancer": { "ingress": [{{address}}] } } }
            """).RootElement;
        await pass.RunAsync(_kinds, (kind, _) => Task.FromResult(new ApplyResult(
            kind == _kinds.Ingress ? new ObservedIngress(ingress, Product.Identity.OwnedFields) : null)));
        await _diagnostician.LookAsync(pass, CancellationToken.None);
        var condition = _kinds.Ingress.ConditionsOf(pass).Single();
        return (condition.Reason, condition.Message);
    }

    private sealed class ClassServer : HttpMessageHandler
    {
        /// <summary><c>name=controller</c>, with commas between.</summary>
        public string Classes { get; set; } = "";

        public bool IsForbidden { get; set; }

        public List<string> Requests { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add($"{request.Method} {request.RequestUri!.OriginalString}");
            var items = Classes.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split('=')).Select(item =>
                "{\"metadata\":{\"name\":\"" + item[0] + "\"},\"spec\":{\"controller\":\"" + item[1] + "\"}}");
            return Task.FromResult(IsForbidden
                ? ScenarioHandler.Status(403, "Forbidden", "ingressclasses is forbidden")
                : ScenarioHandler.Json("{\"kind\":\"IngressClassList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" + string.Join(',', items) + "]}"));
        }
    }
}
