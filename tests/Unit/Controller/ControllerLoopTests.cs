using System.Threading.Channels;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Controller;

public sealed class ControllerLoopTests : IAsyncDisposable
{
    private static readonly ObjectKey Foo = new("ns", "foo");
    private static readonly ObjectKey Bar = new("ns", "bar");

    private readonly Clock _time = new();
    private readonly Lines _log = new();
    private readonly WorkQueue _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>();
    private ControllerLoop? _loop;
    private Lane? _lane;
    private Task<bool> _running = Task.FromResult(true);

    public ControllerLoopTests() => _queue = new WorkQueue(_time, () => 0);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        while (!_running.IsCompleted)
        {
            // Whatever a test left in flight ends with its token.
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await _running;
        _queue.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task NothingIsReconciledBeforeEveryReflectorHasSynced()
    {
        var (one, two) = (new FakeReflector("things"), new FakeReflector("others"));
        _queue.Add(Foo);
        Start(1, one, two);
        await Task.WhenAll(one.Started.Task, two.Started.Task).WaitAsync(Limit.OfATest);
        Assert.Equal(TimeSpan.FromSeconds(10), await _time.NextTimer());

        one.HasSynced();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(60), await _time.NextTimer());
        Assert.False(_loop!.HasSynced);
        Assert.Equal(0, _calls.Reader.Count);
        Assert.EndsWith("missing: others", Assert.Single(_log.All, line => line.Event == "WaitingForSync").Text, StringComparison.Ordinal);

        two.HasSynced();
        (await NextCall()).Answer(Outcome.Done);
        Assert.True(_loop.HasSynced);
    }

    [Fact]
    public async Task TheGateOpensAfterTheSyncAndBeforeTheFirstReconcile()
    {
        var gate = new TaskCompletionSource();
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(Foo);
        _loop = Loop(Reconcile, [], workers: 1, async _ =>
        {
            waiting.SetResult();
            await gate.Task;
        });
        _running = _loop.RunAsync(_stop.Token);
        await waiting.Task.WaitAsync(Limit.OfATest);
        Assert.Equal(1, _queue.Depth);

        gate.SetResult();

        Assert.Equal(Foo, (await NextCall()).Key);
    }

    [Fact]
    public async Task ACutCancelsWhatIsInFlightWithoutAGrace()
    {
        using var cut = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add(Foo);
        _queue.Add(Bar);
        _loop = Loop((_, token) => Hang(begun, token), []);
        var running = _loop.RunAsync(_stop.Token, cut.Token);
        _running = running;
        await begun.Task.WaitAsync(Limit.OfATest);

        await cut.CancelAsync();

        Assert.False(await running.WaitAsync(Limit.OfATest));
        // The other key was not begun.
        Assert.Equal(1, _queue.Depth);
        Assert.DoesNotContain(_log.All, line => line.Level > LogLevel.Information);

        static async Task<Outcome> Hang(TaskCompletionSource begun, CancellationToken token)
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            return Outcome.Done;
        }
    }

    [Fact]
    public async Task TheSameKeyIsNeverWithTwoWorkers()
    {
        Start(workers: 4);
        _queue.Add(Foo);
        var first = await NextCall();
        _queue.Add(Foo);
        _queue.Add(Bar);

        var other = await NextCall();
        Assert.Equal(Bar, other.Key);
        other.Answer(Outcome.Done);
        Assert.Equal(0, _calls.Reader.Count);

        first.Answer(Outcome.Done);
        Assert.Equal(Foo, (await NextCall()).Key);
    }

    [Fact]
    public async Task NoMoreReconcilesAreInFlightThanThereAreWorkers()
    {
        Start(workers: 2);
        for (var i = 0; i < 5; i++)
            _queue.Add(new ObjectKey("ns", $"k{i}"));
        var first = await NextCall();
        await NextCall();

        Assert.Equal((2, 3), (_lane!.Counters.ActiveWorkers, _queue.Depth));
        first.Answer(Outcome.Done);
        await NextCall();
        Assert.Equal((2, 2), (_lane!.Counters.ActiveWorkers, _queue.Depth));
    }

    [Fact]
    public async Task DoneForgetsTheFailuresAndAsksForNothing()
    {
        Start();
        _queue.AddRateLimited(Foo);
        _time.Advance(TimeSpan.FromMilliseconds(5));
        await Finish(Outcome.Done);

        Assert.Equal((0, 0, 0), (_queue.Failures(Foo), _queue.Depth, _queue.Delayed));
        Assert.Equal(1, _lane!.Counters.Succeeded);
    }

    [Fact]
    public async Task RequeueAfterForgetsTheFailuresAndComesBackInItsTime()
    {
        Start();
        _queue.AddRateLimited(Foo);
        _time.Advance(TimeSpan.FromMilliseconds(5));
        await Finish(Outcome.RequeueAfter(TimeSpan.FromSeconds(10)));
        Assert.Equal((0, 1), (_queue.Failures(Foo), _queue.Delayed));
        Assert.Equal(1, _lane!.Counters.RequeuedAfter);

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, _calls.Reader.Count + _queue.Depth);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Foo, (await NextCall()).Key);
    }

    [Fact]
    public async Task RetryBacksOffWithoutALine()
    {
        Start();
        _queue.Add(Foo);
        for (var i = 0; i < 4; i++)
        {
            await Finish(Outcome.Retry);
            Assert.Equal((i + 1, 1), (_queue.Failures(Foo), _queue.Delayed));
            _time.Advance(TimeSpan.FromMilliseconds(5 << i));
        }

        await NextCall();
        Assert.Equal(4, _lane!.Counters.Requeued);
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task AnExceptionIsLoggedOnceWithItsKeyAndTheKeyIsTriedAgain()
    {
        Start();
        _queue.Add(Foo);
        await Fail(new InvalidOperationException("boom"));

        var line = Assert.Single(_log.All, line => line.Level == LogLevel.Error);
        Assert.Equal("Reconciling ns/foo failed, next try in 0.005 s", line.Text);
        Assert.IsType<InvalidOperationException>(line.Exception);
        Assert.Equal((1, 1, 1), (_queue.Failures(Foo), _queue.Delayed, _lane!.Counters.Failed));
    }

    [Fact]
    public async Task OneKeysExceptionsDoNotStopTheOthers()
    {
        Start(workers: 1);
        _queue.Add(Foo);
        _queue.Add(Bar);
        (await NextCall()).Fail(new InvalidOperationException("boom"));

        Assert.Equal(Bar, (await NextCall()).Key);
    }

    [Fact]
    public async Task AReconcileThatThrowsBeforeItsFirstAwaitIsNoDifferent()
    {
        var calls = Channel.CreateUnbounded<ObjectKey>();
        _loop = Loop((key, _) =>
        {
            calls.Writer.TryWrite(key);
            throw new InvalidOperationException("boom");
        }, []);
        _running = _loop.RunAsync(_stop.Token);

        _queue.Add(Foo);
        _queue.Add(Bar);

        Assert.Equal(Foo, await calls.Reader.ReadAsync().AsTask().WaitAsync(Limit.OfATest));
        Assert.Equal(Bar, await calls.Reader.ReadAsync().AsTask().WaitAsync(Limit.OfATest));
    }

    [Fact]
    public async Task TheBackoffGrowsUntilThereIsAResultWithoutAnError()
    {
        Start();
        _queue.Add(Foo);
        for (var i = 0; i < 3; i++)
        {
            await Fail(new InvalidOperationException("boom"));
            Assert.Equal(i + 1, _queue.Failures(Foo));

            // An event in between is one more look, and no reason to start afresh.
            _queue.Add(Foo);
        }

        await Finish(Outcome.Done);
        Assert.Equal(0, _queue.Failures(Foo));
    }

    [Fact]
    public async Task AConflictIsTriedAgainInSilence()
    {
        Start();
        _queue.Add(Foo);
        await Fail(Refusals.Of(409, "Conflict", "the object has been modified"));

        Assert.Equal((1, 1), (_queue.Failures(Foo), _lane!.Counters.Requeued));
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task ARequestThatRanIntoItsDeadlineIsAnErrorLikeAnyOther()
    {
        Start();
        _queue.Add(Foo);
        await Fail(new TaskCanceledException("HttpClient.Timeout"));

        Assert.Equal((1, 1), (_queue.Failures(Foo), _lane!.Counters.Failed));
    }

    [Fact]
    public async Task AnApiServerThatIsAwayIsOneWarningAKeyUntilItIsBack()
    {
        Start();
        _queue.Add(Foo);
        await Fail(new HttpRequestException("refused"));
        _time.Advance(TimeSpan.FromMilliseconds(5));
        await Fail(new HttpRequestException("refused"));

        Assert.Equal(
            [LogLevel.Warning, LogLevel.Debug],
            _log.All.Where(line => line.Event == "NotReached").Select(line => line.Level));
        Assert.Equal((2, 2), (_queue.Failures(Foo), _lane!.Counters.Failed));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(429)]
    [InlineData(503)]
    public async Task AnApiServerThatIsNotReadyForUsIsAsOneThatIsAway(int code)
    {
        Start();
        _queue.Add(Foo);
        await Fail(Refusals.Of(code, "Whatever", "not now"));
        _time.Advance(TimeSpan.FromMilliseconds(5));
        await Fail(Refusals.Of(code, "Whatever", "not now"));

        Assert.Equal([LogLevel.Warning, LogLevel.Debug], _log.LevelsOf("NotReached"));
    }

    [Fact]
    public async Task ARefusalIsAnErrorWheneverItReadsDifferently()
    {
        Start();
        _queue.Add(Foo);
        foreach (var (message, i) in new[] { "no", "no", "never", "no" }.Select((message, i) => (message, i)))
        {
            await Fail(Refusals.Of(403, "Forbidden", message));
            _time.Advance(TimeSpan.FromMilliseconds(5 << i));
        }
        await Finish(Outcome.Done);
        _queue.Add(Foo);
        await Fail(Refusals.Of(403, "Forbidden", "no"));

        Assert.Equal(
            [LogLevel.Error, LogLevel.Debug, LogLevel.Error, LogLevel.Error, LogLevel.Error], _log.LevelsOf("ReconcileFailed"));
    }

    [Fact]
    public async Task AReconcileThatDoesNotEndIsFoundByTheProbe()
    {
        Start(workers: 3);
        _queue.Add(Foo);
        var foo = await NextCall();
        Assert.Null(_loop!.StuckReconcile());

        _time.Advance(TimeSpan.FromMinutes(20));
        Assert.Null(_loop.StuckReconcile());
        // What the others are at makes no difference.
        _queue.Add(Bar);
        (await NextCall()).Answer(Outcome.Done);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("things: reconciling ns/foo has not ended for 1201 s", _loop.StuckReconcile());

        foo.Answer(Outcome.Done);
        await Idle();
        Assert.Null(_loop.StuckReconcile());
    }

    [Fact]
    public async Task ManyReconcilesThatEndAreNoneThatHangs()
    {
        Start();
        for (var i = 0; i < 20; i++)
        {
            _queue.Add(Foo);
            var call = await NextCall();
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Null(_loop!.StuckReconcile());
            call.Answer(Outcome.Done);
            await Idle();
        }
    }

    [Fact]
    public async Task WhatOneLaneIsAtKeepsNoOtherLaneWaiting()
    {
        using var others = new WorkQueue(_time, () => 0);
        var seen = new TaskCompletionSource<ObjectKey>(TaskCreationOptions.RunContinuationsAsynchronously);
        var other = new Lane("others", others, (key, _) =>
        {
            seen.SetResult(key);
            return Task.FromResult(Outcome.Retry);
        }, workers: 1, _time);
        _lane = new Lane("things", _queue, Reconcile, workers: 1, _time);
        _loop = new ControllerLoop([_lane, other], [], _log, _time);
        _running = _loop.RunAsync(_stop.Token);
        _queue.Add(Foo);
        var hanging = await NextCall();

        others.Add(Foo);

        Assert.Equal(Foo, await seen.Task.WaitAsync(Limit.OfATest));
        Assert.False(_lane.IsIdle);
        Assert.Equal(0, _queue.Failures(Foo));
        hanging.Answer(Outcome.Done);
    }

    [Fact]
    public void AWatchThatHangsIsFoundByTheProbe()
    {
        var (one, two) = (new FakeReflector("things"), new FakeReflector("others"));
        var loop = Loop(Reconcile, [one, two]);
        Assert.Null(loop.StuckWatch());

        two.Hangs = true;

        Assert.Equal("the list or watch of others has not ended in its time", loop.StuckWatch());
    }

    [Fact]
    public async Task WhatTheWorkersTakeIsMeasured()
    {
        Start(workers: 2);
        _queue.Add(Foo);
        var foo = await NextCall();
        _time.Advance(TimeSpan.FromSeconds(2));
        _queue.Add(Bar);
        var bar = await NextCall();
        _time.Advance(TimeSpan.FromSeconds(3));

        var (workers, together, longest, key) = Busy();
        Assert.Equal((2, 8, 5, Foo), (workers, together, longest, key));
        Assert.Equal(0, Sum(_lane!.Counters.Durations.Counts));

        bar.Answer(Outcome.Done);
        foo.Fail(new InvalidOperationException("boom"));
        await Idle();

        Assert.Equal((0, 0, 0, default(ObjectKey)), Busy());
        foreach (var histogram in new[] { _lane!.Counters.Durations, _lane!.Counters.WorkDurations })
            Assert.Equal((2, 8), (Sum(histogram.Counts), histogram.Sum));

        (int Workers, double Together, double Longest, ObjectKey Key) Busy()
        {
            var busy = _lane!.Counters.Busy();
            return (busy.Workers, busy.Together.TotalSeconds, busy.Longest.TotalSeconds, busy.Key);
        }

        static long Sum(ReadOnlySpan<long> counts)
        {
            var sum = 0L;
            foreach (var count in counts)
                sum += count;
            return sum;
        }
    }

    [Fact]
    public async Task OnlyAnExceptionThatNobodyForesawIsAPanic()
    {
        Start();
        _queue.Add(Foo);
        Exception[] exceptions =
        [
            new HttpRequestException("refused"), Refusals.Of(409, "Conflict", "changed"), Refusals.Of(403, "Forbidden", "no"),
            new InvalidOperationException("boom"),
        ];
        foreach (var (exception, i) in exceptions.Select((exception, i) => (exception, i)))
        {
            await Fail(exception);
            _time.Advance(TimeSpan.FromMilliseconds(5 << i));
        }

        Assert.Equal((3, 1), (_lane!.Counters.Failed, _lane!.Counters.Panicked));
    }

    [Fact]
    public async Task EveryLineOfAReconcileCarriesItsIdNamespaceAndName()
    {
        Start();
        _queue.Add(Foo);
        await Fail(new InvalidOperationException("boom"));
        _time.Advance(TimeSpan.FromMilliseconds(5));
        await Fail(new InvalidOperationException("boom"));

        var scopes = _log.All.Where(line => line.Event == "ReconcileFailed")
            .Select(line => Assert.IsType<ReconcileScope>(line.Scope).ToDictionary()).ToArray();
        Assert.Equal(["ns", "foo"], [scopes[0]["namespace"], scopes[0]["name"]]);
        Assert.Matches("^[0-9a-f]{8}$", (string)scopes[0]["reconcileId"]!);
        Assert.NotEqual(scopes[0]["reconcileId"], scopes[1]["reconcileId"]);
    }

    [Fact]
    public async Task StoppingLetsWhatIsInFlightFinishAndBeginsNothingNew()
    {
        var reflector = new FakeReflector("things");
        Start(1, reflector);
        reflector.HasSynced();
        _queue.Add(Foo);
        _queue.Add(Bar);
        var call = await NextCall();

        await _stop.CancelAsync();
        Assert.Equal(ControllerLoop.Grace, await GraceTimer());
        Assert.False(_running.IsCompleted);
        Assert.False(call.Token.IsCancellationRequested);
        Assert.False(reflector.Ended.Task.IsCompleted);

        call.Answer(Outcome.RequeueAfter(TimeSpan.FromSeconds(1)));
        Assert.True(await _running.WaitAsync(Limit.OfATest));

        Assert.True(reflector.Ended.Task.IsCompleted);
        Assert.Equal(0, _calls.Reader.Count);
        Assert.Equal((1, 1), (_queue.Depth, _lane!.Counters.RequeuedAfter));
    }

    [Fact]
    public async Task AReconcileThatTakesLongerThanTheGraceIsCancelled()
    {
        Start();
        _queue.Add(Foo);
        var call = await NextCall();
        await _stop.CancelAsync();
        await GraceTimer();

        _time.Advance(ControllerLoop.Grace);
        await call.Cancelled.WaitAsync(Limit.OfATest);
        Assert.False(await _running.WaitAsync(Limit.OfATest));

        Assert.Equal(0, _lane!.Counters.Failed);
        Assert.Equal([LogLevel.Warning], _log.LevelsOf("CancellingReconciles"));
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task AReconcileThatIgnoresItsCancellationIsLeftBehind()
    {
        var never = new TaskCompletionSource<Outcome>();
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop = Loop((_, _) =>
        {
            called.SetResult();
            return never.Task;
        }, []);
        _running = _loop.RunAsync(_stop.Token);
        _queue.Add(Foo);
        await called.Task.WaitAsync(Limit.OfATest);
        await _stop.CancelAsync();
        _time.Advance(await GraceTimer());

        _time.Advance(await _time.NextTimer());
        Assert.False(await _running.WaitAsync(Limit.OfATest));

        Assert.Equal([LogLevel.Warning], _log.LevelsOf("AbandoningReconciles"));
    }

    [Fact]
    public async Task StoppingBeforeTheSyncEndsWithoutAnError()
    {
        var reflector = new FakeReflector("things");
        Start(1, reflector);
        await reflector.Started.Task.WaitAsync(Limit.OfATest);

        await _stop.CancelAsync();
        await _running.WaitAsync(Limit.OfATest);

        Assert.True(reflector.Ended.Task.IsCompleted);
    }

    [Fact]
    public async Task AGateThatFailsEndsTheRunAndTheReflectors()
    {
        var reflector = new FakeReflector("things");
        reflector.HasSynced();
        _loop = Loop(Reconcile, [reflector], workers: 1, _ => throw new InvalidOperationException("lost"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => _loop.RunAsync(_stop.Token).WaitAsync(Limit.OfATest));

        Assert.True(reflector.Ended.Task.IsCompleted);
    }

    private ControllerLoop Loop(
        Reconcile reconcile, IReadOnlyCollection<IReflector> reflectors, int workers = 1, Func<CancellationToken, Task>? gate = null)
    {
        _lane = new Lane("things", _queue, reconcile, workers, _time);
        return new ControllerLoop([_lane], reflectors, _log, _time, gate);
    }

    private void Start(int workers = 1, params FakeReflector[] reflectors)
    {
        _loop = Loop(Reconcile, reflectors, workers);
        _running = _loop.RunAsync(_stop.Token);
    }

    private Task<Outcome> Reconcile(ObjectKey key, CancellationToken token)
    {
        var call = new Call(key, token);
        _calls.Writer.TryWrite(call);
        return call.Result;
    }

    private Task<Call> NextCall() => _calls.Reader.ReadAsync().AsTask().WaitAsync(Limit.OfATest);

    private async Task Finish(Outcome outcome)
    {
        (await NextCall()).Answer(outcome);
        await Idle();
    }

    private async Task Fail(Exception exception)
    {
        (await NextCall()).Fail(exception);
        await Idle();
    }

    private async Task Idle()
    {
        while (_lane!.Counters.ActiveWorkers > 0)
            await Task.Yield();
    }

    // The waits for the first sync come before it.
    private async Task<TimeSpan> GraceTimer()
    {
        var timer = await _time.NextTimer();
        return timer == TimeSpan.FromSeconds(10) ? await _time.NextTimer() : timer;
    }

    private sealed class Call
    {
        private readonly TaskCompletionSource<Outcome> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Call(ObjectKey key, CancellationToken token)
        {
            (Key, Token) = (key, token);
            token.Register(() => _result.TrySetCanceled(token));
        }

        public ObjectKey Key { get; }

        public CancellationToken Token { get; }

        public Task<Outcome> Result => _result.Task;

        public Task Cancelled => _result.Task.ContinueWith(static task => Assert.True(task.IsCanceled), TaskScheduler.Default);

        public void Answer(Outcome outcome) => _result.TrySetResult(outcome);

        public void Fail(Exception exception) => _result.TrySetException(exception);
    }
}
