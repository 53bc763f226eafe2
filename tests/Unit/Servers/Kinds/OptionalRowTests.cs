using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;
using McpOperator.Unit.Kubernetes;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Servers.Kinds;

/// <summary>A row of a kind that the cluster does not have: one look for it, and no other request.</summary>
public sealed class OptionalRowTests : IDisposable
{
    private readonly Looks _looks = new();
    private readonly Stores _stores;
    private readonly Store<Gadget> _store;
    private readonly GadgetKind _row;
    private readonly ScenarioHandler _server = new(_ => ScenarioHandler.Status(404, "NotFound", "no such page"));
    private readonly ApiClient _api;

    public OptionalRowTests()
    {
        _stores = new Stores(_looks, Looks.None, SampleServers.Settings);
        _store = _stores.CreateOwnedStore<Gadget>(runsPods: false, "");
        _row = new GadgetKind(_store);
        _api = new ApiClient(Product.Identity, _server, new Uri("https://api.test"), TimeProvider.System);
    }

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task WhoWantsOneIsToldWhatIsMissing()
    {
        await LookForItAsync();

        var result = await ReconcileAsync(new DesiredState.Apply(() => throw new InvalidOperationException("not to be sent")));

        Assert.False(_row.IsInstalled);
        Assert.Equal(
            new Problem(Problem.NotInstalled, "the cluster has no Gadget of example.org/v1: install the CustomResourceDefinition gadgets.example.org"),
            result.Problem);
        Assert.Single(_server.Sent);
    }

    [Fact]
    public async Task WhoWantsNoneIsToldNothing()
    {
        await LookForItAsync();

        Assert.Equal(default, await ReconcileAsync(new DesiredState.Absent()));
        Assert.Equal(default, await ReconcileAsync(new DesiredState.Keep()));
        Assert.Single(_server.Sent);
    }

    [Fact]
    public async Task EveryServerIsLookedAtWhenItIsInstalled()
    {
        await LookForItAsync();
        _stores.Servers.Replace(null, [Stored("a"), Stored("b")], "10");
        _looks.All.Clear();

        _store.Replace(null, [], "11");

        Assert.True(_row.IsInstalled);
        Assert.Equal(["a", "b"], _looks.All.Select(look => look.Key.Name).Order());
    }

    private static StoredServer Stored(string name) => Passes.Decode(
        json => StoredServer.Decode(json, Product.Identity.OwnedFields),
        $$"""{"metadata":{"name":"{{name}}","namespace":"ns","uid":"{{name}}","resourceVersion":"5"},"spec":{"image":"example.org/web"} }""");

    private Task<ApplyResult> ReconcileAsync(DesiredState wanted) => _row.CarryOutAsync(
        new Applier(_api, new WriteCounters(), TimeProvider.System, NullLogger.Instance), Passes.Over(SampleServers.Effective()), wanted, default);

    private async Task LookForItAsync()
    {
        var reflector = _row.Watch(new ReflectorFactory(_api, TimeSpan.FromMinutes(5), TimeProvider.System, NullLogger.Instance), null)!;
        using var stop = new CancellationTokenSource();
        var running = reflector.RunAsync(stop.Token);
        await reflector.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        await stop.CancelAsync();
        await running;
    }

    private sealed class GadgetKind(Store<Gadget> store) : OwnedKind<Gadget>(
        new ResourceType("example.org", "v1", "gadgets", "Gadget"), ConditionTypes.IngressReady, store, json => new Gadget(json), new OwnedFields("test"))
    {
        public override bool IsOptional => true;

        public override DesiredState DesiredStateOf(Pass pass) => new DesiredState.Absent();
    }

    private sealed class Gadget(JsonElement json) : Observed(json, Product.Identity.OwnedFields, Labels.OwnerOf(json));
}
