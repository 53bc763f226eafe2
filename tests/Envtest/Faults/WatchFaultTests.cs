namespace McpOperator.Envtest.Faults;

/// <summary>Watches break, lie and are refused; the operator misses nothing and does not shout.</summary>
public sealed class WatchFaultTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task AStreamThatBreaksInTheMiddleOfALineGoesOnWithThatLine()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.FailEvents(IsWatchOf(Resource.MCPServers), CutAsync, times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync();
        Assert.Equal(1, scenario.Front.Requests.Count(request => request.IsList && request.IsOf(Resource.MCPServers)));
    }

    [Theory]
    [InlineData("{\"type\":\"MODIFIED\",\"object\":{\"metadata\":")]
    [InlineData("<html>502 Bad Gateway</html>")]
    [InlineData("{\"kind\":\"Status\"}")]
    [InlineData("null")]
    public async Task ALineThatIsNoEventIsNotBelievedAndTheEventBehindItIsNotMissed(string line)
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.FailEvents(IsWatchOf(Resource.MCPServers), InsteadAsync(line), times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync("ReflectorFailed");
    }

    internal static Func<FrontRequest, bool> IsWatchOf(Resource resource) => request => request.IsWatch && request.IsOf(resource);

    private static async Task<bool> CutAsync(Exchange exchange, string line)
    {
        await exchange.WriteAsync(line[..(line.Length / 2)]);
        exchange.Abort();
        return false;
    }

    private static Func<Exchange, string, Task<bool>> InsteadAsync(string line) => async (exchange, _) =>
    {
        await exchange.WriteAsync(line + '\n');
        return true;
    };
}
