using System.Net;

namespace McpOperator.Envtest.Faults;

/// <summary>The first list breaks off, is something else, or is refused; nothing is made of half of one.</summary>
public sealed class ListFaultTests(ControlPlaneFixture fixture)
{
    [Theory]
    // One that breaks off is asked for again twice before it is a failure.
    [InlineData("cut", 4)]
    [InlineData("<html>200 OK</html>", 4)]
    [InlineData("""{"kind":"MCPServerList","items":[{"metadata":""", 4)]
    [InlineData("""{"kind":"MCPServerList","items":["web"],"metadata":{"resourceVersion":"1"}}""", 4)]
    [InlineData("{}", 1)]
    public async Task AListThatIsNotWholeIsNotBelieved(string body, int times)
    {
        fixture.RequireOwn("a front that is a user of its own");
        Fault fault = null!;
        await using var scenario = await FaultScenario.BeginAsync(fixture.ControlPlane, [], front => fault = front.Fail(
            request => request.IsList && request.IsOf(Resource.MCPServers),
            exchange => body == "cut" ? exchange.LoseAnswerAsync(inTheMiddle: true) : exchange.GarbleAnswerAsync(body),
            times));
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");
        await fault.WaitAsync(times);

        await scenario.AssertRecoveredAsync("ReflectorFailed");
        Assert.Single(scenario.Complaints);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "InternalError")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable")]
    [InlineData(HttpStatusCode.TooManyRequests, "TooManyRequests")]
    public async Task AListThatIsRefusedForAWhileIsOneWarningAKind(HttpStatusCode code, string reason)
    {
        fixture.RequireOwn("a front that is a user of its own");
        Fault fault = null!;
        await using var scenario = await FaultScenario.BeginAsync(fixture.ControlPlane, [], front => fault = front.Fail(
            request => request.IsList && request.IsOf(Resource.MCPServers), exchange => exchange.RefuseAsync(code, reason), times: 2));
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");
        await fault.WaitAsync(2);

        await scenario.AssertRecoveredAsync("ReflectorFailed");
        Assert.Single(scenario.Complaints);
    }
}
