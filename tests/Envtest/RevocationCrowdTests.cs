using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>What is taken away is out of the document while thousands of others are granted access and told so.</summary>
public sealed class RevocationCrowdTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private const int Others = 2000;
    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task ItIsOutOfTheDocumentBeforeTwoThousandOthersAreToldOfTheirs()
    {
        await using var ns = await TestNamespace.CreateAsync(_controlPlane);
        await using var front = await FaultyApiServer.StartAsync(_controlPlane, ns.OperatorUser);
        await using var members = await Revocable.StartAsync(_controlPlane, ns, ["--kubeconfig", front.Kubeconfig]);
        // As on an API server that is busy. The documents are not slowed down.
        using var slow = front.Fail(request => IsReport(request), async exchange =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), exchange.Cancellation);
            await exchange.ForwardAsync();
        });
        var created = Parallel.ForEachAsync(
            Enumerable.Range(0, Others), AtOnce, async (i, _) => await members.Scenario.CreateGrantAsync($"crowd-{i:0000}"));
        await ReportedAsync(20);

        // Two while they come, and the others when all are there.
        foreach (var way in Revocable.AllWays.Take(2))
            await TakeAwayAsync(way);
        Assert.InRange(front.Requests.Count(IsReport), 20, Others - 1); // It was while they were told.
        await created;
        foreach (var way in Revocable.AllWays.Skip(2))
            await TakeAwayAsync(way);

        slow.Dispose();
        foreach (var way in Revocable.AllWays)
        {
            await members.IsToldAsync(way);
            // A quarter of all of them; whoever tells them first has told twice as many.
            await members.AssertFirstAsync(way, Others / 4);
        }

        async Task TakeAwayAsync(string way)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
        }

        Task ReportedAsync(int count) => Eventually.TrueAsync(
            $"{count} were told", () => Task.FromResult(front.Requests.Count(IsReport)), seen => seen >= count);
    }

    private static bool IsReport(FrontRequest request) =>
        request.IsWrite && request.IsStatus && request.IsOf(Grants) && request.Path.Contains("/crowd-", StringComparison.Ordinal);
}
