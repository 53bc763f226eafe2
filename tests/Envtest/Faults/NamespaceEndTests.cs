using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest.Faults;

/// <summary>A namespace full of servers is deleted. No controller runs here, so the test is the namespace controller.</summary>
public sealed class NamespaceEndTests(ControlPlaneFixture fixture)
{
    private static readonly int Servers = int.Parse(Environment.GetEnvironmentVariable("NAMESPACE_SERVERS") ?? "150", CultureInfo.InvariantCulture);

    private static readonly Resource[] Children = [Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ServiceAccounts];

    /// <summary>What was taken away is out of a policy all the same, for as long as it is there.</summary>
    [Fact]
    public async Task AfterTheFirstRefusalNothingIsSentIntoItButWhatTakesAccessAway()
    {
        fixture.RequireOwn("a namespace whose deletion the test carries out");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--metrics-bind-address", "127.0.0.1:0");
        var (client, ns) = (scenario.Client, scenario.Namespace);
        await ns.GrantEverywhereAsync();
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("revoked");
        await scenario.IsAcceptedAsync("revoked");
        await Crowd.CreateAsync(scenario, [.. Enumerable.Range(0, Servers).Select(i => $"web-{i:0000}")]);

        await client.DeleteAsync(Resource.Namespaces, null, ns.Name);
        foreach (var resource in Children)
        {
            await Parallel.ForEachAsync(
                await client.ListAsync(resource, ns.Name), new ParallelOptions { MaxDegreeOfParallelism = 8 },
                async (item, _) => await client.DeleteAsync(resource, ns.Name, (string)item["metadata"]!["name"]!));
        }

        await scenario.Operator!.WaitForLogAsync("NamespaceTerminating");
        await Eventually.TrueAsync("all were looked at", () => scenario.Operator.MetricAsync("workqueue_depth"), depth => depth == 0);
        var requests = await AfterTheEndBeganAsync(ns);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{requests.Count} requests: {string.Join(", ", requests.CountBy(request => $"{request.Verb} {request.Resource} {request.Code}"))}");
        Assert.InRange(requests.Count, 1, 20);
        Assert.Single(scenario.Operator.Log, entry => (string?)entry["event"] == "NamespaceTerminating");

        await client.DeleteAsync(Resource.MCPAccessGrants, ns.Name, "revoked");
        await scenario.EventuallyPolicyAsync("it was out", policy => policy["grants"] is null);
        await client.DeleteAsync(Resource.ConfigMaps, ns.Name, Gateways.PolicyName());
        await scenario.AnnotateServerAsync("example.org/touched", "1");
        await Eventually.TrueAsync("it was looked at", () => scenario.Operator.MetricAsync("workqueue_depth"), depth => depth == 0);
        var after = (await AfterTheEndBeganAsync(ns)).Skip(requests.Count).Where(request => request.IsWrite);
        Assert.Equal(["configmaps"], after.Select(request => request.Resource));
        Assert.Empty(scenario.Operator.Complaints);
    }

    private async Task<List<AuditEvent>> AfterTheEndBeganAsync(TestNamespace ns)
    {
        var end = (await fixture.ControlPlane.AuditEventsAsync()).Single(
            request => request is { IsRequest: true, Verb: "delete", Resource: "namespaces" } && request.Name == ns.Name).StageTime;
        return [.. (await ns.OperatorRequestsAsync()).Where(request => request.Verb != "watch" && request.Received > end)];
    }

    /// <summary>The namespace controller goes through the kinds in the order of a Go map, which is none.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ANamespaceFullOfServersGoesWithoutALineOfWarning(bool serversFirst)
    {
        fixture.RequireOwn("a namespace whose deletion the test carries out");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--log-level", "debug");
        var (client, ns) = (scenario.Client, scenario.Namespace);
        // Its binding in the namespace goes as well; an operator of the whole cluster has one that stays.
        await ns.GrantEverywhereAsync();
        string[] names = [.. Enumerable.Range(0, 30).Select(i => $"web-{i:00}")];
        await Crowd.CreateAsync(scenario, names);

        await client.DeleteAsync(Resource.Namespaces, null, ns.Name);
        Resource[] order = serversFirst ? [Resource.MCPServers, .. Children] : [.. Children, Resource.MCPServers];
        foreach (var resource in (Resource[])[Resource.RoleBindings, .. order])
        {
            foreach (var item in await client.ListAsync(resource, ns.Name))
                await client.DeleteAsync(resource, ns.Name, (string)item["metadata"]!["name"]!);
        }
        var ended = await client.GetAsync(Resource.Namespaces, null, ns.Name);
        ended["spec"]!["finalizers"] = new JsonArray();
        await client.SendAsync(
            HttpMethod.Put, Resource.Namespaces.PathTo(null, ns.Name, "finalize"), new StringContent(ended.ToJsonString(), Encoding.UTF8, "application/json"));
        Assert.Null(await client.FindAsync(Resource.Namespaces, null, ns.Name));

        // Its name is used again, and the same operator serves it.
        await client.CreateAsync($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {ns}}}}}");
        await scenario.CreateServerAsync(Crowd.Spec);
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        Assert.NotNull(await client.FindAsync(Resource.ServiceAccounts, ns.Name, "mcp-workload"));

        Assert.Empty(scenario.Operator!.Complaints);
        Assert.InRange(scenario.Operator.Log.Count(entry => (string?)entry["event"] == "NamespaceTerminating"), 0, 1);
    }
}
