using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>--watch-namespaces: Roles are enough, and a namespace may come later.</summary>
public sealed class NamespacedTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task ANamespaceThatCannotBeListedYetIsWaitedForAndSaidOnceAKind()
    {
        fixture.RequireOwn("users of its own, and the audit log");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        ns.ExpectsDenials = true;
        var later = $"{ns}-later";
        await using var process = await StartAsync(ns, later);
        var waiting = Crowd.Asked.Select(kind => $"{kind.Plural} in {later}").ToHashSet();
        await Eventually.TrueAsync("it said what it may not list", () => SaidOf(process).Count() == waiting.Count);
        Assert.Equal(500, (int)(await process.GetAsync("/readyz/caches")).Code);
        Assert.Equal("ok", (await process.GetAsync("/healthz")).Text);

        await CreateNamespaceAsync(later);
        await OperatorRole.GrantAsync(fixture.ControlPlane, ns.OperatorUser, later);
        await process.WaitForLogAsync("Synced");
        await CreateAndSettleAsync(later);
        await CreateAndSettleAsync(ns.Name);

        Assert.Equal(waiting.Count, SaidOf(process).Count());
        await AssertNamespacedAsync(ns, later);

        // The repetitions are debug.
        static IEnumerable<JsonObject> SaidOf(OperatorProcess process) =>
            process.Log.Where(entry => (string?)entry["event"] == "NotAllowed" && (string?)entry["level"] == "warn");
    }

    [Fact]
    public async Task ANamespaceThatDoesNotExistYetHoldsUpNothingWhereItMayBeListed()
    {
        fixture.RequireOwn("users of its own, and the audit log");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await ns.GrantEverywhereAsync();
        var later = $"{ns}-later";
        await using var process = await StartAsync(ns, later);
        await CreateAndSettleAsync(ns.Name);
        Assert.Equal("ok", (await process.GetAsync("/readyz")).Text);

        await CreateNamespaceAsync(later);
        await CreateAndSettleAsync(later);

        await AssertNamespacedAsync(ns, later);
    }

    private Task<OperatorProcess> StartAsync(TestNamespace ns, string later) =>
        OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Arguments = ["--watch-namespaces", $"{ns},{later}"] });

    private Task<JsonObject> CreateNamespaceAsync(string name) =>
        fixture.Client.CreateAsync($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");

    private async Task CreateAndSettleAsync(string ns)
    {
        await fixture.Client.CreateAsync(
            "{apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: web}, spec: {image: example.org/web}}", ns);
        await Eventually.TrueAsync(
            "the server was reported", () => fixture.Client.GetAsync(Resource.MCPServers, ns, "web"), server => server["status"]?["observedGeneration"] is not null);
        Assert.NotNull(await fixture.Client.FindAsync(Resource.Deployments, ns, "web"));
    }

    /// <summary>That every request was of one of the two namespaces, and not of the cluster.</summary>
    private static async Task AssertNamespacedAsync(TestNamespace ns, string later)
    {
        var requests = await ns.OperatorRequestsAsync();
        Assert.Equal([ns.Name, later], requests.Select(request => request.Namespace).Distinct().Order(StringComparer.Ordinal));
        foreach (var name in new[] { ns.Name, later })
            Assert.Equal(Crowd.Kinds.Count, requests.Where(request => request.Verb == "watch" && request.Namespace == name).DistinctBy(request => request.Resource).Count());
    }
}
