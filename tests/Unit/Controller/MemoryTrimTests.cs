using McpOperator.Controller;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Controller;

[Collection(nameof(Alone))]
public sealed class MemoryTrimTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryTrim _trim;
    private bool _isIdle = true;

    public MemoryTrimTests() => _trim = new MemoryTrim(() => _isIdle, _time);

    public void Dispose() => _trim.Dispose();

    [Fact]
    public void TheFirstRestGivesMemoryBack() => Assert.Equal(1, Collections(Rest));

    [Fact]
    public void APauseThatEndsBeforeItsTimeIsNoRest()
    {
        _isIdle = false;
        Assert.Equal(0, Collections(Rest));

        _isIdle = true;
        Assert.Equal(1, Collections(Rest));
    }

    [Fact]
    public void AnotherOneHasToBeWorthIt()
    {
        Rest();

        Assert.Equal(0, Collections(Rest));

        // More than a collection is worth, of the large object heap: garbage at once.
        GC.KeepAlive(new byte[20 * 1024 * 1024]);
        Assert.Equal(1, Collections(Rest));
    }

    [Fact]
    public void ATrickleOfEventsDoesNotPutItOff()
    {
        Assert.Equal(1, Collections(() =>
        {
            for (var i = 0; i < 4; i++)
            {
                _trim.Idle();
                _time.Advance(TimeSpan.FromMilliseconds(600));
            }
        }));
    }

    private void Rest()
    {
        _trim.Idle();
        _time.Advance(TimeSpan.FromSeconds(3));
    }

    /// <summary>Of the oldest generation, which an allocation alone hardly ever causes.</summary>
    private static int Collections(Action action)
    {
        var before = GC.CollectionCount(GC.MaxGeneration);
        action();
        return GC.CollectionCount(GC.MaxGeneration) - before;
    }
}
