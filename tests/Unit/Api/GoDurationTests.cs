using McpOperator.Api;

namespace McpOperator.Unit.Api;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("24h", 86_400_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData(".5s", 500)]
    [InlineData("+1m", 60_000)]
    [InlineData("2ms", 2)]
    [InlineData("3000µs", 3)]
    [InlineData("3000000ns", 3)]
    public void ReadsWhatGoReads(string text, double milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var value));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("24")]
    [InlineData("h")]
    [InlineData("1d")]
    [InlineData("1 h")]
    [InlineData("-1h")]
    [InlineData("1h 30m")]
    [InlineData("1..5s")]
    [InlineData(".s")]
    [InlineData("99999999999h")]
    [InlineData("9999999999999999999999999999999h")]
    public void RefusesTheRest(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
