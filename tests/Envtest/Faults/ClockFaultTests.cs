using System.Globalization;
using System.Net;

namespace McpOperator.Envtest.Faults;

/// <summary>Somebody sets the clock of the machine that the operator runs on.</summary>
public sealed class ClockFaultTests(ControlPlaneFixture fixture)
{
    private static readonly Resource Sessions = Resource.MCPAgentSessions;
    private static readonly TimeSpan Hours = TimeSpan.FromHours(3);

    [Fact]
    public async Task AWallClockThatJumpsCostsNoListAndNoWriteAndIsTheClockOfSessions()
    {
        fixture.RequireOwn("the audit log");
        using var clock = await WallClock.CreateAsync();
        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, await TestNamespace.CreateAsync(fixture.ControlPlane), clock.Of(new()
        {
            Arguments = ServerScenario.OneWorker,
            Environment = ServerScenario.Permissive,
        }));
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("g");
        var expiry = DateTime.UtcNow.AddHours(1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        await scenario.CreateSessionAsync("s", $"subject: {{agentID: a}}, expiresAt: '{expiry}'");
        await scenario.IsAcceptedAsync("g");
        await scenario.IsToldAsync(Sessions, "s", "Accepted", "Accepted");
        await scenario.AccessPassAsync();
        var lists = await ListsAsync();
        var before = (await scenario.AllWritesAsync()).Count;

        clock.Put(-Hours);
        await HoldsAsync(-Hours);
        Assert.Equal(before, (await scenario.AllWritesAsync()).Count);

        clock.Put(Hours);
        await HoldsAsync(Hours);
        Assert.Equal($"Expired at {expiry}", (string?)(await scenario.IsToldAsync(Sessions, "s", "Expired", "Expired"))["message"]);
        Assert.Equal(["s"], Gateways.NamesIn(await scenario.PolicyAsync(), "sessions"));

        clock.Put(TimeSpan.Zero);
        await HoldsAsync(TimeSpan.Zero);
        await scenario.IsToldAsync(Sessions, "s", "Accepted", "Accepted");
        Assert.Equal(["s"], Gateways.NamesIn(await scenario.PolicyAsync(), "sessions"));

        Assert.Equal(lists, await ListsAsync());
        Assert.Empty(scenario.Operator!.Complaints);

        async Task<int> ListsAsync() => (await scenario.Namespace.OperatorRequestsAsync()).Count(request => request.Verb == "list");

        // All servers and sessions are looked at, by an operator that has the time that was set.
        async Task HoldsAsync(TimeSpan afterTheTruth)
        {
            await scenario.PassAsync();
            await scenario.AccessPassAsync();
            var told = (DateTimeOffset)scenario.Operator!.Log.Last()["ts"]!;
            Assert.Equal((HttpStatusCode.OK, "ok"), await scenario.Operator.GetAsync("/healthz"));
            Assert.InRange(told - DateTimeOffset.UtcNow, afterTheTruth - TimeSpan.FromMinutes(5), afterTheTruth + TimeSpan.FromMinutes(5));
        }
    }

    [Fact]
    public async Task ALeaderWhoseClockIsPutBackLeadsOnAndOneWhoseClockIsPutForwardEndsWithoutAWrite()
    {
        fixture.RequireOwn("the audit log, and a user for each operator");
        using var clock = await WallClock.CreateAsync();
        await using var pair = await Pair.StartAsync(fixture.ControlPlane, LeaderElectionTests.Timing("15s", "12s"), clock.Of);
        await pair.Scenario.CreateServerAsync(Crowd.Spec);
        await pair.Scenario.SettledAsync();

        clock.Put(-Hours);
        await Eventually.TrueAsync(
            "the lease was renewed at the time that was set", pair.LeaseAsync, lease => (DateTimeOffset)lease["spec"]!["renewTime"]! < DateTimeOffset.UtcNow - (Hours / 2));
        await pair.Scenario.EditAndSettleAsync("{replicas: 2}");
        Assert.False(pair.First.Exited.IsCompleted);
        Assert.DoesNotContain(pair.Second.Log, entry => (string?)entry["event"] == "LeaseAcquired");

        // From three hours ago to now: as if it had been suspended for so long.
        clock.Put(TimeSpan.Zero);
        Assert.Equal(1, await pair.First.Exited.WaitAsync(Eventually.Limit));
        Assert.Single(pair.First.Log, entry => (string?)entry["event"] == "LeaseLost");
        await pair.Scenario.EditServerAsync("{replicas: 3}");
        await pair.Second.WaitForLogAsync("LeaseAcquired");
        await pair.Scenario.SettledAsync();
        await pair.AssertOneWriterAfterTheOtherAsync();
    }
}
