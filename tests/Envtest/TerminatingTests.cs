using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>A grant or a session that is being deleted is out from its deletionTimestamp on, however long its finalizers hold it.</summary>
public sealed class TerminatingTests(ControlPlaneFixture fixture)
{
    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly Resource Sessions = Resource.MCPAgentSessions;

    [Fact]
    public async Task WhatIsBeingDeletedIsOutAtOnceAndToldSo()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("held");
        await scenario.CreateGrantAsync("stays");
        await scenario.CreateSessionAsync("held");
        await scenario.IsAcceptedAsync("held");
        await scenario.IsAcceptedAsync("stays");
        await scenario.IsToldAsync(Sessions, "held", "Accepted", "Accepted");

        foreach (var resource in (Resource[])[Grants, Sessions])
        {
            await HoldAsync(scenario, resource, "held");
            await scenario.Client.DeleteAsync(resource, scenario.Namespace.Name, "held");
            Assert.NotNull((await scenario.Client.GetAsync(resource, scenario.Namespace.Name, "held"))["metadata"]!["deletionTimestamp"]);
            await scenario.IsToldAsync(resource, "held", "Rejected", "Terminating");
        }

        var policy = await scenario.PolicyAsync();
        Assert.Equal(["stays"], Gateways.NamesIn(policy, "grants"));
        Assert.Null(policy["sessions"]);

        // And is not back while it waits, by a restart or by an edit.
        await scenario.EditAsync(Grants, "held", "maxTrust: high");
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.AccessPassAsync();
        await scenario.IsToldAsync(Grants, "held", "Rejected", "Terminating");
        Assert.Equal(["stays"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));

        foreach (var resource in (Resource[])[Grants, Sessions])
            await ReleaseAsync(scenario, resource, "held");
        await scenario.CreateGrantAsync("held");
        await scenario.IsAcceptedAsync("held");
        Assert.Equal(["held", "stays"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
    }

    /// <summary>As kubectl delete --cascade=foreground leaves it; no garbage collector is here to end it.</summary>
    [Fact]
    public async Task WhatIsDeletedInTheForegroundIsOutAtOnce()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");

        await scenario.Client.SendAsync(HttpMethod.Delete, $"{Grants.PathTo(scenario.Namespace.Name, "g")}?propagationPolicy=Foreground");

        await scenario.EventuallyPolicyAsync("it was out", policy => policy["grants"] is null);
        if (fixture.ControlPlane.IsOwn)
            await scenario.IsToldAsync(Grants, "g", "Rejected", "Terminating");
    }

    /// <summary>It keeps no name either.</summary>
    [Fact]
    public async Task ANameThatIsBeingDeletedIsFreeForAnotherNamespace()
    {
        fixture.RequireOwn("permissions of the operator in two namespaces");
        await using var members = await Revocable.StartAsync(fixture.ControlPlane, ServerScenario.OneWorker);
        var scenario = members.Scenario;
        await scenario.CreateGrantAsync(Revocable.Stays, "subject: {humanID: theirs}", $"web, namespace: {scenario.Namespace}", members.Other);
        await scenario.IsToldAsync(Grants, Revocable.Stays, "Rejected", "DuplicateName", members.Other);
        await HoldAsync(scenario, Grants, Revocable.Stays);
        await scenario.Client.DeleteAsync(Grants, scenario.Namespace.Name, Revocable.Stays);

        await scenario.IsAcceptedAsync(Revocable.Stays, members.Other);
        Assert.Contains("theirs", (await scenario.PolicyAsync()).ToJsonString(), StringComparison.Ordinal);
        await ReleaseAsync(scenario, Grants, Revocable.Stays);
    }

    private static Task<JsonObject> HoldAsync(ServerScenario scenario, Resource resource, string name) =>
        scenario.Client.PatchAsync(resource, scenario.Namespace.Name, name, """{"metadata": {"finalizers": ["example.org/wait"]}}""");

    private static Task<JsonObject> ReleaseAsync(ServerScenario scenario, Resource resource, string name) =>
        scenario.Client.PatchAsync(resource, scenario.Namespace.Name, name, """{"metadata": {"finalizers": null}}""");
}
