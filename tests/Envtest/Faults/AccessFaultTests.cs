namespace McpOperator.Envtest.Faults;

/// <summary>The operator loses its access, and gets it back without a restart.</summary>
public sealed class AccessFaultTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task ATokenThatWasRotatedInItsFileIsReadAgainAtTheFirstRefusal()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        scenario.Front.RevokeToken();
        await scenario.Front.WriteTokenAsync();

        await scenario.AssertRecoveredAsync();

        Assert.Contains(scenario.Front.Requests, request => request.Code == 0); // it was refused
    }

    [Fact]
    public async Task ATokenThatIsRotatedTooLateIsOneWarningAKindAndThenWorks()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        scenario.Front.RevokeToken();
        await scenario.WatchesLastAsync();
        scenario.Front.Wire.Reset();
        await scenario.EditAsync();
        await Eventually.TrueAsync(
            "every kind's watch was refused twice",
            () => Task.FromResult(Crowd.Kinds.Select(kind => scenario.Front.Requests.Count(request => request.IsOf(kind) && request is { Code: 0 }))),
            counts => counts.All(count => count >= 2));

        await scenario.Front.WriteTokenAsync();

        await scenario.AssertRecoveredAsync("ReflectorFailed");
        Assert.Equal(Crowd.Kinds.Count, scenario.Complaints.Count);
        Assert.All(scenario.Complaints, entry => Assert.Contains("Unauthorized", (string?)entry["error"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARoleThatIsTakenAwayAndGivenBackIsSaidOnceForEachThingThatItForbids(bool resetWatches)
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        var ns = scenario.Servers.Namespace;
        ns.ExpectsDenials = true;
        await scenario.Servers.Client.DeleteAsync(Resource.RoleBindings, ns.Name, ns.OperatorUser);
        await Eventually.TrueAsync(
            "an edit was denied",
            async () =>
            {
                await scenario.EditAsync();
                return await ns.DenialsAsync();
            },
            denials => denials.Count > 3);
        if (resetWatches)
        {
            await scenario.WatchesLastAsync();
            scenario.Front.Wire.Reset();
            await scenario.Operator.WaitForLogAsync("it said what it may not do", entry => (string?)entry["event"] == "NotAllowed");
        }

        await OperatorRole.GrantAsync(fixture.ControlPlane, ns.OperatorUser, ns.Name);

        // The last is of the status, in which the first could not be reported.
        await scenario.AssertRecoveredAsync("ObjectRefused", "NotAllowed", "ReconcileFailed");
    }
}
