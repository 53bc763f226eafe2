using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// The PodDisruptionBudget of a server with more than one replica. API servers before 1.21 have policy/v1beta1 alone, in which such a
/// budget is the same: there a front calls it policy/v1.
/// </summary>
public sealed class BudgetTests(ControlPlaneFixture fixture)
{
    private const string Spec = "{image: 'example.org/web:1', replicas: 3, disruptionBudget: {minAvailable: 2}}";

    [Fact]
    public async Task ItIsMadeKeptAndTakenAwayAndARestartWritesNothing()
    {
        fixture.RequireOwn("a front that is a user of its own, and the audit log");
        var served = await ServedAsync();
        await using var scenario = await FaultScenario.BeginAsync(fixture.ControlPlane, [], front =>
        {
            if (served.Version != "v1")
                front.Fail(request => request.Path.StartsWith("/apis/policy/v1/", StringComparison.Ordinal), exchange => exchange.TranslateAsync("policy/v1", "policy/v1beta1"));
        });
        var servers = scenario.Servers;
        await servers.CreateServerAsync(Spec);
        await servers.EventuallyConditionAsync("DisruptionBudgetReady", "True DisruptionBudgetCreated");
        var made = await BudgetAsync();
        ServerScenario.AssertJson(
            "{minAvailable: 2, selector: {matchLabels: {app: web, app.kubernetes.io/managed-by: mcp-runtime}}}", made!["spec"]);
        Assert.Equal("MCPServer", (string?)made["metadata"]!["ownerReferences"]![0]!["kind"]);

        await servers.Client.PatchAsync(served, servers.Namespace.Name, ServerScenario.Name, """{"spec": {"minAvailable": 0}}""");
        await EventuallyAsync("the number was put right", budget => (int)budget!["spec"]!["minAvailable"]! == 2);
        await servers.Client.DeleteAsync(served, servers.Namespace.Name, ServerScenario.Name);
        await EventuallyAsync("it was made again", budget => budget is not null);
        await servers.EditAndSettleAsync("disruptionBudget: {minAvailable: null, maxUnavailable: 50%}");
        await EventuallyAsync("it had the other number", budget => budget!["spec"]!["minAvailable"] is null && (string?)budget["spec"]!["maxUnavailable"] == "50%");

        var before = (string?)(await BudgetAsync())!["metadata"]!["resourceVersion"];
        await servers.StartOperatorAsync(ServerScenario.Permissive, "--kubeconfig", scenario.Front.Kubeconfig);
        await servers.PassAsync();
        Assert.Equal(before, (string?)(await BudgetAsync())!["metadata"]!["resourceVersion"]);

        // It would keep the node of a single pod from ever being drained.
        await servers.EditAndSettleAsync("replicas: 1");
        await EventuallyAsync("it was gone", budget => budget is null);
        await servers.EventuallyStatusAsync("its condition was, too", now => ServerScenario.Condition(now, "DisruptionBudgetReady") is null);
        await servers.EditAndSettleAsync("replicas: 2");
        await EventuallyAsync("it was there again", budget => budget is not null);
        await servers.EditAndSettleAsync("disruptionBudget: null");
        await EventuallyAsync("it was gone once more", budget => budget is null);

        Task<JsonObject?> BudgetAsync() => servers.Client.FindAsync(served, servers.Namespace.Name, ServerScenario.Name);

        Task<JsonObject?> EventuallyAsync(string what, Func<JsonObject?, bool> condition) => Eventually.TrueAsync(what, BudgetAsync, condition);
    }

    [Fact]
    public async Task OfAnApiServerThatIsTooOldItIsSaidWhereItIsAskedFor()
    {
        Assert.SkipUnless((await ServedAsync()).Version != "v1", "the API server has policy/v1");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: 'example.org/plain:1', replicas: 3}", "plain");
        await scenario.CreateServerAsync(Spec);

        var status = await scenario.EventuallyConditionAsync("DisruptionBudgetReady", "False NotInstalled");
        Assert.Equal(
            "the cluster has no PodDisruptionBudget of policy/v1: its API server is too old",
            (string?)ServerScenario.Condition(status, "DisruptionBudgetReady")!["message"]);
        foreach (var name in (string[])["plain", ServerScenario.Name])
        {
            await scenario.RollOutAsync(name);
            await scenario.EventuallyStatusAsync("its pods ran", now => ServerScenario.StatusAndReason(now, "DeploymentReady") == "True DeploymentAvailable", name);
        }

        await scenario.EventuallyPhaseAsync("Ready", "plain");
        await scenario.EditAndSettleAsync("disruptionBudget: null");
        await scenario.EventuallyPhaseAsync("Ready");
        Assert.Empty(scenario.Operator!.Complaints);
    }

    private async Task<Resource> ServedAsync()
    {
        try
        {
            await fixture.Client.ListAsync(Resource.PodDisruptionBudgets, "default");
            return Resource.PodDisruptionBudgets;
        }
        catch (KubeException exception) when ((int)exception.Code == 404)
        {
            return Resource.PodDisruptionBudgets with { Version = "v1beta1" };
        }
    }
}
