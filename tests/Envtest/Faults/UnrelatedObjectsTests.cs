namespace McpOperator.Envtest.Faults;

/// <summary>What is not ours does not even come over the wire.</summary>
public sealed class UnrelatedObjectsTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private const int OfEachKind = 1500;

    [Fact]
    public async Task ThousandsOfObjectsOfOthersCostNeitherARequestNorTheirBytes()
    {
        await using var scenario = await FaultScenario.StartAsync(own.Require());
        var (client, ns) = (scenario.Servers.Client, scenario.Servers.Namespace.Name);
        await scenario.WatchesLastAsync();
        var requests = scenario.Front.Requests.Count;
        var received = scenario.Front.Wire.Received;

        await Parallel.ForEachAsync(Enumerable.Range(0, OfEachKind), async (i, _) =>
        {
            await client.CreateAsync($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: other-{i}}}, data: {{a: b}}}}", ns);
            await client.CreateAsync($$$"""
                {apiVersion: apps/v1, kind: Deployment, metadata: {name: other-{{{i}}} }, spec: {replicas: 0, selector: {matchLabels: {app: other}},
                 template: {metadata: {labels: {app: other}}, spec: {containers: [{name: c, image: example.org/other}] } } } }
                """, ns);
        });

        // Two kilobytes each; what comes over are a few bookmarks and pings.
        Assert.InRange(scenario.Front.Wire.Received - received, 0, 16 * 1024);
        // That the server waits for its pods is an event after half a minute, which a busy machine takes for this.
        Assert.DoesNotContain(scenario.Front.Requests.Skip(requests), request => !request.IsOf(Resource.Events));
        await scenario.AssertRecoveredAsync();

        // A start lists, and gets what is ours.
        received = scenario.Front.Wire.Received;
        await scenario.Servers.StartOperatorAsync(ServerScenario.Permissive, "--kubeconfig", scenario.Front.Kubeconfig);
        await scenario.Operator.WaitForLogAsync("Synced");
        Assert.InRange(scenario.Front.Wire.Received - received, 1, 64 * 1024);
    }
}
