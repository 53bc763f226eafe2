using McpOperator.Controller;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Controller;

/// <summary>client-go's util/workqueue/queue_test.go, and what a queue of tasks adds to it.</summary>
public sealed class WorkQueueTests : IDisposable
{
    private static readonly ObjectKey Foo = new("ns", "foo");
    private static readonly ObjectKey Bar = new("ns", "bar");

    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue _queue;

    public WorkQueueTests() => _queue = new(_time, () => 0);

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task KeysComeOutInTheOrderInWhichTheyWereAdded()
    {
        _queue.Add(Foo);
        _queue.Add(Bar);

        Assert.Equal(Foo, await Get());
        Assert.Equal(Bar, await Get());
    }

    [Fact]
    public async Task AnEditOvertakesWhatChangedAndBothOvertakeWhatAListFound()
    {
        var listed = new ObjectKey("ns", "listed");
        _queue.Add(listed, Priority.Listed);
        _queue.Add(Foo, Priority.Listed);
        _queue.Add(Bar);
        _queue.Add(Foo, Priority.Edited);
        _queue.Add(Foo, Priority.Listed);
        Assert.Equal(3, _queue.Depth);

        Assert.Equal([Foo, Bar, listed], [await Get(), await Get(), await Get()]);
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task AKeyWaitsFromItsFirstAddition()
    {
        _queue.Add(Foo, Priority.Listed);
        Pass(seconds: 1);
        _queue.Add(Foo);
        Pass(seconds: 2);
        _queue.Add(Foo, Priority.Edited);
        Pass(seconds: 4);
        await Get();
        Assert.Equal(7, _queue.Waits.Sum);

        // Another worker has it: that is a wait, too.
        _queue.Add(Foo);
        Pass(seconds: 8);
        _queue.Done(Foo);
        Pass(seconds: 16);
        await Get();
        Assert.Equal(7 + 24, _queue.Waits.Sum);

        void Pass(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task ABurstOfAdditionsIsOneLook()
    {
        for (var i = 0; i < 100; i++)
            _queue.Add(Foo);

        Assert.Equal(1, _queue.Depth);
        Assert.Equal(1, _queue.Adds);
        Assert.Equal(Foo, await Get());
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task AKeyAddedWhileProcessedIsNotGivenToASecondWorkerButComesBackAfterDone()
    {
        _queue.Add(Foo);
        await Get();
        _queue.Add(Foo);
        _queue.Add(Foo);
        Assert.Equal(0, _queue.Depth);

        _queue.Done(Foo);

        Assert.Equal(1, _queue.Depth);
        Assert.Equal(Foo, await Get());
        _queue.Done(Foo);
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task AKeyThatIsDoneAndWasNotAddedAgainStaysOut()
    {
        _queue.Add(Foo);
        await Get();
        _queue.Done(Foo);
        _queue.Done(Foo);

        Assert.Equal(0, _queue.Depth);
        _queue.Add(Foo);
        Assert.Equal(Foo, await Get());
    }

    [Fact]
    public async Task AGetterWaitsForTheNextKey()
    {
        var get = Get();
        Assert.False(get.IsCompleted);

        _queue.Add(Foo);

        Assert.Equal(Foo, await get);
    }

    [Fact]
    public async Task ACancelledGetterTakesNoKeyWithIt()
    {
        using var cancel = new CancellationTokenSource();
        var get = _queue.GetAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);

        _queue.Add(Foo);

        Assert.Equal(Foo, await Get());
    }

    [Fact]
    public async Task ShutDownLetsWaitingKeysOutAndThenTellsEveryGetter()
    {
        _queue.Add(Foo);
        _queue.Add(Bar);
        _queue.ShutDown();
        _queue.Add(new ObjectKey("ns", "added after shutdown!"));

        Assert.Equal(Foo, await Get());
        Assert.Equal(Bar, await Get());
        Assert.Null(await Get());
        Assert.Null(await Get());
    }

    [Fact]
    public async Task ShutDownWakesEveryGetterThatWaits()
    {
        var getters = Enumerable.Range(0, 5).Select(_ => Get()).ToArray();

        _queue.ShutDown();
        _queue.ShutDown();

        Assert.All(await Task.WhenAll(getters), Assert.Null);
    }

    [Fact]
    public async Task AKeyThatWasAddedBeforeTheShutdownWhileProcessedDrainsToo()
    {
        _queue.Add(Foo);
        await Get();
        _queue.Add(Foo);
        _queue.ShutDown();
        Assert.Null(await Get());

        _queue.Done(Foo);

        Assert.Equal(Foo, await Get());
        _queue.Done(Foo);
        Assert.Null(await Get());
    }

    [Fact]
    public async Task ManyProducersAndConsumersLoseNothingAndNeverShareAKey()
    {
        const int Keys = 50;
        var last = new int[Keys];
        var seen = new int[Keys];
        var inWork = new int[Keys];
        var consumers = Enumerable.Range(0, 10).Select(_ => Task.Run(async () =>
        {
            while (await _queue.GetAsync(CancellationToken.None) is { } key)
            {
                var index = int.Parse(key.Name, System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal(1, Interlocked.Increment(ref inWork[index]));
                Volatile.Write(ref seen[index], Volatile.Read(ref last[index]));
                await Task.Yield();
                Interlocked.Decrement(ref inWork[index]);
                _queue.Done(key);
            }
        })).ToArray();
        var producers = Enumerable.Range(0, Keys).Select(index => Task.Run(async () =>
        {
            for (var i = 1; i <= 50; i++)
            {
                Volatile.Write(ref last[index], i);
                _queue.Add(new ObjectKey("ns", index.ToString(System.Globalization.CultureInfo.InvariantCulture)));
                await Task.Yield();
            }
        }));

        await Task.WhenAll(producers).WaitAsync(Limit.OfATest);
        _queue.ShutDown();
        await Task.WhenAll(consumers).WaitAsync(Limit.OfATest);

        Assert.All(seen, value => Assert.Equal(50, value));
        Assert.Equal(0, _queue.Depth);
    }

    private Task<ObjectKey?> Get() => _queue.GetAsync(CancellationToken.None).AsTask().WaitAsync(Limit.OfATest);
}
