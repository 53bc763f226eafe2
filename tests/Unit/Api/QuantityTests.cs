using McpOperator.Api;

namespace McpOperator.Unit.Api;

public sealed class QuantityTests
{
    // What a Kubernetes API server made of each in a Deployment's memory limit.
    [Theory]
    [InlineData("0", "0")]
    [InlineData("0Mi", "0")]
    [InlineData("0.5", "500m")]
    [InlineData(".5", "500m")]
    [InlineData("1000m", "1")]
    [InlineData("1100m", "1100m")]
    [InlineData("1500m", "1500m")]
    [InlineData("1.1", "1100m")]
    [InlineData("1.0", "1")]
    [InlineData("1.000", "1")]
    [InlineData("1000", "1k")]
    [InlineData("1500", "1500")]
    [InlineData("100000", "100k")]
    [InlineData("1000000k", "1G")]
    [InlineData("250M", "250M")]
    [InlineData("0.000000001G", "1")]
    [InlineData("1E", "1E")]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("1024Ki", "1Mi")]
    [InlineData("65536Ki", "64Mi")]
    [InlineData("1536Mi", "1536Mi")]
    [InlineData("1000Mi", "1000Mi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("0.5Gi", "512Mi")]
    [InlineData("1.5Ki", "1536")]
    [InlineData("0.5Ki", "512")]
    [InlineData("0.001Ki", "1024m")]
    [InlineData("7Ei", "7Ei")]
    [InlineData("1023", "1023")]
    [InlineData("1024", "1024")]
    [InlineData("67108864", "67108864")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("0.1Gi", "107374182400m")]
    [InlineData("0.0001Gi", "107374183m")]
    [InlineData("1.23456789012345Gi", "1325607178193m")]
    [InlineData("123456789012345678.9m", "123456789012345679m")]
    [InlineData("1.00000000000000001", "1001m")]
    [InlineData("0.1m", "1m")]
    [InlineData("100u", "1m")]
    [InlineData("1n", "1m")]
    [InlineData("1500u", "2m")]
    [InlineData("1000000n", "1m")]
    [InlineData("0.0000000001", "1m")]
    [InlineData(" 1Gi ", "1Gi")]
    public void PrintsWhatTheApiServerStores(string text, string canonical) =>
        Assert.Equal(canonical, Quantity.Parse(text).ToString());

    // The API server keeps these spellings; ours has the same value and is kept by it, too.
    [Theory]
    [InlineData("1e3", "1k")]
    [InlineData("1E3", "1k")]
    [InlineData("1e+3", "1k")]
    [InlineData("12e-1", "1200m")]
    [InlineData("5e0", "5")]
    [InlineData("+1", "1")]
    [InlineData("5.", "5")]
    [InlineData("00500m", "500m")]
    public void PrintsOtherSpellingsOfTheSameAmountAlike(string text, string canonical) =>
        Assert.Equal(canonical, Quantity.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("-1")]
    [InlineData("Mi")]
    [InlineData(".")]
    [InlineData("+")]
    [InlineData("1K")]
    [InlineData("1ki")]
    [InlineData("1mi")]
    [InlineData("1 Gi")]
    [InlineData("1e")]
    [InlineData("1e3.5")]
    [InlineData("1e3Mi")]
    [InlineData("1e+-3")]
    [InlineData("1e100")]
    [InlineData("1Mi1")]
    [InlineData("1..5")]
    [InlineData("1.5.5")]
    [InlineData("1,5")]
    [InlineData("٣")]
    [InlineData("0x10")]
    [InlineData("8Ei")]
    [InlineData("10E")]
    [InlineData("9223372036854775808")]
    [InlineData("999999999999999999999999999999999999999999999999")]
    public void RefusesWhatIsNoAmount(string? text)
    {
        Assert.False(Quantity.TryParse(text, out _, out var reason));
        Assert.NotEmpty(reason!);
        Assert.Throws<FormatException>(() => Quantity.Parse(text ?? ""));
    }

    [Fact]
    public void ManyZerosSayNothing()
    {
        Assert.Equal("1", Quantity.Parse("1." + new string('0', 500)).ToString());
        Assert.Equal("1m", Quantity.Parse("0." + new string('0', 30) + "1").ToString());
    }

    [Theory]
    [InlineData("1", "1000m", 0)]
    [InlineData("1Ki", "1k", 1)]
    [InlineData("1Gi", "1025Mi", -1)]
    [InlineData("7Ei", "7E", 1)]
    [InlineData("0", "1m", -1)]
    public void ComparesAmountsNotSpellings(string left, string right, int sign)
    {
        var (l, r) = (Quantity.Parse(left), Quantity.Parse(right));
        Assert.Equal(sign, Math.Sign(l.CompareTo(r)));
        Assert.Equal(sign < 0, l < r);
        Assert.Equal(sign > 0, l > r);
        Assert.Equal(sign == 0, l == r);
    }
}
