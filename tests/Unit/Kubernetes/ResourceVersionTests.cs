using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class ResourceVersionTests
{
    [Theory]
    [InlineData("2", "1", true)]
    [InlineData("10", "9", true)]
    [InlineData("1", "1", false)]
    [InlineData("1", "2", false)]
    [InlineData("", "1", false)]
    [InlineData("2", "abc", false)]
    [InlineData("2", "0", false)]
    public void NewerMeansALargerDecimalInteger(string left, string right, bool expected) =>
        Assert.Equal(expected, ResourceVersion.IsNewer(left, right));
}
