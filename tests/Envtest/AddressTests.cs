using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Why a server has no address, as an operator of the whole cluster finds it out.</summary>
public sealed class AddressTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private const string Waits = "no ingress controller has published an address yet";

    private static readonly OperatorOptions WholeCluster = new()
    {
        Arguments = ["--watch-namespaces=", .. ServerScenario.OneWorker],
        Environment = new Dictionary<string, string?> { ["MCP_DIAGNOSE_AFTER"] = "1s" },
    };

    private readonly ControlPlane _controlPlane = own.Require();

    /// <summary>And of two hundred that wait, and of the address that comes.</summary>
    [Fact]
    public async Task TheClassIsTheReasonAndIsAskedForOnceForAllUntilAnAddressComes()
    {
        await using var ns = await TestNamespace.CreateAsync(_controlPlane);
        await ns.GrantEverywhereAsync();
        await CreateClassAsync("there", "example.org/controller");
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ns, WholeCluster);
        var many = Enumerable.Range(0, 200).Select(i => $"many-{i}").ToList();
        await scenario.CreateServerAsync("{image: 'example.org/web:1', ingressClass: missing}");
        await Parallel.ForEachAsync(many, async (name, _) => await scenario.CreateServerAsync("{image: 'example.org/web:1', ingressClass: there}", name));
        await scenario.SettledAsync();
        await scenario.RollOutAsync();

        var status = await scenario.EventuallyStatusAsync("the class was missed", status => ServerScenario.StatusAndReason(status, "Ready") == "False IngressClassNotFound");
        Assert.Equal(
            $"Ingress not ready: {Waits}: the cluster has no IngressClass missing, but there; correct spec.ingressClass, or install the controller of class missing",
            (string?)status["message"]);
        Assert.Equal(1, await scenario.Operator!.MetricAsync("mcp_operator_servers_not_ready", "reason=\"IngressClassNotFound\""));
        await Eventually.TrueAsync("it was told", () => scenario.EventsAsync(), events => events.Any(told =>
            ((string?)told["type"], (string?)told["reason"]) == ("Warning", "IngressClassNotFound")));
        foreach (var name in many)
        {
            status = await scenario.EventuallyStatusAsync(
                "the controller was named", status => MessageOf(status) != Waits, name);
            Assert.Equal("False LoadBalancerPending", ServerScenario.StatusAndReason(status, "IngressReady"));
            Assert.Equal(
                $"{Waits}: the controller of class there is example.org/controller: does it run, and publish addresses? else set MCP_INGRESS_READINESS_MODE=permissive",
                MessageOf(status));
        }

        var lists = await ListsAsync(ns);
        TestContext.Current.TestOutputHelper?.WriteLine($"{lists.Count} lists for {many.Count + 1} servers in {(lists[^1].Received - lists[0].Received).TotalSeconds:0} s");
        Assert.All(lists.Zip(lists.Skip(1)), pair => Assert.True(pair.Second.Received - pair.First.Received > TimeSpan.FromSeconds(59)));

        await scenario.ServeIngressAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    /// <summary>The right that only this needs, taken away.</summary>
    [Fact]
    public async Task WithoutTheRightTheServerIsReportedAllTheSame()
    {
        await using var ns = await TestNamespace.CreateAsync(_controlPlane);
        ns.ExpectsDenials = true;
        var user = $"classless-{ns}";
        var rules = OperatorRole.Manifests().Single(role => (string?)role["metadata"]!["name"] == OperatorRole.Name)["rules"]!.AsArray()
            .Where(rule => (string?)rule!["resources"]![0] != "ingressclasses").Select(rule => rule!.DeepClone());
        await _controlPlane.Client.CreateAsync(new JsonObject
        {
            ["apiVersion"] = "rbac.authorization.k8s.io/v1",
            ["kind"] = "ClusterRole",
            ["metadata"] = new JsonObject { ["name"] = user },
            ["rules"] = new JsonArray([.. rules]),
        });
        await _controlPlane.Client.CreateAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: {{user}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{user}}}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: {{user}}}]
            """);
        await OperatorRole.UntilAllowedAsync(_controlPlane, user, "", "list", Resource.MCPServers.Group, Resource.MCPServers.Plural);
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ns, WholeCluster with { Kubeconfig = _controlPlane.Kubeconfig(user) });
        // Another class than that of the other test, whose server may have the route.
        await scenario.CreateServerAsync("{image: 'example.org/web:1', ingressClass: absent}");

        var status = await scenario.EventuallyStatusAsync("the hint was given", status => MessageOf(status) is { } message && message != Waits);

        Assert.Equal("False LoadBalancerPending", ServerScenario.StatusAndReason(status, "IngressReady"));
        Assert.Equal(
            $"{Waits}: the controller of class absent: does it run, and publish addresses? else set MCP_INGRESS_READINESS_MODE=permissive", MessageOf(status));
        var told = Assert.Single(scenario.Operator!.Log, entry => (string?)entry["event"] == "IngressClassesNotListed");
        Assert.Equal("warn", (string?)told["level"]);
        Assert.Equal(403, Assert.Single(await ns.RequestsOfAsync(user), IsList).Code);
        await scenario.RollOutAsync();
        await scenario.ServeIngressAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    private static string? MessageOf(JsonNode status) => (string?)ServerScenario.Condition(status, "IngressReady")?["message"];

    private static bool IsList(AuditEvent request) => request is { Resource: "ingressclasses", Verb: "list" };

    private static async Task<IReadOnlyList<AuditEvent>> ListsAsync(TestNamespace ns) => [.. (await ns.OperatorRequestsAsync()).Where(IsList)];

    private Task<JsonObject> CreateClassAsync(string name, string controller) => _controlPlane.Client.CreateAsync(
        $"{{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {{name: {name}}}, spec: {{controller: {controller}}}}}");
}
