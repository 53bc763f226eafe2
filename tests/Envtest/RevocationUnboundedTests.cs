namespace McpOperator.Envtest;

/// <summary>What is taken away is out of the document while the spec has faults that only an older definition lets in.</summary>
public sealed class RevocationUnboundedTests(UnboundedControlPlane own) : IClassFixture<UnboundedControlPlane>
{
    private readonly ControlPlane _controlPlane = own.Require();

    [Theory]
    [InlineData("{replicas: -1}", "spec.replicas", true)]
    [InlineData("{servicePort: 70000}", "spec.servicePort", true)]
    [InlineData("{envVars: [{name: A}, {name: A=B}]}", "spec.envVars[1].name", true)]
    [InlineData("{tools: [{name: t, sideEffect: read}, {name: t, sideEffect: write}]}", "spec.tools[1].name", false)]
    public async Task ItIsOutOfTheDocumentWhateverTheFault(string edit, string fault, bool comeIn)
    {
        await using var members = await Revocable.StartAsync(_controlPlane, ServerScenario.OneWorker);
        var scenario = members.Scenario;
        await scenario.EditServerAsync(edit);
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Contains(fault, (string)status["message"]!, StringComparison.Ordinal);
        await scenario.CreateGrantAsync("new");
        if (comeIn)
            await scenario.IsAcceptedAsync("new");

        foreach (var way in Revocable.AllWays)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.IsToldAsync(way);
            await members.AssertFirstAsync(way, 5);
        }

        await scenario.AccessPassAsync();
        Assert.Equal(
            comeIn ? [Revocable.Disabled, "new", Revocable.Stays] : [Revocable.Disabled, Revocable.Stays],
            Gateways.NamesIn(await members.PolicyAsync(), "grants"));
        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "Ready"));
    }
}
