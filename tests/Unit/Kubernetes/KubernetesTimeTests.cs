using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class KubernetesTimeTests
{
    [Theory]
    [InlineData(0, "2026-03-26T10:00:00.000000Z")]
    [InlineData(10, "2026-03-26T10:00:00.000001Z")]
    [InlineData(9, "2026-03-26T10:00:00.000000Z")]
    [InlineData(5_000_000, "2026-03-26T10:00:00.500000Z")]
    [InlineData(9_999_999, "2026-03-26T10:00:00.999999Z")]
    public void AMicroTimeHasSixDigits(long ticks, string expected) => Assert.Equal(
        expected, KubernetesTime.FormatMicro(new DateTimeOffset(2026, 3, 26, 12, 0, 0, TimeSpan.FromHours(2)).AddTicks(ticks)));

    [Theory]
    [InlineData("2026-03-26T12:00:00Z", "2026-03-26T12:00:00Z")]
    [InlineData("2026-03-26T12:00:00+05:30", "2026-03-26T06:30:00Z")]
    [InlineData("2026-03-26T23:59:59-01:00", "2026-03-27T00:59:59Z")]
    [InlineData("2026-03-26T12:00:00.9Z", "2026-03-26T12:00:00Z")]
    [InlineData("2026-03-26T12:00:00.123456789012+00:00", "2026-03-26T12:00:00Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z")]
    [InlineData("9999-12-31T23:59:59-01:00", null)]
    [InlineData("2026-02-30T12:00:00Z", null)]
    [InlineData("2026-03-26T24:00:00Z", null)]
    [InlineData("2026-03-26T12:00:00", null)]
    [InlineData("2026-03-26T12:00:00.Z", null)]
    [InlineData("2026-03-26T12:00:00.5", null)]
    [InlineData("2026-03-26T12:00:00+5:30", null)]
    [InlineData("2026-03-26T12:00:00+0530", null)]
    [InlineData("2026-03-26T12:00:00+05:30Z", null)]
    [InlineData("2026-03-26T12:00:00z", null)]
    [InlineData("2026-03-26 12:00:00Z", null)]
    [InlineData(" 2026-03-26T12:00:00Z", null)]
    [InlineData("2026-03-26T12:00:00Z ", null)]
    [InlineData("2026-03-26T12:00Z", null)]
    [InlineData("2026-03-26", null)]
    [InlineData("12:00:00", null)]
    [InlineData("Thu, 26 Mar 2026 12:00:00 GMT", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void ATimeIsRfc3339AndNothingElse(string? text, string? utc)
    {
        Assert.Equal(utc is not null, KubernetesTime.TryParse(text, out var time));
        if (utc is not null)
            Assert.Equal((utc, TimeSpan.Zero), (KubernetesTime.Format(time), time.Offset));
    }
}
