using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class ApiErrorTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("", "")]
    [InlineData("no pointer in 0xc0 here", "no pointer in 0xc0 here")]
    [InlineData("LocalhostProfile:(*string)(0xc002937e00)}: can only", "LocalhostProfile:(*string)(0x…)}: can only")]
    [InlineData("(0xc01)(0xC02), (0x", "(0x…)(0x…), (0x…")]
    public void AMessageReadsTheSameEachTimeForTheSameReason(string? message, string? expected) =>
        Assert.Equal(expected, ApiError.WithoutAddresses(message));
}
