using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Controller;

public sealed class WatchFaultTests
{
    [Theory]
    [InlineData(410, "Expired", nameof(WatchFault.Expired))]
    [InlineData(410, "Gone", nameof(WatchFault.Expired))]
    [InlineData(0, "Expired", nameof(WatchFault.Expired))]
    [InlineData(429, "TooManyRequests", nameof(WatchFault.TooManyRequests))]
    [InlineData(500, "InternalError", nameof(WatchFault.ServerError))]
    [InlineData(0, "InternalError", nameof(WatchFault.ServerError))]
    [InlineData(503, "ServiceUnavailable", nameof(WatchFault.ServerError))]
    [InlineData(504, "Timeout", nameof(WatchFault.ServerError))]
    [InlineData(401, "Unauthorized", nameof(WatchFault.Refused))]
    [InlineData(403, "Forbidden", nameof(WatchFault.Refused))]
    [InlineData(404, "NotFound", nameof(WatchFault.Refused))]
    public void RefusalsAreSortedByCodeAndReason(int code, string reason, string expected) =>
        Assert.Equal(expected, WatchFaults.Of(Refusals.Of(code, reason)).ToString());

    [Fact]
    public void ATooLargeVersionIsNoMereTimeout() =>
        Assert.Equal(WatchFault.TooLargeVersion, WatchFaults.Of(new ApiException(Refusals.TooLarge, "GET /")));

    [Fact]
    public void WhatHappensOnTheWayIsUnreachableAndTheRestIsUnexpected()
    {
        Assert.Equal(WatchFault.Unreachable, WatchFaults.Of(new HttpRequestException("Connection refused")));
        Assert.Equal(WatchFault.Unreachable, WatchFaults.Of(new IOException("reset")));
        Assert.Equal(WatchFault.Unreachable, WatchFaults.Of(new TaskCanceledException("HttpClient.Timeout")));
        Assert.Equal(WatchFault.Unexpected, WatchFaults.Of(new FormatException()));
    }
}
