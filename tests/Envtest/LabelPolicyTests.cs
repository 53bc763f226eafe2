using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// A policy of the cluster overwrites the label by which the operator watches its objects, so that no watch tells of them. Who does so is
/// said, and nobody fights over it.
/// </summary>
public sealed class LabelPolicyTests(ControlPlaneFixture fixture)
{
    private const string ManagedBy = "app.kubernetes.io/managed-by";

    [Theory]
    [InlineData("deployments", "DeploymentReady", false)]
    [InlineData("deployments", "DeploymentReady", true)]
    [InlineData("services", "ServiceReady", false)]
    [InlineData("ingresses", "IngressReady", true)]
    [InlineData("configmaps", "PolicyReady", false)]
    [InlineData("configmaps", "PolicyReady", true)]
    public async Task ItIsSaidWhichLabelWasTurnedIntoWhatAndByWhom(string resource, string condition, bool isThereBefore)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, Quick, ServerScenario.OneWorker);
        if (isThereBefore)
        {
            await scenario.CreateServerAsync(Gateways.Spec);
            await scenario.SettledAsync();
        }

        await using var policy = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        policy.Change = request => AdmissionWebhook.ResourceOf(request) != resource || request["object"]?["metadata"]?["labels"]?[ManagedBy] is null ? null : new JsonArray(new JsonObject
        {
            ["op"] = "replace",
            ["path"] = "/metadata/labels/app.kubernetes.io~1managed-by",
            ["value"] = "platform",
        });
        if (isThereBefore)
            await scenario.EditServerAsync("{image: 'example.org/web:2', ingressPath: /other, servicePort: 81, policy: {defaultDecision: allow} }");
        else
            await scenario.CreateServerAsync(Gateways.Spec);

        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.EndsWith(" LabelOverwritten", ServerScenario.StatusAndReason(status, condition), StringComparison.Ordinal);
        var message = (string)ServerScenario.Condition(status, condition)!["message"]!;
        Assert.Contains(ManagedBy, message, StringComparison.Ordinal);
        Assert.Contains("\"platform\", by a mutating webhook or policy", message, StringComparison.Ordinal);
        Assert.Contains(message, (string)status["message"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("taken up", message, StringComparison.Ordinal);

        // It is tried again, and seldom.
        var looks = 0;
        await Eventually.TrueAsync("it was looked at several times", async () => { await scenario.PassAsync(); return ++looks; }, seen => seen == 3);
        Assert.InRange((await scenario.AllWritesAsync()).Count(write => write.Resource == resource && !write.Name.StartsWith(ServerScenario.Barrier, StringComparison.Ordinal)), 1, 12);
        Assert.DoesNotContain(scenario.Operator!.Complaints, line => (string?)line["name"] == ServerScenario.Name && (string?)line["event"] != "InvalidSpec");

        policy.Change = _ => null;
        await scenario.EventuallyStatusAsync("it was seen again", seen => !ServerScenario.StatusAndReason(seen, condition).EndsWith(" LabelOverwritten", StringComparison.Ordinal));
        if (resource == "deployments")
        {
            await scenario.RollOutAsync();
            await scenario.EventuallyStatusAsync("it was ready", seen => (bool?)seen["deploymentReady"] == true);
        }
    }

    /// <summary>The watch says that it was deleted; it is found by its name.</summary>
    [Fact]
    public async Task WhatSomebodyRelabelsIsPutRight()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, $$"""{"metadata": {"labels": {"{{ManagedBy}}": "helm"} } }""".AsJson(), fieldManager: "helm");

        await Eventually.TrueAsync("it was put right", () => scenario.DeploymentAsync(), live => (string?)live["metadata"]!["labels"]![ManagedBy] == "mcp-runtime");
        await scenario.PassAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    /// <summary>Five minutes are 30 s with this.</summary>
    private static Dictionary<string, string?> Quick => new(ServerScenario.Permissive) { ["REQUEUE_DELAY_SECONDS"] = "1" };
}
