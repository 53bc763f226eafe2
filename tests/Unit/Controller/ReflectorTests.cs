using System.Net;
using System.Runtime.CompilerServices;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Controller;

/// <summary>
/// That the driver does what <see cref="ReflectorMachine"/> says, against a server that the test plays.
/// </summary>
public sealed class ReflectorTests : IAsyncDisposable
{
    private readonly Clock _time = new();
    private readonly FakeServer _server = new();
    private readonly Lines _log = new();
    private readonly Store<Thing> _store;
    private readonly Reflector _reflector;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private Action<Thing?, Thing?>? _onChange;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ReflectorTests()
    {
        _store = new((before, after, _) =>
        {
            _onChange?.Invoke(before, after);
            _changed.TrySetResult();
        });
        _reflector = Reflector(_server);
        _running = _reflector.RunAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);
        _stop.Dispose();
    }

    [Fact]
    public async Task ItListsFromTheCacheFillsTheStoreAndWatchesFromTheListsVersion()
    {
        var list = await _server.List();
        Assert.Equal("0", list.Version);
        Assert.False(_reflector.Synced.IsCompleted);

        list.Answer.SetResult(([Thing.At("a", 1), Thing.At("b", 2)], "10"));
        var watch = await _server.Watch();

        Assert.True(_reflector.Synced.IsCompleted);
        Assert.Equal("10", watch.Version);
        Assert.Equal(2, _store.Count);
        Assert.Equal((0, 0), (_reflector.Relists, _reflector.WatchRestarts));
    }

    [Fact]
    public async Task EventsReachTheStoreAndTheNextWatchBeginsAfterTheLastOne()
    {
        var watch = await _server.ListThenWatch("10", Thing.At("a", 1));
        watch.Send(Events.Added(Thing.At("b", 11)));
        watch.Send(Events.Modified(Thing.At("b", 12)));
        watch.Send(Events.Deleted(Thing.At("a", 13)));
        watch.Send(Events.Bookmark("20"));
        watch.End();

        var next = await _server.Watch();

        Assert.Equal("20", next.Version);
        Assert.Equal([Thing.At("b", 12)], _store.Snapshot());
        Assert.Equal((0, 1), (_reflector.Relists, _reflector.WatchRestarts));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AServerThatIsAtAnEarlierVersionThanBeforeIsListedAnew(bool isCut)
    {
        var watch = await _server.ListThenWatch("20", Thing.At("a", 15), Thing.At("b", 17));
        watch.Send(Events.Bookmark("21"));
        _server.Latest = "12";
        if (isCut)
            watch.End(new HttpRequestException("the connection broke"));
        else
            watch.Send(Events.Bookmark("12"));

        var list = await _server.List();
        Assert.Equal("", list.Version);
        list.Answer.SetResult(([Thing.At("a", 11)], "12"));
        var next = await _server.Watch();

        Assert.Equal("12", next.Version);
        Assert.Equal([Thing.At("a", 11)], _store.Snapshot());
        Assert.Equal([LogLevel.Warning], _log.LevelsOf("HistoryRewound"));
    }

    /// <summary>What is written after the snapshot soon brings the versions to where they were.</summary>
    [Theory]
    [InlineData(15, false, false)]
    [InlineData(15, true, true)] // seen deleted, and there again
    [InlineData(11, false, true)]
    [InlineData(null, false, true)]
    [InlineData(null, true, false)]
    [InlineData(30, false, false)] // of a server that tells what is, and not what was
    public async Task AHistoryWithoutTheLatestChangeIsListedAnew(int? held, bool isDeleted, bool isRewound)
    {
        var watch = await _server.ListThenWatch("20", Thing.At("a", 15), Thing.At("b", 12));
        if (isDeleted)
            watch.Send(Events.Deleted(Thing.At("a", 15) with { ResourceVersion = "21" }));
        watch.Send(Events.Bookmark("22"));
        ObjectKey key = new("ns", "a");
        _server.Unwatched[key] = held is { } version ? Thing.At("a", version) : null;
        watch.End(new HttpRequestException("the connection broke"));

        if (!isRewound)
        {
            Assert.Equal("22", (await _server.Watch()).Version);
            return;
        }

        var list = await _server.List();
        Assert.Equal("", list.Version);
        list.Answer.SetResult((held is null ? [] : [Thing.At("a", held.Value)], "1000"));
        await _server.Watch();
        Assert.Equal(held?.ToString(System.Globalization.CultureInfo.InvariantCulture), _store.Get(key)?.ResourceVersion);
        Assert.Equal([LogLevel.Warning], _log.LevelsOf("HistoryRewound"));
    }

    /// <summary>An object may come to the same version in another history, too.</summary>
    [Fact]
    public async Task ADifferentObjectOfTheSameVersionIsAnotherHistory()
    {
        var watch = await _server.ListThenWatch("20", Thing.At("a", 15));
        watch.Send(Events.Modified(Thing.At("a", 21)) with { Print = 1 });
        watch.Send(Events.Bookmark("22"));
        _server.Unwatched[new("ns", "a")] = Thing.At("a", 21); // with another print
        watch.End(new HttpRequestException("the connection broke"));

        Assert.Equal("", (await _server.List()).Version);
    }

    /// <summary>An API server that starts refuses at first, and when it lists, versions may have caught up.</summary>
    [Fact]
    public async Task AHistoryWithoutTheLatestChangeIsListedAnewAlsoAfterARefusal()
    {
        var watch = await _server.ListThenWatch("20", Thing.At("a", 15));
        await _time.NextTimer(); // the watch's deadline
        _server.Unwatched[new("ns", "a")] = Thing.At("a", 11);
        watch.End(Refusals.Of(403, "Forbidden", "user cannot watch"));
        _time.Advance(await _time.NextTimer());

        var list = await _server.List();
        Assert.Equal("", list.Version);
        list.Answer.SetResult(([Thing.At("a", 30)], "1000"));
        await _server.Watch();
        Assert.Equal([LogLevel.Warning], _log.LevelsOf("HistoryRewound"));
    }

    /// <summary>As an answer to a write shows it: the versions of the list may have passed what was held by then.</summary>
    [Fact]
    public async Task WhenSomebodyElseSawThatVersionsWentBackNothingThatIsHeldIsKept()
    {
        await _server.ListThenWatch("20", Thing.At("a", 15));
        Assert.True(_store.Observe(Thing.At("a", 100)));

        _reflector.Rewound();
        var list = await _server.List();
        Assert.Equal("", list.Version);
        list.Answer.SetResult(([Thing.At("a", 31)], "32"));
        await _server.Watch();

        Assert.Equal([Thing.At("a", 31)], _store.Snapshot());
        Assert.Equal([LogLevel.Warning], _log.LevelsOf("HistoryRewound"));
    }

    [Fact]
    public async Task AnExpiredWatchRelistsAndDeletesWhatWasMissed()
    {
        var watch = await _server.ListThenWatch("10", Thing.At("a", 1), Thing.At("b", 2));
        watch.Send(Events.Bookmark("15"));
        watch.Send(Events.Error(Refusals.Expired));

        var list = await _server.List();
        Assert.Equal("15", list.Version);
        list.Answer.SetResult(([Thing.At("b", 2)], "30"));
        Assert.Equal("30", (await _server.Watch()).Version);

        Assert.Equal([Thing.At("b", 2)], _store.Snapshot());
        Assert.Equal(1, _reflector.Relists);
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task AGoneAnswerToTheRequestIsTheSameAsAnExpiredEvent()
    {
        (await _server.ListThenWatch("10")).End(Refusals.Of(410, "Gone"));

        Assert.Equal("10", (await _server.List()).Version);
    }

    [Fact]
    public async Task ARelistThatIsTooFarAheadGoesToEtcdAtOnce()
    {
        (await _server.ListThenWatch("10")).End(new ApiException(Refusals.Expired, "GET /"));
        (await _server.List()).Answer.SetException(new ApiException(Refusals.TooLarge, "GET /"));

        Assert.Equal("", (await _server.List()).Version);
    }

    [Fact]
    public async Task TheFirstListIsTriedAgainUntilTheServerIsThere()
    {
        for (var i = 0; i < 5; i++)
        {
            (await _server.List()).Answer.SetException(new HttpRequestException("Connection refused"));
            var delay = await _time.NextTimer();
            Assert.Equal(TimeSpan.FromMilliseconds(800 << i), delay);
            Assert.True(_server.IsIdle);
            _time.Advance(delay);
        }

        await _server.ListThenWatch("10");

        Assert.True(_reflector.Synced.IsCompleted);
        Assert.Equal(
            [LogLevel.Warning, LogLevel.Debug, LogLevel.Debug, LogLevel.Debug, LogLevel.Debug],
            _log.LevelsOf("ReflectorFailed"));
        Assert.Equal([LogLevel.Information], _log.LevelsOf("ReflectorRecovered"));
    }

    [Fact]
    public async Task ANewErrorIsAWarningAgain()
    {
        foreach (var message in new[] { "Connection refused", "No route to host", "No route to host" })
        {
            (await _server.List()).Answer.SetException(new HttpRequestException(message));
            _time.Advance(await _time.NextTimer());
        }

        await _server.List();
        Assert.Equal([LogLevel.Warning, LogLevel.Warning, LogLevel.Debug], _log.LevelsOf("ReflectorFailed"));
    }

    [Fact]
    public async Task MissingRightsNameTheVerbAndTheResource()
    {
        (await _server.List()).Answer.SetException(Refusals.Of(403, "Forbidden", "user cannot list"));
        _time.Advance(await _time.NextTimer());
        (await _server.List()).Answer.SetException(Refusals.Of(404, "NotFound", "page not found"));
        _time.Advance(await _time.NextTimer());
        await _server.List();

        Assert.Contains(_log.All, line =>
            line is { Event: "NotAllowed", Level: LogLevel.Warning }
            && line.Text.StartsWith("Not allowed to list things.example.org", StringComparison.Ordinal));
        Assert.Contains(_log.All, line =>
            line is { Event: "NotServed", Level: LogLevel.Warning }
            && line.Text.StartsWith("Cannot list things.example.org", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AWatchThatIsRefusedWhileTheListWorksIsReportedOnce()
    {
        for (var i = 0; i < 3; i++)
        {
            (await _server.ListThenWatch("10")).End(Refusals.Of(403, "Forbidden", "user cannot watch"));
            await _time.NextTimer(); // the watch's deadline
            _time.Advance(await _time.NextTimer());
        }

        await _server.List();
        Assert.Equal([LogLevel.Warning, LogLevel.Debug, LogLevel.Debug], _log.LevelsOf("NotAllowed"));
        Assert.Empty(_log.LevelsOf("ReflectorRecovered"));
    }

    [Fact]
    public async Task WhatTheWatchAndThenTheListIsRefusedForIsOneFault()
    {
        (await _server.ListThenWatch("10")).End(Refusals.Of(401, "Unauthorized", "Unauthorized"));
        await _time.NextTimer(); // the watch's deadline
        _time.Advance(await _time.NextTimer());
        (await _server.List()).Answer.SetException(Refusals.Of(401, "Unauthorized", "Unauthorized"));
        _time.Advance(await _time.NextTimer());

        await _server.List();
        Assert.Equal([LogLevel.Warning, LogLevel.Debug], _log.LevelsOf("ReflectorFailed"));
    }

    [Fact]
    public async Task AWatchThatWorksAgainSaysSo()
    {
        (await _server.ListThenWatch("10")).End(new HttpRequestException("Connection refused"));
        await _time.NextTimer();
        _time.Advance(await _time.NextTimer());

        var watch = await _server.Watch();
        Assert.Equal("10", watch.Version);
        watch.Send(Events.Bookmark("11"));
        watch.End();
        await _server.Watch();

        Assert.Equal([LogLevel.Information], _log.LevelsOf("ReflectorRecovered"));
        Assert.Equal(0, _reflector.Relists);
    }

    [Fact]
    public async Task AVeryShortWatchBacksOffAndIsReported()
    {
        (await _server.ListThenWatch("10")).End();
        await _time.NextTimer();

        Assert.Equal(TimeSpan.FromMilliseconds(800), await _time.NextTimer());
        Assert.Equal([LogLevel.Warning], _log.LevelsOf("ReflectorFailed"));
    }

    [Fact]
    public async Task AWatchTheServerDoesNotEndIsCutTenSecondsAfterItsTimeAndBegunAgain()
    {
        var watch = await _server.ListThenWatch("10");
        Assert.Equal(TimeSpan.FromSeconds(300), watch.Timeout);

        _time.Advance(TimeSpan.FromSeconds(309));
        Assert.False(watch.Cancelled.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("10", (await _server.Watch()).Version);
        Assert.True(watch.Cancelled.IsCancellationRequested);
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Warning);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-10)]
    public async Task AWallClockThatIsPutRightNeitherEndsAWatchNorKeepsItOpen(int hours)
    {
        var watch = await _server.ListThenWatch("10");
        _time.Jump = TimeSpan.FromHours(hours);

        _time.Advance(TimeSpan.FromSeconds(309));
        Assert.False(watch.Cancelled.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("10", (await _server.Watch()).Version);
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task AHandlerThatThrowsAtAnEventIsLoggedAndMadeGoodByAList()
    {
        var watch = await _server.ListThenWatch("10");
        _onChange = (_, _) => throw new IOException("a fault of the handler, not of the network");
        watch.Send(Events.Added(Thing.At("a", 11)));

        await _time.NextTimer();
        var delay = await _time.NextTimer();
        Assert.Equal([LogLevel.Error], _log.LevelsOf("ReflectorFailed"));
        _onChange = null;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _time.Advance(delay);
        await _server.ListThenWatch("12", Thing.At("a", 11));

        Assert.True(_changed.Task.IsCompleted);
    }

    [Fact]
    public async Task AHandlerThatThrowsAtAListIsLoggedAndTheWatchBeginsAllTheSame()
    {
        _onChange = (_, after) =>
        {
            if (after?.Key.Name == "bad")
                throw new InvalidOperationException("handler");
        };

        await _server.ListThenWatch("10", Thing.At("bad", 1), Thing.At("b", 2));

        Assert.True(_reflector.Synced.IsCompleted);
        Assert.Equal([LogLevel.Error], _log.LevelsOf("ChangeHandlerFailed"));
    }

    [Fact]
    public async Task ADecoderThatThrowsIsLoggedAsAnErrorAndTriedAgain()
    {
        (await _server.List()).Answer.SetException(new FormatException("decoder"));
        _time.Advance(await _time.NextTimer());

        await _server.List();
        Assert.IsType<FormatException>(Assert.Single(_log.All, line => line.Level == LogLevel.Error).Exception);
    }

    [Fact]
    public async Task ItStopsInTheMiddleOfAWatch()
    {
        var watch = await _server.ListThenWatch("10");

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.True(watch.Cancelled.IsCancellationRequested);
        Assert.True(_server.IsIdle);
    }

    [Fact]
    public async Task ItStopsInTheMiddleOfADelay()
    {
        (await _server.List()).Answer.SetException(new HttpRequestException("Connection refused"));
        await _time.NextTimer();

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.True(_server.IsIdle);
    }

    [Fact]
    public async Task AWatchThatOutlivesItsOwnDeadlineHangs()
    {
        var deaf = new DeafServer();
        var reflector = Reflector(deaf);
        using var stop = new CancellationTokenSource();
        Assert.False(reflector.Hangs);
        var running = reflector.RunAsync(stop.Token);
        await deaf.Watched.Task.WaitAsync(Limit.OfATest);

        // The longest watch that is ever asked for, the grace after it, and a minute.
        _time.Advance(TimeSpan.FromSeconds(600 + 10 + 60));
        Assert.False(reflector.Hangs);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(reflector.Hangs);

        await stop.CancelAsync();
        deaf.End.SetResult();
        await running.WaitAsync(Limit.OfATest);
    }

    [Fact]
    public async Task AnApiServerThatIsAwayForHoursIsNoHang()
    {
        for (var i = 0; i < 400; i++)
        {
            (await _server.List()).Answer.SetException(new HttpRequestException("Connection refused"));
            _time.Advance(await _time.NextTimer());
            Assert.False(_reflector.Hangs);
        }

        Assert.True(_time.GetUtcNow() - _time.Start > TimeSpan.FromHours(2));
        await _server.List();
    }

    [Fact]
    public async Task AWatchThatIsCutAndBegunAgainIsNoHang()
    {
        await _server.ListThenWatch("10");
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(310));
            await _server.Watch();
            Assert.False(_reflector.Hangs);
        }
    }

    [Fact]
    public async Task ItAsksForNothingWhenItIsStoppedBeforeItBegins()
    {
        var server = new FakeServer();
        var reflector = Reflector(server);

        await reflector.RunAsync(new CancellationToken(canceled: true));

        Assert.True(server.IsIdle);
    }

    [Fact]
    public async Task AReflectorOfOneNamespaceLeavesTheObjectsOfAnotherAlone()
    {
        await _server.ListThenWatch("10", Thing.At("a", 1, "one"));
        var server = new FakeServer("two");
        var reflector = Reflector(server);
        using var stop = new CancellationTokenSource();
        var running = reflector.RunAsync(stop.Token);

        await server.ListThenWatch("11", Thing.At("b", 2, "two"));
        await stop.CancelAsync();
        await running.WaitAsync(Limit.OfATest);

        Assert.Equal(2, _store.Count);
    }

    [Fact]
    public async Task WhatWasDeletedWhileAListBrokeOffIsNotInTheStore()
    {
        var server = new ScenarioHandler(
            _ => Answer(new ChunkedStream("""{"items":[{"metadata":{"name":"deleted"}},{"metadata":{"name":"b"}}"""u8.ToArray(), 10)),
            _ => Answer(new ChunkedStream("""{"items":[{"metadata":{"name":"b"}}],"metadata":{"resourceVersion":"9"}}"""u8.ToArray(), 10)),
            _ => Answer(new StalledStream()));
        var client = new ApiClient(Product.Identity, server, new Uri("https://api.test"), _time);
        var source = new ListWatch(
            client, new("example.org", "v1", "things", "Thing"), null, null,
            json => Thing.At(json.GetProperty("metadata").GetProperty("name").GetString()!, 1));
        var reflector = Reflector(source);
        using var stop = new CancellationTokenSource();
        var running = reflector.RunAsync(stop.Token);

        await reflector.Synced.WaitAsync(Limit.OfATest);

        Assert.Equal([Thing.At("b", 1)], _store.Snapshot());
        await stop.CancelAsync();
        await running.WaitAsync(Limit.OfATest);

        static HttpResponseMessage Answer(Stream body) => new(HttpStatusCode.OK) { Content = new StreamContent(body) };
    }

    [Fact]
    public async Task ARefreshEndsTheWatchListsFromEtcdAndWatchesOn()
    {
        var watch = await _server.ListThenWatch("10", Thing.At("a", 1), Thing.At("b", 2));
        watch.Send(Events.Bookmark("15"));

        var refreshed = _reflector.RefreshAsync(default);
        var list = await _server.List();
        Assert.Equal("", list.Version);
        Assert.True(watch.Cancelled.IsCancellationRequested);
        Assert.False(refreshed.IsCompleted);
        list.Answer.SetResult(([Thing.At("b", 2)], "30"));
        await refreshed.WaitAsync(Limit.OfATest);

        Assert.Equal([Thing.At("b", 2)], _store.Snapshot());
        Assert.Equal("30", (await _server.Watch()).Version);
        Assert.DoesNotContain(_log.All, line => line.Level > LogLevel.Debug);
    }

    // Also a watch that is only an instant old, and has had no event, which else counts as one that does not work.
    [Fact]
    public async Task RefreshesWithoutEndNeverBackOff()
    {
        await _server.ListThenWatch("10");
        for (var i = 0; i < 5; i++)
        {
            var refreshed = _reflector.RefreshAsync(default);
            await _server.ListThenWatch("10");
            await refreshed.WaitAsync(Limit.OfATest);
        }

        Assert.Empty(_log.LevelsOf("ReflectorFailed"));
        Assert.Equal(5, _reflector.Relists);
    }

    [Fact]
    public async Task AWatchThatEndsWithoutAWordWhenItIsCancelledIsRefreshedTheSame()
    {
        var server = new QuietServer();
        using var stop = new CancellationTokenSource();
        var reflector = Reflector(server);
        var running = reflector.RunAsync(stop.Token);
        await server.Watched.Task.WaitAsync(Limit.OfATest);

        await reflector.RefreshAsync(default).WaitAsync(Limit.OfATest);

        Assert.Equal(["0", ""], server.Lists);
        Assert.Empty(_log.LevelsOf("ReflectorFailed"));
        await stop.CancelAsync();
        await running.WaitAsync(Limit.OfATest);
    }

    [Fact]
    public async Task ARefreshCutsTheWaitAfterAFailureShort()
    {
        (await _server.List()).Answer.SetException(new HttpRequestException("Connection refused"));
        await _time.NextTimer();

        var refreshed = _reflector.RefreshAsync(default);
        var list = await _server.List();
        Assert.Equal("", list.Version);
        list.Answer.SetResult(([], "10"));

        await refreshed.WaitAsync(Limit.OfATest);
        Assert.True(_reflector.Synced.IsCompleted);
        await _server.Watch(); // it is told before the watch begins, and after the refresh has ended
        Assert.Equal([LogLevel.Information], _log.LevelsOf("ReflectorRecovered"));
    }

    [Fact]
    public async Task ARefreshThatFailsIsTriedAgainWithBackoffUntilItWorks()
    {
        await _server.ListThenWatch("10");
        await _time.NextTimer(); // the watch's deadline
        var refreshed = _reflector.RefreshAsync(default);
        foreach (var delay in (double[])[0.8, 1.6])
        {
            var list = await _server.List();
            Assert.Equal("", list.Version);
            list.Answer.SetException(new HttpRequestException("Connection refused"));
            Assert.Equal(TimeSpan.FromSeconds(delay), await _time.NextTimer());
            Assert.True(_server.IsIdle);
            _time.Advance(TimeSpan.FromSeconds(delay));
        }

        Assert.False(refreshed.IsCompleted);
        await _server.ListThenWatch("20");
        await refreshed.WaitAsync(Limit.OfATest);
        Assert.Equal([LogLevel.Warning, LogLevel.Debug], _log.LevelsOf("ReflectorFailed"));
    }

    [Fact]
    public async Task AListFromTheCacheThatIsOnItsWayIsFollowedByOneFromEtcd()
    {
        var first = await _server.List();
        var refreshed = _reflector.RefreshAsync(default);
        first.Answer.SetResult(([Thing.At("a", 1)], "10"));

        var list = await _server.List();
        Assert.Equal("", list.Version);
        Assert.True(_reflector.Synced.IsCompleted);
        Assert.False(refreshed.IsCompleted);
        list.Answer.SetResult(([], "20"));

        await refreshed.WaitAsync(Limit.OfATest);
        Assert.Equal(0, _store.Count);
    }

    [Fact]
    public async Task AListFromEtcdServesThoseWhoAskedBeforeItBeganAndNobodyElse()
    {
        await _server.ListThenWatch("10");
        var first = _reflector.RefreshAsync(default);
        var list = await _server.List();
        Task[] later = [_reflector.RefreshAsync(default), _reflector.RefreshAsync(default)];
        list.Answer.SetResult(([], "20"));

        await first.WaitAsync(Limit.OfATest);
        var next = await _server.List();
        Assert.Equal("", next.Version);
        Assert.DoesNotContain(later, refreshed => refreshed.IsCompleted);
        next.Answer.SetResult(([], "30"));

        // One list for both of them.
        await Task.WhenAll(later).WaitAsync(Limit.OfATest);
        Assert.Equal("30", (await _server.Watch()).Version);
    }

    [Fact]
    public async Task WhoCancelsARefreshDoesNotWaitAnyMoreAndOthersDo()
    {
        await _server.ListThenWatch("10");
        using var cancel = new CancellationTokenSource();
        var cancelled = _reflector.RefreshAsync(cancel.Token);
        var list = await _server.List();
        list.Answer.SetException(new HttpRequestException("Connection refused"));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Limit.OfATest));

        var other = _reflector.RefreshAsync(default);
        await _server.ListThenWatch("20");

        await other.WaitAsync(Limit.OfATest);
    }

    [Fact]
    public async Task ARefreshAskedForBeforeItRunsIsTheFirstList()
    {
        var server = new FakeServer();
        var reflector = Reflector(server);
        using var stop = new CancellationTokenSource();
        var refreshed = reflector.RefreshAsync(default);
        var running = reflector.RunAsync(stop.Token);

        var list = await server.List();
        Assert.Equal("", list.Version);
        list.Answer.SetResult(([], "10"));

        await refreshed.WaitAsync(Limit.OfATest);
        await stop.CancelAsync();
        await running.WaitAsync(Limit.OfATest);
    }

    [Fact]
    public async Task TheFirstListCanBeFromEtcd()
    {
        var server = new FakeServer();
        var reflector = Reflector(server, fromEtcd: true);
        using var stop = new CancellationTokenSource();
        var running = reflector.RunAsync(stop.Token);

        Assert.Equal("", (await server.List()).Version);

        await stop.CancelAsync();
        await running.WaitAsync(Limit.OfATest);
    }

    [Fact]
    public async Task ItStopsInTheMiddleOfARefresh()
    {
        await _server.ListThenWatch("10");
        _ = _reflector.RefreshAsync(default);
        await _server.List();

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.True(_server.IsIdle);
    }

    private Reflector Reflector(IListWatch server, bool fromEtcd = false) =>
        new(server, _store, _log, TimeSpan.FromMinutes(5), _time, () => 0, fromEtcd);

    /// <summary>Lists nothing, and ends a watch without an exception when it is cancelled.</summary>
    private sealed class QuietServer : IListWatch
    {
        public string Name => "things.example.org";

        public string? Namespace => null;

        public TaskCompletionSource Watched { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Lists { get; } = [];

        public Task<ListResult> ListAsync(string resourceVersion, CancellationToken cancellationToken)
        {
            Lists.Add(resourceVersion);
            return Task.FromResult(new ListResult([], "10"));
        }

        public Task<ListResult> LookBackAsync(string resourceVersion, ObjectKey? key, CancellationToken cancellationToken) =>
            Task.FromResult(new ListResult([], "10"));

        public async IAsyncEnumerable<WatchEvent> WatchAsync(
            string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Watched.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            yield break;
        }
    }

    /// <summary>Lists nothing, and then watches for ever, whatever it is told.</summary>
    private sealed class DeafServer : IListWatch
    {
        public string Name => "things.example.org";

        public string? Namespace => null;

        public TaskCompletionSource Watched { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ListResult> ListAsync(string resourceVersion, CancellationToken cancellationToken) =>
            Task.FromResult(new ListResult([], "10"));

        public Task<ListResult> LookBackAsync(string resourceVersion, ObjectKey? key, CancellationToken cancellationToken) =>
            Task.FromResult(new ListResult([], "10"));

        public async IAsyncEnumerable<WatchEvent> WatchAsync(
            string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Watched.SetResult();
            await End.Task;
            yield break;
        }
    }
}
