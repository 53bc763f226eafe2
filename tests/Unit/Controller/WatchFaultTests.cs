using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Controller;

public sealed class WatchFaultTests
{
    [Theory]
    [InlineData(410, "Expired", WatchFault.Expired)]
    [InlineData(410, "Gone", WatchFault.Expired)]
    [InlineData(0, "Expired", WatchFault.Expired)]
    [InlineData(429, "TooManyRequests", WatchFault.TooManyRequests)]
    [InlineData(500, "InternalError", WatchFault.ServerError)]
    [InlineData(0, "InternalError", WatchFault.ServerError)]
    [InlineData(503, "ServiceUnavailable", WatchFault.ServerError)]
    [InlineData(504, "Timeout", WatchFault.ServerError)]
    [InlineData(401, "Unauthorized", WatchFault.Refused)]
    [InlineData(403, "Forbidden", WatchFault.Refused)]
    [InlineData(404, "NotFound", WatchFault.Refused)]
    public void RefusalsAreSortedByCodeAndReason(int code, string reason, WatchFault expected) =>
        Assert.Equal(expected, WatchFaults.Of(Refusals.Of(code, reason)));

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
