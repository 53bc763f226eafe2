using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest.Faults;

/// <summary>A namespace full of servers is deleted. No controller runs here, so the test is the namespace controller.</summary>
public sealed class NamespaceEndTests(ControlPlaneFixture fixture)
{
    private static readonly Resource[] Children = [Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ServiceAccounts];

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
        // For each object that somebody took away, and at the next look: what cannot be made again is not tried again.
        Assert.InRange(scenario.Operator.Log.Count(entry => (string?)entry["event"] == "NamespaceTerminating"), 0, 5 * names.Length);
    }
}
