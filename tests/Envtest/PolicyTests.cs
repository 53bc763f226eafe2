using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The document in the ConfigMap, as a gateway reads it.</summary>
public sealed class PolicyTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task TheSmallestPolicyHasTheRevisionThatGatewaysCompute()
    {
        fixture.RequireOwn("a namespace of a certain name, which is part of the hash");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await fixture.Client.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: mcp-servers}}");
        await OperatorRole.GrantAsync(fixture.ControlPlane, ns.OperatorUser, "mcp-servers");
        await using var process = await OperatorProcess.StartAsync(
            fixture.ControlPlane, ns, new() { Arguments = ["--watch-namespaces", "mcp-servers"] });

        await fixture.Client.CreateAsync(
            """
            apiVersion: mcpruntime.org/v1alpha1
            kind: MCPServer
            metadata: {name: demo}
            spec: {image: example.org/demo, gateway: {enabled: true, image: example.org/gateway} }
            """,
            "mcp-servers");

        // The vector of tests/Unit/Access/PolicyVectorTests.
        var configMap = await Eventually.TrueAsync(
            "the policy was written", () => fixture.Client.GetAsync(Resource.ConfigMaps, "mcp-servers", "demo-gateway-policy"), _ => true);
        Assert.Equal(
            "sha256:14ca6671b6eef4c9b0070f0d0b55d49506d1c0385038fb69c635329b77f61010", (string?)Gateways.Policy(configMap)["revision"]);
    }

    [Fact]
    public async Task EverythingThatMayBeWrittenReachesTheDocument()
    {
        const string evil = """a<b>&c \u2028\u2029 é 日本 \"q\" \\ \t\n\u0001\u007f 😀 \b\f /""";
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(
            $$$"""
            {"image": "example.org/web:1", "teamID": "blue", "gateway": {"enabled": true, "image": "example.org/gateway:1"},
             "tools": [{"name": "refund", "description": "{{{evil}}}", "sideEffect": "destructive", "requiredTrust": "high", "riskLevel": "high",
                        "labels": {"z": "1", "a": "{{{evil}}}", "\uffff": "2", "\ud800\udc00": "3"}}, {"name": "read", "sideEffect": "read"}],
             "session": {"required": true, "maxLifetime": "1h30m"}}
            """);
        await scenario.CreateGrantAsync(
            "b-grant", "subject: {humanID: 'h <&> é', agentID: a, teamID: red}, maxTrust: high, allowedSideEffects: [write, read], policyVersion: v2, toolRules: [{name: refund, decision: deny, requiredTrust: high}, {name: read}]");
        await scenario.CreateGrantAsync("a-grant", "subject: {}");
        await scenario.CreateSessionAsync(
            "one", "subject: {agentID: a}, consentedTrust: medium, expiresAt: '2126-03-26T13:00:00.9+01:00', upstreamTokenSecretRef: {name: sec, key: key}, policyVersion: v3");
        foreach (var grant in (string[])["a-grant", "b-grant"])
            await scenario.IsAcceptedAsync(grant);
        await scenario.IsToldAsync(Resource.MCPAgentSessions, "one", "Accepted", "Accepted");

        // PolicyAsync computes its hash.
        var policy = await scenario.PolicyAsync();
        var ns = scenario.Namespace.Name;
        ServerScenario.AssertJson(
            $$"""
            [{"name": "a-grant", "namespace": "{{ns}}", "team_id": "blue", "max_trust": "low"},
             {"name": "b-grant", "namespace": "{{ns}}", "human_id": "h <&> é", "agent_id": "a", "team_id": "red", "max_trust": "high",
              "allowed_side_effects": ["write", "read"], "policy_version": "v2",
              "tool_rules": [{"name": "refund", "decision": "deny", "required_trust": "high"}, {"name": "read", "decision": "allow", "required_trust": "low"}]}]
            """.AsJson(),
            policy["grants"]);
        ServerScenario.AssertJson(
            $$"""
            [{"name": "one", "namespace": "{{ns}}", "agent_id": "a", "team_id": "blue", "consented_trust": "medium",
              "expires_at": "2126-03-26T12:00:00Z", "policy_version": "v3", "upstream_token_ref": "sec/key"}]
            """.AsJson(),
            policy["sessions"]);
        Assert.Equal($"\"{evil}\"".AsJson().GetValue<string>(), (string?)policy["tools"]![0]!["description"]);
        Assert.Equal(["a", "z", "\uffff", "\U00010000"], policy["tools"]![0]!["labels"]!.AsObject().Select(label => label.Key));
        Assert.Equal("low", (string?)policy["tools"]![1]!["required_trust"]);
        Assert.True((bool)policy["session"]!["required"]!);
    }

    /// <summary>A ConfigMap holds 1 MiB for whoever comes first; this one is ours.</summary>
    [Fact]
    public async Task WhatSomebodyPutsBesideThePolicyKeepsNoRevocationFromIt()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        var room = (1024 * 1024) - ((string)(await scenario.ConfigMapAsync())["data"]!["policy.json"]!).Length;
        await scenario.Client.PatchAsync(
            Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(),
            new JsonObject { ["data"] = new JsonObject { ["filler"] = new string('x', room) } });

        await scenario.EditAsync(Resource.MCPAccessGrants, "g", "disabled: true");

        await scenario.IsToldAsync(Resource.MCPAccessGrants, "g", "Disabled", "Disabled");
        Assert.True((bool)(await scenario.PolicyAsync())["grants"]![0]!["disabled"]!);
    }

    [Fact]
    public async Task AServerWhosePolicyNeverFittedHasNoPods()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        // A label that takes nine bytes here takes nineteen in the document, each on a line of its own.
        var tools = new JsonArray([.. Enumerable.Range(0, 810).Select(i => new JsonObject
        {
            ["name"] = $"{i}", ["sideEffect"] = "read",
            ["labels"] = new JsonObject(Enumerable.Range(0, 64).Select(label => KeyValuePair.Create($"{label}", (JsonNode?)"x"))),
        })]);
        var server = scenario.ServerManifest(Gateways.Spec);
        server["spec"]!["tools"] = tools;
        await scenario.Client.CreateAsync(server);

        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False PolicyTooLarge", ServerScenario.StatusAndReason(status, "PolicyReady"));
        Assert.Equal("False NotCreated", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Null(await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web"));
        Assert.Null(await scenario.FindConfigMapAsync());

        await scenario.EditServerAsync("tools: null");
        await scenario.EventuallyPolicyAsync("there was a document", _ => true);
        await Eventually.TrueAsync("there was a Deployment", () => scenario.DeploymentAsync(), _ => true);
    }
}
