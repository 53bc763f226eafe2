using McpOperator.Controller;

namespace McpOperator.Unit.Controller;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(0, 800)]
    [InlineData(1, 1_600)]
    [InlineData(5, 25_600)]
    [InlineData(6, 30_000)]
    [InlineData(int.MaxValue, 30_000)]
    public void TheWatchBackoffDoublesUpToHalfAMinute(int failures, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Backoff.Watch.Delay(failures, 0));

    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    [InlineData(15, 163_840)]
    [InlineData(16, 250_000)]
    [InlineData(int.MaxValue, 250_000)]
    public void TheRetryBackoffStartsAtFiveMillisecondsAndDoubles(int failures, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Backoff.Retry.Delay(failures, 0));

    [Fact]
    public void JitterOnlyAddsAndTheRetryBackoffNeverExceedsFiveMinutes()
    {
        Assert.Equal(TimeSpan.FromMinutes(5), Backoff.Retry.Delay(100, 1));
        Assert.Equal(TimeSpan.FromSeconds(60), Backoff.Watch.Delay(100, 1));
        Assert.Equal(TimeSpan.FromMilliseconds(5.5), Backoff.Retry.Delay(0, 0.5));
    }

    [Fact]
    public void TwoMinutesWithoutAFailureStartItAfresh()
    {
        var progress = default(BackoffProgress);
        (_, progress) = Backoff.Watch.Next(progress, TimeSpan.FromSeconds(10), 0);
        (var second, progress) = Backoff.Watch.Next(progress, TimeSpan.FromSeconds(130), 0);
        (var third, _) = Backoff.Watch.Next(progress, TimeSpan.FromSeconds(251), 0);

        Assert.Equal(TimeSpan.FromMilliseconds(1_600), second);
        Assert.Equal(TimeSpan.FromMilliseconds(800), third);
    }
}
