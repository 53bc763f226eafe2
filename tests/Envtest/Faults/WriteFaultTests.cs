using System.Net;

namespace McpOperator.Envtest.Faults;

/// <summary>Writes are refused, raced and lost; each is carried out in the end, and once.</summary>
public sealed class WriteFaultTests(ControlPlaneFixture fixture)
{
    private const string Status = "status";

    [Fact]
    public async Task AWriteThatIsToldWhenToComeBackDoesSoWithoutAWord()
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.Fail(
            request => request.IsWrite, exchange => exchange.RefuseAsync(HttpStatusCode.TooManyRequests, "TooManyRequests", retryAfter: 1), times: 2);

        await scenario.EditAsync();
        await fault.WaitAsync(2);

        await scenario.AssertRecoveredAsync();
    }

    [Theory]
    // A webhook that cannot be reached answers 500, so that this one is the object's, and shown in its status.
    [InlineData("deployments", HttpStatusCode.InternalServerError, "InternalError", "ObjectRefused")]
    [InlineData("deployments", HttpStatusCode.ServiceUnavailable, "ServiceUnavailable", "NotReached")]
    [InlineData("deployments", HttpStatusCode.TooManyRequests, "TooManyRequests", "NotReached")]
    [InlineData(Status, HttpStatusCode.InternalServerError, "InternalError", "ReconcileFailed")]
    [InlineData(Status, HttpStatusCode.ServiceUnavailable, "ServiceUnavailable", "NotReached")]
    [InlineData(Status, HttpStatusCode.TooManyRequests, "TooManyRequests", "NotReached")]
    public async Task AWriteThatFailsForAWhileIsOneLine(string what, HttpStatusCode code, string reason, string complaint)
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.Fail(IsWriteOf(what), exchange => exchange.RefuseAsync(code, reason));

        await scenario.EditAsync();
        await fault.WaitAsync(6);
        fault.Dispose();

        await scenario.AssertRecoveredAsync(complaint);
        Assert.Single(scenario.Complaints);
        // Trouble of the API server's own is not reported as the server's.
        var reported = scenario.Front.Requests.Count(request => request.IsStatus && request.Body.Contains("ApplyFailed", StringComparison.Ordinal));
        Assert.Equal(complaint == "ObjectRefused" ? 1 : 0, reported);
    }

    [Theory]
    [InlineData("deployments")]
    [InlineData(Status)]
    public async Task AConflictIsTriedAgainWithoutAWord(string what)
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.Fail(
            IsWriteOf(what), exchange => exchange.RefuseAsync(HttpStatusCode.Conflict, "Conflict", "the object has been modified"), times: 3);
        var before = (await scenario.Servers.WritesAsync()).Count;

        await scenario.EditAsync();
        await fault.WaitAsync(3);

        await scenario.AssertRecoveredAsync();
        // Nothing is said of the edit before it is done.
        var writes = (await scenario.Servers.WritesAsync()).Skip(before).Select(write => $"{write.Resource}/{write.Subresource}").ToList();
        Assert.InRange(writes.IndexOf("deployments/"), 0, writes.IndexOf("mcpservers/status") - 1);
    }

    [Theory]
    [InlineData("deployments", false)]
    [InlineData("deployments", true)]
    [InlineData(Status, false)]
    [InlineData(Status, true)]
    public async Task AnAnswerThatIsLostIsOneWarningAndTheWriteIsRepeatedOnceAtMost(string what, bool inTheMiddle)
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.Fail(IsWriteOf(what), exchange => exchange.LoseAnswerAsync(inTheMiddle), times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync("NotReached");
        Assert.Single(scenario.Complaints);
        // The one of the start, this edit's, and that of AssertRecovered.
        Assert.Equal(3, (long)(await scenario.Servers.DeploymentAsync())["metadata"]!["generation"]!);
    }

    [Theory]
    [InlineData("<html>200 OK</html>")]
    [InlineData("""{"kind":"Deployment","metadata":{"name":"web",""")]
    [InlineData("{}")]
    [InlineData("[]")]
    public async Task AnAnswerThatIsNoObjectIsOneWarningAndTheWriteIsRepeatedOnceAtMost(string body)
    {
        await using var scenario = await FaultScenario.StartAsync(fixture);
        using var fault = scenario.Front.Fail(IsWriteOf("deployments"), exchange => exchange.GarbleAnswerAsync(body), times: 1);

        await scenario.EditAsync();
        await fault.WaitAsync();

        await scenario.AssertRecoveredAsync("NotReached");
        Assert.Equal(3, (long)(await scenario.Servers.DeploymentAsync())["metadata"]!["generation"]!);
    }

    private static Func<FrontRequest, bool> IsWriteOf(string what) => request =>
        request.IsWrite && (what == Status ? request.IsStatus : request.Path.Contains($"/{what}/", StringComparison.Ordinal));
}
