namespace McpOperator.Envtest.Faults;

/// <summary>The wire is cut, goes dead, and is slow.</summary>
public sealed class ConnectionFaultTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task ConnectionsThatAreResetAgainAndAgainCostNothingButNewOnes()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        for (var i = 0; i < 3; i++)
        {
            await scenario.WatchesLastAsync();
            scenario.Front.Wire.Reset();
            await scenario.EditAsync();
        }

        // A write that was on its way when the wire was cut may be said to have failed.
        await scenario.AssertRecoveredAsync("NotReached");
        Assert.DoesNotContain(scenario.Front.Requests.Skip(2 * Crowd.Kinds.Count), request => request.IsList);
    }

    [Fact]
    public async Task AHalfOpenConnectionIsNoticedByItsPingsWithinAMinute()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        await scenario.WatchesLastAsync();
        var connections = scenario.Front.Wire.Accepted;
        scenario.Front.Wire.Forget();

        await scenario.EditAsync();

        // 30 s without a sign of life, and 15 s for the answer to a ping; far below the watch's own end.
        await Eventually.TrueAsync(
            "the operator connected anew", () => Task.FromResult(scenario.Front.Wire.Accepted), count => count > connections, TimeSpan.FromSeconds(90));
        await scenario.AssertRecoveredAsync();
        // Other tests may have written so much meanwhile that the API server has forgotten where one of the watches was.
        var expired = scenario.Servers.Operator!.Log.Count(entry => (string?)entry["fault"] == "Expired");
        Assert.Equal(expired, scenario.Front.Requests.Skip(2 * Crowd.Kinds.Count).Count(request => request.IsList));
    }

    [Fact]
    public async Task AnApiServerThatTakesItsTimeIsWaitedForAndEachWriteIsSentOnce()
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var scenario = await FaultScenario.BeginAsync(fixture.ControlPlane, [], front => front.Fail(_ => true, async exchange =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(400), exchange.Cancellation);
            await exchange.ForwardAsync();
        }));
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"web-{i}")];

        await Crowd.CreateAsync(scenario.Servers, names);

        await scenario.AssertRecoveredAsync();
    }
}
