using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Controller;

/// <summary>A kind that need not be installed, against a server that the test plays.</summary>
public sealed class OptionalKindTests : IAsyncDisposable
{
    private readonly Clock _time = new();
    private readonly FakeServer _server = new();
    private readonly Lines _log = new();
    private readonly List<(Thing? Before, Thing? After)> _told = [];
    private readonly List<(bool IsInstalled, int Count)> _installed = [];
    private readonly Store<Thing> _store;
    private readonly Reflector _reflector;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public OptionalKindTests()
    {
        _store = new(
            (before, after, _) => _told.Add((before, after)), onInstalled: () => _installed.Add((_store!.IsInstalled, _store.Count)));
        _reflector = new(_server, _store, _log, TimeSpan.FromMinutes(5), _time, () => 0, isOptional: true);
        _running = _reflector.RunAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);
        _stop.Dispose();
    }

    [Fact]
    public async Task NobodyWaitsForOneThatIsNotInstalledAndItIsSaidOnce()
    {
        for (var i = 0; i < 5; i++)
            await RefuseListAsync(404, TimeSpan.FromSeconds(30));
        await _server.List();

        Assert.True(_reflector.Synced.IsCompleted);
        Assert.False(_store.IsInstalled);
        Assert.Equal([LogLevel.Information, .. Enumerable.Repeat(LogLevel.Debug, 4)], _log.LevelsOf("NotInstalled"));
        Assert.DoesNotContain(_log.All, line => line.Level > LogLevel.Information);
        Assert.Equal(0, _reflector.Relists);
    }

    [Fact]
    public async Task OneThatIsInstalledLaterIsFoundAndTold()
    {
        await RefuseListAsync(404, TimeSpan.FromSeconds(30));

        Assert.Equal("10", (await _server.ListThenWatch("10", Thing.At("a", 1))).Version);

        Assert.True(_store.IsInstalled);
        Assert.Equal([(false, 0), (true, 1)], _installed);
        Assert.Equal([LogLevel.Information], _log.LevelsOf("ReflectorRecovered"));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    public async Task OneThatIsRemovedTakesItsObjectsAlong(int code)
    {
        var watch = await _server.ListThenWatch("10", Thing.At("a", 1));
        watch.Send(Events.Added(Thing.At("b", 11)));
        watch.End(Refusals.Of(code, code == 410 ? "Expired" : "NotFound", "no such page"));
        if (code == 404)
            _time.Advance(await NextDelayAsync());

        await RefuseListAsync(404, TimeSpan.FromSeconds(30));
        await _server.List();

        Assert.Equal(0, _store.Count);
        Assert.False(_store.IsInstalled);
        Assert.Equal(["a", "b"], _told.Where(told => told.After is null).Select(told => told.Before!.Key.Name).Order());
        Assert.Equal([(false, 0)], _installed);
        Assert.Equal(1, _log.LevelsOf("NotInstalled").Count(level => level == LogLevel.Information));
        Assert.DoesNotContain(_log.All, line => line.Level > LogLevel.Information);
    }

    [Fact]
    public async Task TheAnswerToAWriteThatCrossedTheRemovalIsNotKept()
    {
        var watch = await _server.ListThenWatch("10", Thing.At("a", 1));
        watch.End(Refusals.Of(410, "Expired"));
        await RefuseListAsync(404, TimeSpan.FromSeconds(30));

        Assert.False(_store.Observe(Thing.At("a", 12)));
        Assert.Equal(0, _store.Count);
    }

    [Fact]
    public async Task OneThatMayNotBeSeenHoldsNobodyUpAndIsSaidOnce()
    {
        for (var i = 0; i < 3; i++)
            await RefuseListAsync(403, TimeSpan.FromMilliseconds(800 << i));

        Assert.True(_reflector.Synced.IsCompleted);
        Assert.True(_store.IsInstalled);
        Assert.True(_store.IsDenied("any"));
        Assert.Equal([LogLevel.Warning, LogLevel.Debug, LogLevel.Debug], _log.LevelsOf("NotAllowed"));
        await _server.ListThenWatch("10", Thing.At("a", 1));
        Assert.False(_store.IsDenied("any"));
        // When it was denied, and when it was not any more.
        Assert.Equal([(true, 0), (true, 1)], _installed);
        Assert.Equal(1, _store.Count);
    }

    [Fact]
    public async Task ForbiddenForAWhileItsObjectsStay()
    {
        (await _server.ListThenWatch("10", Thing.At("a", 1))).End(Refusals.Of(410, "Expired"));
        await RefuseListAsync(403, TimeSpan.FromMilliseconds(800));
        await _server.List();

        Assert.Equal(1, _store.Count);
    }

    [Fact]
    public async Task AServerThatIsAwayIsWaitedForAllTheSame()
    {
        (await _server.List()).Answer.SetException(new HttpRequestException("Connection refused"));
        _time.Advance(await NextDelayAsync());
        await _server.List();

        Assert.False(_reflector.Synced.IsCompleted);
        Assert.True(_store.IsInstalled);
    }

    [Fact]
    public async Task WhoAsksForARefreshLearnsThatThereIsNothing()
    {
        (await _server.List()).Answer.SetException(Refusals.Of(404, "NotFound"));
        await NextDelayAsync();

        var refreshed = _reflector.RefreshAsync(default);
        var list = await _server.List();
        Assert.Equal("", list.Version);
        Assert.False(refreshed.IsCompleted);
        list.Answer.SetException(Refusals.Of(404, "NotFound"));

        await refreshed.WaitAsync(Limit.OfATest);
    }

    /// <summary>Refuses the next list, and lets the time pass until the one after it.</summary>
    private async Task RefuseListAsync(int code, TimeSpan delay)
    {
        (await _server.List()).Answer.SetException(Refusals.Of(code, code == 404 ? "NotFound" : "Forbidden", "no such page"));
        Assert.Equal(delay, await NextDelayAsync());
        _time.Advance(delay);
    }

    /// <summary>Not the deadline of a watch.</summary>
    private async Task<TimeSpan> NextDelayAsync()
    {
        while (true)
        {
            var delay = await _time.NextTimer();
            if (delay < TimeSpan.FromMinutes(5))
                return delay;
        }
    }
}
