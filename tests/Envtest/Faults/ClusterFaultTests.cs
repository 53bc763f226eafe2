namespace McpOperator.Envtest.Faults;

/// <summary>The cluster itself is broken for a while: a control plane of their own, one test after the other.</summary>
public sealed class ClusterFaultTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task AnEtcdThatIsGoneInTheMiddleOfTheWorkIsWaitedForAndNothingIsWrittenTwice()
    {
        await using var scenario = await FaultScenario.BeginAsync(_controlPlane, ["--workers", "4"]);
        scenario.Servers.Namespace.ExpectsDenials = true;
        await scenario.Operator.WaitForLogAsync("Synced");
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"web-{i:00}"), ServerScenario.Name];
        await Parallel.ForEachAsync(names, async (name, _) => await scenario.Servers.CreateServerAsync("image: example.org/web:1", name));
        await Eventually.TrueAsync("some were begun", () => scenario.Operator.Log.Any(IsReport));

        await _controlPlane.StopEtcdAsync();
        await Task.Delay(TimeSpan.FromMinutes(1)); // how long it is gone is what is tested
        Assert.InRange(scenario.Operator.Log.Count(IsReport), 1, names.Length - 1);
        await _controlPlane.StartEtcdAsync();

        await Crowd.ReachAsync(scenario.Servers, names, "PartiallyReady");
        foreach (var resource in (Resource[])[Resource.Deployments, Resource.Ingresses])
            Assert.All(await _controlPlane.Client.ListAsync(resource, scenario.Servers.Namespace.Name), item => Assert.Equal(1, (long)item["metadata"]!["generation"]!));
        // What had reached etcd in that moment is refused with a 500; the rest just waits.
        await scenario.AssertRecoveredAsync("DefaultsNotPersisted", "ObjectRefused", "ReconcileFailed", "NotReached");
    }

    [Fact]
    public async Task ACrdThatIsDeletedAndInstalledAgainIsOneWarningAndItsServersAreReconciled()
    {
        await using var scenario = await FaultScenario.BeginAsync(_controlPlane, []);
        var (client, ns) = (scenario.Servers.Client, scenario.Servers.Namespace.Name);
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");
        await scenario.Servers.SettledAsync();

        await client.DeleteAsync(Resource.CustomResourceDefinitions, null, "mcpservers.mcpruntime.org");
        await scenario.Operator.WaitForLogAsync("it said what is missing", entry => (string?)entry["event"] == "NotServed");
        // What the garbage collector does; no controller runs here.
        foreach (var resource in (Resource[])[Resource.Deployments, Resource.Services, Resource.Ingresses])
            await client.DeleteAsync(resource, ns, ServerScenario.Name);
        await _controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"));
        await scenario.Servers.CreateServerAsync("image: example.org/web:1");

        await scenario.AssertRecoveredAsync("NotServed");
        Assert.Single(scenario.Complaints);
    }

    private static bool IsReport(System.Text.Json.Nodes.JsonObject entry) => (string?)entry["event"] == "StatusReported";
}
