using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// Somebody makes the policy's ConfigMap immutable. A kubelet never shows another one to pods that run, so that it is made anew and the pods with it;
/// until they are, what they hold is not called current.
/// </summary>
public sealed class ImmutablePolicyTests(ControlPlaneFixture fixture)
{
    /// <summary>Of the pod template: the ConfigMap that its pods began with.</summary>
    internal const string Annotation = "mcpruntime.org/policy-uid";

    private static readonly Resource Sessions = Resource.MCPAgentSessions;

    [Fact]
    public async Task ItIsMadeAnewAtOnceAndThePodsWithIt()
    {
        await using var scenario = await RunningAsync();
        await scenario.CreateSessionAsync("s");
        await scenario.IsToldAsync(Sessions, "s", "Accepted", "Accepted");
        var before = await scenario.ConfigMapAsync();
        Assert.Null(AnnotationOf(await scenario.DeploymentAsync()));

        await MakeImmutableAsync(scenario);

        var uid = await IsMadeAnewAsync(scenario, before);
        await IsAnnotatedAsync(scenario, uid);
        await scenario.EventuallyStatusAsync(
            "the policy was not what the pods hold", status => ServerScenario.StatusAndReason(status, "PolicyReady").StartsWith("False ", StringComparison.Ordinal));

        // The document says so at once; that it holds is said when the pods are those that read it.
        await scenario.EditAsync(Sessions, "s", "revoked: true");
        await scenario.EventuallyPolicyAsync("the document said so", policy => (bool?)policy["sessions"]![0]!["revoked"] == true);
        await scenario.AccessPassAsync();
        await scenario.PassAsync();
        Assert.Equal("Accepted", (string?)(await scenario.Client.GetAsync(Sessions, scenario.Namespace.Name, "s"))["status"]!["phase"]);
        Assert.StartsWith("False ", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "PolicyReady"), StringComparison.Ordinal);

        await scenario.RollOutAsync();
        await scenario.IsToldAsync(Sessions, "s", "Revoked", "Revoked");
        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True PolicyCurrent", ServerScenario.StatusAndReason(status, "PolicyReady"));

        // It is over: the next documents are ordinary ones.
        var deployment = await scenario.DeploymentAsync();
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await scenario.PassAsync();
        Assert.Equal(deployment["metadata"]!["generation"]!.ToString(), (await scenario.DeploymentAsync())["metadata"]!["generation"]!.ToString());
        Assert.Equal(uid, (string?)(await scenario.ConfigMapAsync())["metadata"]!["uid"]);
    }

    [Fact]
    public async Task ItIsMadeAnewWhenItIsFoundAtTheStart()
    {
        await using var scenario = await RunningAsync();
        var before = await scenario.ConfigMapAsync();
        await scenario.StopOperatorAsync();
        await MakeImmutableAsync(scenario);

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);

        await IsAnnotatedAsync(scenario, await IsMadeAnewAsync(scenario, before));
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    /// <summary>By which it is told from others', and by which the watch tells of it.</summary>
    [Theory]
    [InlineData("""{"metadata": {"ownerReferences": null}, "immutable": true}""")]
    [InlineData("""{"metadata": {"ownerReferences": null}, "immutable": true, "data": {"policy.json": "{}"}}""")]
    [InlineData("""{"metadata": {"labels": null}, "immutable": true}""")]
    [InlineData("""{"metadata": {"labels": null}, "immutable": true, "data": {"policy.json": "{}"}}""")]
    [InlineData("""{"metadata": {"labels": null, "ownerReferences": null}, "immutable": true}""")]
    public async Task ItIsMadeAnewAlsoWhenItHasLostMore(string patch)
    {
        await using var scenario = await RunningAsync();
        var before = await scenario.ConfigMapAsync();

        await scenario.Client.PatchAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), patch);

        await IsAnnotatedAsync(scenario, await IsMadeAnewAsync(scenario, before));
        await scenario.RollOutAsync();
        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True PolicyCurrent", ServerScenario.StatusAndReason(status, "PolicyReady"));
    }

    [Fact]
    public async Task OneThatAFinalizerHoldsIsMadeAnewOnceItIsLetGoAndNoPodBefore()
    {
        await using var scenario = await RunningAsync();
        await scenario.CreateSessionAsync("s");
        await scenario.IsToldAsync(Sessions, "s", "Accepted", "Accepted");
        var (before, deployment) = (await scenario.ConfigMapAsync(), await scenario.DeploymentAsync());
        await scenario.Client.PatchAsync(
            Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), """{"metadata": {"finalizers": ["example.org/held"]}, "immutable": true}""");
        await scenario.EventuallyStatusAsync(
            "it was said that it is not replaced", status => ServerScenario.StatusAndReason(status, "PolicyReady").StartsWith("False ", StringComparison.Ordinal));
        await scenario.EditAsync(Sessions, "s", "revoked: true");
        await scenario.PassAsync();
        Assert.Equal(deployment["metadata"]!["generation"]!.ToString(), (await scenario.DeploymentAsync())["metadata"]!["generation"]!.ToString());
        Assert.Equal("Accepted", (string?)(await scenario.Client.GetAsync(Sessions, scenario.Namespace.Name, "s"))["status"]!["phase"]);

        await scenario.Client.PatchAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), """{"metadata": {"finalizers": null}}""");

        var live = await Eventually.TrueAsync(
            "the ConfigMap was made anew", () => scenario.ConfigMapAsync(),
            seen => (string?)seen["metadata"]!["uid"] != (string?)before["metadata"]!["uid"] && seen["immutable"] is null);
        await IsAnnotatedAsync(scenario, (string)live["metadata"]!["uid"]!);
        await scenario.RollOutAsync();
        await scenario.IsToldAsync(Sessions, "s", "Revoked", "Revoked");
    }

    /// <summary>Whoever takes the sign away that pods from before hold another policy does not make it so.</summary>
    [Fact]
    public async Task TheSignOnTheNewOneIsPutBackWhileThePodsAreReplaced()
    {
        await using var scenario = await RunningAsync();
        var before = await scenario.ConfigMapAsync();
        await MakeImmutableAsync(scenario);
        var uid = await IsMadeAnewAsync(scenario, before);
        await IsAnnotatedAsync(scenario, uid);

        await scenario.Client.PatchAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), """{"metadata": {"annotations": null}}""");

        await Eventually.TrueAsync(
            "it was there again", () => scenario.ConfigMapAsync(),
            live => SignOf(live) == "true");
        await scenario.PassAsync();
        Assert.StartsWith("False ", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "PolicyReady"), StringComparison.Ordinal);
    }

    /// <summary>While the spec does not say what the policy is, nobody else does: what hashes to itself may still not be ours.</summary>
    [Fact]
    public async Task ADocumentOfSomebodyElseIsNotTheLastOneWhileTheAccessPartIsInvalid()
    {
        await using var scenario = await RunningAsync();
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await scenario.EditAndSettleAsync("auth: {mode: mtls}");
        var open = Gateways.Policy(await scenario.ConfigMapAsync()).DeepClone();
        open["policy"]!["mode"] = "observe";
        open["revision"] = Gateways.Rehash(open.ToJsonString());
        await scenario.Client.PatchAsync(
            Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(),
            new JsonObject { ["data"] = new JsonObject { ["policy.json"] = open.ToJsonString() } });

        await scenario.EventuallyPolicyAsync("nobody was let in", policy => policy["grants"] is null && (string?)policy["policy"]!["mode"] == "allow-list");
    }

    /// <summary>A document that stands follows what is taken away, whatever is wrong with the rest, and without a pod, too.</summary>
    [Fact]
    public async Task ItIsMadeAnewWhileTheSpecIsInvalidAndNoPodRuns()
    {
        await using var scenario = await RunningAsync();
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await scenario.StopOperatorAsync();
        await scenario.Client.DeleteAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name);
        await scenario.EditServerAsync("port: 9103");
        await MakeImmutableAsync(scenario);
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);

        await scenario.EditAsync(Resource.MCPAccessGrants, "g", "disabled: true");

        await scenario.IsToldAsync(Resource.MCPAccessGrants, "g", "Disabled", "Disabled");
        Assert.Null((await scenario.ConfigMapAsync())["immutable"]);
        Assert.Null(await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name));
    }

    /// <summary>Nobody saw what it was, so that nobody knows what the pods hold.</summary>
    [Fact]
    public async Task OneThatWasDeletedWhileNobodyLookedMayHaveBeenImmutable()
    {
        await using var scenario = await RunningAsync();
        var before = await scenario.ConfigMapAsync();
        await scenario.StopOperatorAsync();
        await MakeImmutableAsync(scenario);
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);

        await IsAnnotatedAsync(scenario, await IsMadeAnewAsync(scenario, before));
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    /// <summary>Pods from before the immutable one was replaced are as far from the third ConfigMap as from the second.</summary>
    [Fact]
    public async Task TheNewOneIsDeletedBeforeThePodsAreReplacedAndTheNextOneBearsTheSignToo()
    {
        await using var scenario = await RunningAsync();
        await MakeImmutableAsync(scenario);
        var second = await Eventually.TrueAsync("the ConfigMap was made anew", () => scenario.ConfigMapAsync(), live => SignOf(live) == "true");
        await IsAnnotatedAsync(scenario, (string)second["metadata"]!["uid"]!);

        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());

        var uid = await IsMadeAnewAsync(scenario, second);
        await IsAnnotatedAsync(scenario, uid);
        Assert.Equal("true", SignOf(await scenario.ConfigMapAsync()));
        await scenario.PassAsync();
        Assert.StartsWith("False ", ServerScenario.StatusAndReason((await scenario.ServerAsync())["status"]!, "PolicyReady"), StringComparison.Ordinal);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    /// <summary>A standby that saw the immutable one has seen as well what came of it.</summary>
    [Fact]
    public async Task TheNextLeaderFindsNothingToChange()
    {
        await using var pair = await Pair.StartAsync(fixture.ControlPlane, LeaderElectionTests.Patient);
        var scenario = pair.Scenario;
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await MakeImmutableAsync(scenario);
        var second = await Eventually.TrueAsync("the ConfigMap was made anew", () => scenario.ConfigMapAsync(), live => SignOf(live) == "true");
        await IsAnnotatedAsync(scenario, (string)second["metadata"]!["uid"]!);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());
        await IsAnnotatedAsync(scenario, await IsMadeAnewAsync(scenario, second));
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        Assert.Equal(0, await pair.First.StopAsync());
        await pair.Second.WaitForLogAsync("LeaseAcquired");
        await scenario.EditAndSettleAsync("{replicas: 2}");

        Assert.DoesNotContain(await pair.RequestsOfSecondAsync(), request => request.IsWrite && request.Resource == "configmaps");
    }

    [Fact]
    public async Task OneThatIsEditedOrDeletedIsRepairedAndThePodsStay()
    {
        await using var scenario = await RunningAsync();
        var deployment = await scenario.DeploymentAsync();
        var right = (string)(await scenario.ConfigMapAsync())["data"]!["policy.json"]!;

        await scenario.Client.PatchAsync(
            Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), """{"data": {"policy.json": "{}"}}""");
        await IsRightAsync("it was edited");
        await scenario.Client.PatchAsync(
            Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), """{"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}}""");
        await Eventually.TrueAsync(
            "its label was there again", () => scenario.ConfigMapAsync(),
            live => (string?)live["metadata"]!["labels"]?["app.kubernetes.io/managed-by"] == "mcp-runtime");
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());
        await IsRightAsync("it was deleted");
        await scenario.PassAsync();
        await scenario.PassAsync();

        var now = await scenario.DeploymentAsync();
        Assert.Equal(deployment["metadata"]!["generation"]!.ToString(), now["metadata"]!["generation"]!.ToString());
        Assert.Null(AnnotationOf(now));

        Task IsRightAsync(string what) => Eventually.TrueAsync(
            $"the document was right after {what}", () => scenario.ConfigMapAsync(), live => (string?)live["data"]!["policy.json"] == right);
    }

    /// <summary>Deleted to be made anew, it leaves its name to whoever is faster.</summary>
    [Fact]
    public async Task WhoTakesItsNameMeanwhileIsNamedAndNotTouched()
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        await using var scenario = await ServerScenario.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.Permissive, "--kubeconfig", front.Kubeconfig);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        JsonObject? theirs = null;
        using var fault = front.Fail(
            request => request.Method == "DELETE" && request.IsOf(Resource.ConfigMaps),
            async exchange =>
            {
                await scenario.Client.DeleteAsync(Resource.ConfigMaps, ns.Name, Gateways.PolicyName());
                theirs = await scenario.Client.CreateAsync(
                    Manifest.Parse($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {Gateways.PolicyName()}}}, data: {{theirs: this}}}}"), ns.Name);
                await exchange.ForwardAsync();
            },
            times: 1);

        await MakeImmutableAsync(scenario);

        var status = await scenario.EventuallyStatusAsync(
            "it was said who has the name", seen => ServerScenario.StatusAndReason(seen, "PolicyReady") == "False NameConflict");
        Assert.Contains($"ConfigMap {ns.Name}/{Gateways.PolicyName()} was not made by this operator", (string)status["message"]!, StringComparison.Ordinal);
        ServerScenario.AssertJson(theirs!, await scenario.ConfigMapAsync());
    }

    private async Task<ServerScenario> RunningAsync()
    {
        var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        return scenario;
    }

    private static Task<JsonObject> MakeImmutableAsync(ServerScenario scenario) => scenario.Client.PatchAsync(
        Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), """{"immutable": true}""");

    /// <returns>The new one's uid.</returns>
    private static async Task<string> IsMadeAnewAsync(ServerScenario scenario, JsonObject before)
    {
        var live = await Eventually.TrueAsync(
            "the ConfigMap was made anew", () => scenario.ConfigMapAsync(),
            seen => (string?)seen["metadata"]!["uid"] != (string?)before["metadata"]!["uid"] && seen["immutable"] is null);
        Assert.Equal((string?)Gateways.Policy(before)["revision"], (string?)Gateways.Policy(live)["revision"]);
        return (string)live["metadata"]!["uid"]!;
    }

    private static Task<JsonObject> IsAnnotatedAsync(ServerScenario scenario, string uid) => Eventually.TrueAsync(
        "the pod template named the new ConfigMap", () => scenario.DeploymentAsync(), live => AnnotationOf(live) == uid);

    private static string? SignOf(JsonObject configMap) => (string?)configMap["metadata"]!["annotations"]?["mcpruntime.org/policy-needs-new-pods"];

    private static string? AnnotationOf(JsonObject deployment) =>
        (string?)deployment["spec"]!["template"]!["metadata"]!["annotations"]?[Annotation];
}
