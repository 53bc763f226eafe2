using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What becomes of a cluster that the Go operator left, object by object (<see cref="GoOperatorObjects"/>).</summary>
public sealed class GoOperatorTakeOverTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    /// <summary>
    /// Which objects change, and in which fields. Of pods only those of a spec that names a variable twice: no apply can write that, and
    /// the last one counts as it did.
    /// </summary>
    internal static readonly SortedDictionary<string, string> Expected = new(StringComparer.Ordinal)
    {
        ["ConfigMap gated-gateway-policy"] = "data.policy.json", // without the grant of another namespace
        ["Deployment envy"] = "spec.template.spec.containers[envy].env",
        ["Ingress birdy"] = "metadata.labels",
        ["Ingress counted"] = "metadata.labels",
        ["Ingress envy"] = "metadata.annotations, metadata.labels", // without rewrite-target
        ["Ingress gated"] = "metadata.labels",
        ["Ingress hosted"] = "metadata.labels",
        ["Ingress oauthed"] = "metadata.labels",
        ["Ingress pathed"] = "metadata.labels",
        ["Ingress plain"] = "metadata.labels",
        ["Ingress stopped"] = "metadata.labels",
        ["Service birdy"] = "spec.ports[http].targetPort",
        ["Service counted"] = "spec.ports[http].targetPort, spec.ports[metrics].targetPort",
        ["Service envy"] = "spec.ports[http].targetPort",
        ["Service gated"] = "spec.ports[http].targetPort, spec.ports[metrics].targetPort",
        ["Service hosted"] = "spec.ports[http].targetPort",
        ["Service oauthed"] = "spec.ports[http].targetPort, spec.ports[metrics].targetPort",
        ["Service pathed"] = "spec.ports[http].targetPort",
        ["Service plain"] = "spec.ports[http].targetPort",
        ["Service stopped"] = "spec.ports[http].targetPort",
    };

    /// <summary>Statuses, owners, and the way back and forth: a second take-over leaves as little of the other one as the first.</summary>
    [Fact]
    public async Task NothingOfItIsLeftAfterTheSwitchNorAfterAWayBackAndASecondOne()
    {
        var controlPlane = own.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantInAsync(other);
        var recorded = new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name);
        await recorded.WriteAsync();
        var before = await recorded.LiveAsync();

        await using var scenario = await SwitchAsync(controlPlane, ns, other);
        await IsTakenOverAsync("the first time");
        await scenario.StopOperatorAsync();

        await recorded.WriteBackAsync();
        Assert.Contains(GoOperatorObjects.Manager, ManagersOf(await scenario.ServerAsync("envy")));
        Assert.Empty(await ChangesAsync(recorded, before, "Service"));

        await scenario.StartOperatorAsync(GoOperatorObjects.Environment, ["--watch-namespaces", $"{ns},{other}", .. ServerScenario.OneWorker]);
        await Eventually.PassesAsync("it was all taken over again", () => IsTakenOverAsync("the second time"));

        async Task IsTakenOverAsync(string when)
        {
            Assert.Equal(Expected, await ChangesAsync(recorded, before));
            // The ServiceAccount stays whose it is.
            foreach (var (name, live) in (await recorded.LiveAsync()).Where(found => !found.Key.StartsWith("ServiceAccount ", StringComparison.Ordinal)))
                Assert.False(ManagersOf(live).Contains(GoOperatorObjects.Manager), $"{name} has {GoOperatorObjects.Manager} among its owners {when}");
            foreach (var name in GoOperatorObjects.Servers)
            {
                var server = await scenario.ServerAsync(name);
                Assert.False(ManagersOf(server).Contains(GoOperatorObjects.Manager), $"{name} has {GoOperatorObjects.Manager} among its owners {when}");
                Assert.Equal(GoOperatorCrdTests.ConditionsOf(name), GoOperatorCrdTests.Types(server["status"]!));
            }

            await scenario.PassAsync("plain");
            var writes = (await ns.OperatorRequestsAsync()).Count(request => request.IsWrite);
            await scenario.PassAsync("plain");
            // Of the two passes, the server of the second alone is written.
            Assert.All((await ns.OperatorRequestsAsync()).Where(request => request.IsWrite).Skip(writes), write => Assert.StartsWith(ServerScenario.Barrier, write.Name, StringComparison.Ordinal));
        }
    }

    /// <summary>Its Ingresses have no label by which a watch would find them.</summary>
    [Fact]
    public async Task AnIngressThatIsWantedNoMoreGoesWithTheFirstPass()
    {
        var controlPlane = own.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        var recorded = new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name);
        await recorded.WriteAsync();
        await controlPlane.Client.PatchAsync(Resource.MCPServers, ns.Name, "plain", """{"spec": {"route": "None"}}""");

        await using var scenario = await ServerScenario.StartAsync(controlPlane, ns, GoOperatorObjects.Environment, ServerScenario.OneWorker);
        var settled = await scenario.SettledAsync("plain");

        Assert.Null(await controlPlane.Client.FindAsync(Resource.Ingresses, ns.Name, "plain"));
        Assert.Null(settled["status"]!["url"]);
    }

    [Fact]
    public async Task AnIngressThatServesUntilAnotherRouteDoesStaysWithTheFirstPass()
    {
        var controlPlane = own.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        var recorded = new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name);
        await recorded.WriteAsync();
        var before = await controlPlane.Client.GetAsync(Resource.Ingresses, ns.Name, "plain");
        await controlPlane.Client.PatchAsync(Resource.MCPServers, ns.Name, "plain", """{"spec": {"route": "HTTPRoute", "httpRoute": {"parentRefs": [{"name": "edge"}]}}}""");

        await using var scenario = await ServerScenario.StartAsync(controlPlane, ns, GoOperatorObjects.Environment, ServerScenario.OneWorker);
        await scenario.EventuallyConditionAsync("HTTPRouteReady", "False NotInstalled", "plain");
        await scenario.PassAsync("plain");

        var after = await controlPlane.Client.GetAsync(Resource.Ingresses, ns.Name, "plain");
        Assert.Equal(((string?)before["metadata"]!["uid"], "mcp-runtime"), ((string?)after["metadata"]!["uid"], (string?)after["metadata"]!["labels"]!["app.kubernetes.io/managed-by"]));
        ServerScenario.AssertJson(before["spec"]!, after["spec"]);
    }

    internal static async Task<ServerScenario> SwitchAsync(ControlPlane controlPlane, TestNamespace ns, TestNamespace other)
    {
        var scenario = await ServerScenario.StartAsync(
            controlPlane, ns, GoOperatorObjects.Environment, ["--watch-namespaces", $"{ns},{other}", .. ServerScenario.OneWorker]);
        foreach (var server in GoOperatorObjects.Servers)
            await scenario.SettledAsync(server);
        return scenario;
    }

    internal static async Task<SortedDictionary<string, string>> ChangesAsync(GoOperatorObjects recorded, SortedDictionary<string, JsonObject> before, string? ofKind = null)
    {
        var changes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, live) in await recorded.LiveAsync())
        {
            if (ofKind is not null && !name.StartsWith(ofKind, StringComparison.Ordinal))
                continue;
            var fields = string.Join(", ", GoOperatorObjects.Changes(before.GetValueOrDefault(name), live));
            if (fields.Length > 0)
                changes[name] = fields;
        }
        return changes;
    }

    private static IEnumerable<string> ManagersOf(JsonObject live) =>
        live["metadata"]!["managedFields"]!.AsArray().Select(entry => (string)entry!["manager"]!).Distinct();

    internal static string Versions(SortedDictionary<string, JsonObject> live) =>
        string.Join(' ', live.Values.Select(found => (string?)found["metadata"]!["resourceVersion"]));
}
