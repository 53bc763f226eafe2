using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The NetworkPolicy of a server whose spec has a network.</summary>
public sealed class NetworkTests(ControlPlaneFixture fixture)
{
    private const string Closed = "{image: 'example.org/web:1', network: {ingressFrom: [{podSelector: {matchLabels: {role: caller}}}]}}";

    [Fact]
    public async Task ItIsMadeKeptAndTakenAway()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Closed);
        await scenario.EventuallyConditionAsync("NetworkPolicyReady", "True NetworkPolicyCreated");
        var made = await PolicyAsync(scenario);
        ServerScenario.AssertJson(
            """
            podSelector: {matchLabels: {app: web, app.kubernetes.io/managed-by: mcp-runtime}}
            policyTypes: [Ingress]
            ingress: [{from: [{podSelector: {matchLabels: {role: caller}}}], ports: [{port: http, protocol: TCP}]}]
            """, made!["spec"]);
        Assert.Equal("MCPServer", (string?)made["metadata"]!["ownerReferences"]![0]!["kind"]);

        await scenario.Client.PatchAsync(
            Resource.NetworkPolicies, scenario.Namespace.Name, ServerScenario.Name, """{"spec": {"ingress": [{}]}}""");
        await EventuallyAsync(scenario, "the hole was closed", policy => policy?["spec"]!["ingress"]![0]!["from"] is not null);
        await scenario.Client.DeleteAsync(Resource.NetworkPolicies, scenario.Namespace.Name, ServerScenario.Name);
        await EventuallyAsync(scenario, "it was made again", policy => policy is not null);
        await scenario.EditAndSettleAsync("network: {ingressFrom: [], egressTo: [{ports: [{port: 53, protocol: UDP}]}]}");
        await EventuallyAsync(scenario, "it let nobody in", policy =>
            policy?["spec"]!["ingress"] is null && (string?)policy!["spec"]!["egress"]?[0]!["ports"]![0]!["protocol"] == "UDP");

        await scenario.EditAndSettleAsync("network: null");
        await EventuallyAsync(scenario, "it was gone", policy => policy is null);
        await scenario.EventuallyStatusAsync("its condition was, too", now => ServerScenario.Condition(now, "NetworkPolicyReady") is null);
    }

    /// <summary>Nobody gets around the gateway once it is on, and nobody is kept out before.</summary>
    [Fact]
    public async Task ItsPortsFollowTheService()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Closed);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.EditAndSettleAsync("gateway: {enabled: true, image: 'example.org/gateway:1'}");
        Assert.Equal("http", (string?)(await scenario.ServiceAsync())["spec"]!["ports"]![0]!["targetPort"]);
        await PortsAsync("gateway", "metrics", "http");
        await scenario.RollOutAsync();
        await PortsAsync("gateway", "metrics");
        Assert.Equal("gateway", (string?)(await scenario.ServiceAsync())["spec"]!["ports"]![0]!["targetPort"]);

        await scenario.EditAndSettleAsync("gateway: {enabled: false}");
        await PortsAsync("http");

        Task<JsonObject?> PortsAsync(params string[] ports) => EventuallyAsync(
            scenario, $"peers got to {string.Join(", ", ports)}",
            policy => policy!["spec"]!["ingress"]![0]!["ports"]!.AsArray().Select(port => (string)port!["port"]!).SequenceEqual(ports));
    }

    [Fact]
    public async Task WhatIsNotOursIsLeftAloneAndNamed()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.Client.CreateAsync(
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web}, spec: {podSelector: {}, policyTypes: [Ingress]}}", scenario.Namespace.Name);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        var theirs = await PolicyAsync(scenario);

        await scenario.EditServerAsync("network: {egressTo: [{}]}");
        await scenario.EventuallyConditionAsync("NetworkPolicyReady", "False NameConflict");
        await scenario.EditAndSettleAsync("network: null");
        await scenario.EventuallyStatusAsync("it was forgotten", now => ServerScenario.Condition(now, "NetworkPolicyReady") is null);

        ServerScenario.AssertJson(theirs, await PolicyAsync(scenario));
    }

    private static Task<JsonObject?> PolicyAsync(ServerScenario scenario) =>
        scenario.Client.FindAsync(Resource.NetworkPolicies, scenario.Namespace.Name, ServerScenario.Name);

    private static Task<JsonObject?> EventuallyAsync(ServerScenario scenario, string what, Func<JsonObject?, bool> condition) =>
        Eventually.TrueAsync(what, () => PolicyAsync(scenario), condition);
}
