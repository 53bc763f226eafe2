using System.Net;

namespace McpOperator.Envtest.Faults;

/// <summary>Watches break, lie and are refused; the operator misses nothing and does not shout.</summary>
public sealed class WatchFaultTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task AStreamThatBreaksInTheMiddleOfALineGoesOnWithThatLine()
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane);
        using var fault = scenario.Front.FailEvents(IsWatchOf(Resource.MCPServers), CutAsync, times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync();
        AssertLists(scenario, 0);
    }

    [Theory]
    [InlineData("""{"type":"MODIFIED","object":{"metadata":""")]
    [InlineData("""{"type":"MODIFIED","object":{}}""")]
    [InlineData("""{"type":"MODIFIED","object":null}""")]
    [InlineData("""{"type":"ERROR","object":{"kind":"MCPServer"}}""")]
    [InlineData("<html>502 Bad Gateway</html>")]
    [InlineData("null")]
    public async Task ALineThatIsNoEventIsNotBelievedAndTheEventBehindItIsNotMissed(string line)
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane);
        using var fault = scenario.Front.FailEvents(IsWatchOf(Resource.MCPServers), InsteadAsync(line), times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync("ReflectorFailed");
    }

    [Fact]
    public async Task AWatchThatExpiresInTheStreamIsListedAnewAndNothingIsWritten()
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane);
        using var fault = scenario.Front.FailEvents(
            IsWatchOf(Resource.MCPServers),
            InsteadAsync("""{"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}}"""),
            times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync();
        AssertLists(scenario, 1);
    }

    [Fact]
    public async Task AWatchThatIsRefusedAsExpiredIsListedAnewAndNothingIsWritten()
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane);
        using var fault = scenario.Front.Fail(
            IsWatchOf(Resource.MCPServers), exchange => exchange.RefuseAsync(HttpStatusCode.Gone, "Expired"), times: 1);

        await BreakWatchesAsync(scenario);
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync();
        AssertLists(scenario, 1);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "InternalError")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable")]
    [InlineData(HttpStatusCode.TooManyRequests, "TooManyRequests")]
    public async Task AWatchThatIsRefusedForAWhileIsOneWarningAndNoList(HttpStatusCode code, string reason)
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane);
        using var fault = scenario.Front.Fail(IsWatchOf(Resource.MCPServers), exchange => exchange.RefuseAsync(code, reason), times: 2);

        await BreakWatchesAsync(scenario);
        await fault.WaitAsync(2);

        await scenario.AssertRecoveredAsync("ReflectorFailed");
        Assert.Single(scenario.Complaints);
        AssertLists(scenario, 0);
    }

    [Fact]
    public async Task AWatchThatIsToldWhenToComeBackDoesSoWithoutAWord()
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane);
        using var fault = scenario.Front.Fail(
            request => request.IsWatch, exchange => exchange.RefuseAsync(HttpStatusCode.TooManyRequests, "TooManyRequests", retryAfter: 1), times: 6);

        await BreakWatchesAsync(scenario);
        await fault.WaitAsync(6);

        await scenario.AssertRecoveredAsync();
        AssertLists(scenario, 0);
    }

    [Fact]
    public async Task AWatchThatFallsSilentWhileTheServerAnswersIsBegunAgainWhereItStopped()
    {
        await using var scenario = await FaultScenario.StartAsync(_controlPlane, "--watch-timeout", "1s");
        using var fault = scenario.Front.FailEvents(IsWatchOf(Resource.MCPServers), HangAsync, times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync();
        AssertLists(scenario, 0);
    }

    private static Func<FrontRequest, bool> IsWatchOf(Resource resource) => request => request.IsWatch && request.IsOf(resource);

    /// <summary>Has every watch begun anew, and expects that this alone is no reason to list.</summary>
    private static async Task BreakWatchesAsync(FaultScenario scenario)
    {
        // What ends within its first second is something else: a watch that does not work.
        await scenario.WatchesLastAsync();
        scenario.Front.Wire.Reset();
    }

    private static void AssertLists(FaultScenario scenario, int again) => Assert.Equal(
        1 + again, scenario.Front.Requests.Count(request => request.IsList && request.IsOf(Resource.MCPServers)));

    private static async Task<bool> CutAsync(Exchange exchange, string line)
    {
        await exchange.WriteAsync(line[..(line.Length / 2)]);
        exchange.Abort();
        return false;
    }

    /// <summary>Neither this event nor another one, nor the end.</summary>
    private static async Task<bool> HangAsync(Exchange exchange, string line)
    {
        await Task.Delay(Timeout.Infinite, exchange.Cancellation);
        return false;
    }

    private static Func<Exchange, string, Task<bool>> InsteadAsync(string line) => async (exchange, _) =>
    {
        await exchange.WriteAsync(line + '\n');
        return true;
    };
}
