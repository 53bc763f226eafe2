using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Controller;

/// <summary>
/// client-go's delaying_queue_test.go, rate_limiting_queue_test.go and default_rate_limiters_test.go.
/// </summary>
public sealed class DelayedWorkQueueTests : IDisposable
{
    private static readonly ObjectKey Foo = new("ns", "foo");
    private static readonly ObjectKey Bar = new("ns", "bar");

    private readonly Clock _time = new();
    private readonly WorkQueue _queue;
    private double _random;

    public DelayedWorkQueueTests() => _queue = new WorkQueue(_time, () => _random);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public void ADelayedKeyIsNotThereBeforeItsTime()
    {
        _queue.AddAfter(Foo, Ms(50));
        Assert.Equal((0, 1), (_queue.Depth, _queue.Delayed));

        _time.Advance(Ms(49));
        Assert.Equal(0, _queue.Depth);

        _time.Advance(Ms(1));
        Assert.Equal((1, 0), (_queue.Depth, _queue.Delayed));

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, _queue.Depth);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-10)]
    public void AWallClockThatIsPutRightMovesNoKey(int hours)
    {
        _queue.AddAfter(Foo, Ms(50));
        _time.Jump = TimeSpan.FromHours(hours);

        _time.Advance(Ms(49));
        Assert.Equal(0, _queue.Depth);

        _time.Advance(Ms(1));
        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public void ADelayOfNothingIsAnAddition()
    {
        _queue.AddAfter(Foo, TimeSpan.Zero);
        _queue.AddAfter(Bar, Ms(-1));

        Assert.Equal((2, 0), (_queue.Depth, _queue.Delayed));
    }

    [Fact]
    public async Task TheEarliestOfSeveralTimesWins()
    {
        _queue.AddAfter(Foo, Ms(50));
        _queue.AddAfter(Foo, Ms(20));
        _queue.AddAfter(Foo, Ms(70));
        Assert.Equal(1, _queue.Delayed);

        _time.Advance(Ms(20));
        Assert.Equal((1, 0), (_queue.Depth, _queue.Delayed));

        await Finish();
        _time.Advance(Ms(100));
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task AnEarlierKeyFiresWhileALaterOneWaits()
    {
        _queue.AddAfter(Foo, TimeSpan.FromSeconds(1));
        _queue.AddAfter(Bar, Ms(50));

        _time.Advance(Ms(60));
        Assert.Equal(Bar, await Finish());
        Assert.Equal(0, _queue.Depth);

        _time.Advance(Ms(940));
        Assert.Equal(Foo, await Finish());
    }

    [Fact]
    public async Task KeysComeInTheOrderOfTheirTimesAndOneTimerServesThemAll()
    {
        _queue.AddAfter(new("ns", "c"), Ms(30));
        _queue.AddAfter(new("ns", "a"), Ms(10));
        _queue.AddAfter(new("ns", "b"), Ms(20));
        _queue.AddAfter(new("ns", "b2"), Ms(20));

        _time.Advance(Ms(30));

        Assert.Equal("a", (await Finish())?.Name);
        Assert.Equal("b", (await Finish())?.Name);
        Assert.Equal("b2", (await Finish())?.Name);
        Assert.Equal("c", (await Finish())?.Name);
    }

    [Fact]
    public async Task AnAdditionAtOnceLeavesTheDelayedOneInPlace()
    {
        _queue.AddAfter(Foo, Ms(50));
        _queue.Add(Foo);
        Assert.Equal(Foo, await Finish());

        _time.Advance(Ms(50));

        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public void ADelayedKeyWhoseTimeComesWhileItWaitsAlreadyIsOneLook()
    {
        _queue.AddAfter(Foo, Ms(50));
        _queue.Add(Foo);

        _time.Advance(Ms(50));

        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public void TheFarFutureIsClampedToWhatATimerCanDo()
    {
        _queue.AddAfter(Foo, TimeSpan.MaxValue);
        Assert.Equal(1, _queue.Delayed);

        _time.Advance(TimeSpan.FromDays(30));

        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public async Task ShutDownDropsDelayedKeysAndTakesNoNewOnes()
    {
        _queue.AddAfter(Foo, Ms(50));
        _queue.ShutDown();
        _queue.AddAfter(Bar, Ms(1));
        _queue.AddAfter(Bar, TimeSpan.Zero);
        _queue.AddRateLimited(Bar);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal((0, 0), (_queue.Depth, _queue.Delayed));
        Assert.Null(await _queue.GetAsync(CancellationToken.None));
    }

    [Fact]
    public void EachFailureDoublesTheDelayOfItsOwnKeyOnly()
    {
        Assert.Equal([Ms(5), Ms(10), Ms(20)], [Fail(Foo), Fail(Foo), Fail(Foo)]);
        Assert.Equal(Ms(5), Fail(Bar));
        Assert.Equal((3, 1), (_queue.Failures(Foo), _queue.Failures(Bar)));
    }

    [Fact]
    public void ForgetStartsTheBackoffAfreshAndTakesNothingOut()
    {
        Fail(Foo);
        Fail(Foo);

        _queue.Forget(Foo);

        Assert.Equal(0, _queue.Failures(Foo));
        Assert.Equal(1, _queue.Delayed);
        Assert.Equal(Ms(5), Fail(Foo));
    }

    [Fact]
    public void AThousandFailuresStayWithinFiveMinutes()
    {
        _random = 0.999;
        var delays = Enumerable.Range(0, 1000).Select(_ => Fail(Foo)).ToArray();

        Assert.All(delays, delay => Assert.InRange(delay, Ms(5), TimeSpan.FromMinutes(5)));
        Assert.True(delays[^1] > TimeSpan.FromMinutes(4.9));
    }

    [Fact]
    public async Task AThousandKeysThatFailAtOnceComeBackTenASecondAfterTheFirstHundred()
    {
        var delays = Enumerable.Range(0, 1000).Select(i => Fail(new("ns", $"k{i}"))).ToArray();

        Assert.Equal(Enumerable.Repeat(Ms(5), 100), delays[..100]);
        Assert.Equal(Enumerable.Range(1, 900).Select(i => Ms(100 * i)), delays[100..]);
        await Advance(Ms(5), back: 100);
        await Advance(TimeSpan.FromSeconds(10) - Ms(5), back: 100);
        await Advance(TimeSpan.FromSeconds(80), back: 800);
    }

    [Fact]
    public void AKeyThatFailsAloneIsAsFastAsItsBackoff()
    {
        for (var failures = 0; failures < 20; failures++)
        {
            var delay = Fail(Foo);
            Assert.Equal(Backoff.Retry.Delay(failures, 0), delay);
            _time.Advance(delay);
        }
    }

    [Fact]
    public void WhenAllIsQuietAgainAHundredMayFailAtOnce()
    {
        for (var i = 0; i < 1000; i++)
            Fail(new("ns", $"k{i}"));

        _time.Advance(TimeSpan.FromSeconds(100));

        Assert.Equal(Enumerable.Repeat(Ms(5), 100), Enumerable.Range(0, 100).Select(i => Fail(new("ns", $"other-{i}"))));
        Assert.Equal(Ms(100), Fail(Foo));
    }

    /// <summary>Somebody edits it again and again, and each look fails.</summary>
    [Fact]
    public void AKeyThatFailsMoreOftenThanItIsTriedAgainDoesNotPutTheOthersOff()
    {
        for (var i = 0; i < 10_000; i++)
            Fail(Foo);

        Assert.InRange(Fail(Bar), Ms(5), Ms(200));
    }

    [Fact]
    public void AFailedKeyComesBackAfterItsDelay()
    {
        _random = 0.5;
        Assert.Equal(Ms(5.5), Fail(Foo));

        _time.Advance(Ms(5));
        Assert.Equal(0, _queue.Depth);
        _time.Advance(Ms(1));
        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public void RetriesCountsWhatWasDelayedAndAddsWhatBecameReady()
    {
        _queue.Add(Bar);
        _queue.AddAfter(Foo, Ms(1));
        Fail(Foo);
        Assert.Equal((1, 2), (_queue.Adds, _queue.Retries));

        _time.Advance(Ms(10));
        Assert.Equal((2, 2), (_queue.Adds, _queue.Retries));
    }

    private static TimeSpan Ms(double value) => TimeSpan.FromMilliseconds(value);

    private TimeSpan Fail(ObjectKey key) => _queue.AddRateLimited(key);

    private async Task Advance(TimeSpan time, int back)
    {
        _time.Advance(time);
        Assert.Equal(back, _queue.Depth);
        for (var i = 0; i < back; i++)
            await Finish();
    }

    private async Task<ObjectKey?> Finish()
    {
        var key = await _queue.GetAsync(CancellationToken.None).AsTask().WaitAsync(Limit.OfATest);
        _queue.Done(key!.Value);
        return key;
    }
}
