using System.Net;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The definitions of grants and sessions, as a real API server takes them. The operator has no part in it.</summary>
public sealed class AccessDefinitionTests(ControlPlaneFixture fixture)
{
    private const string Reference = "serverRef: {name: demo}";

    [Fact]
    public async Task ConstantsAreFilledInAndTheRestIsLeftAsItIs()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var grant = await CreateAsync(ns, "MCPAccessGrant", "g", $"{Reference}, subject: {{}}, toolRules: [{{name: a}}, {{name: b, decision: deny, requiredTrust: high}}]");
        IsSpec(
            """
            {"serverRef":{"name":"demo"},"subject":{},"maxTrust":"low",
             "toolRules":[{"name":"a","decision":"allow","requiredTrust":"low"},{"name":"b","decision":"deny","requiredTrust":"high"}]}
            """, grant);
        var session = await CreateAsync(ns, "MCPAgentSession", "s", $"{Reference}, subject: {{agentID: a}}, expiresAt: '2026-03-26T12:00:00+01:00', unknown: 5");
        IsSpec("""{"serverRef":{"name":"demo"},"subject":{"agentID":"a"},"consentedTrust":"low","expiresAt":"2026-03-26T12:00:00+01:00"}""", session);

        // The status is a resource of its own, and is written by nobody else's edit.
        await fixture.Client.PatchStatusAsync(Resource.MCPAccessGrants, ns.Name, "g", new JsonObject { ["phase"] = "Accepted" });
        var edited = await fixture.Client.PatchAsync(Resource.MCPAccessGrants, ns.Name, "g", """{"spec":{"maxTrust":"high"},"status":{"phase":"x"}}""");
        Assert.Equal(("Accepted", "high", 2), ((string)edited["status"]!["phase"]!, (string)edited["spec"]!["maxTrust"]!, (int)edited["metadata"]!["generation"]!));
    }

    [Theory]
    [InlineData("MCPAccessGrant", "subject: {}", "spec.serverRef")]
    [InlineData("MCPAccessGrant", Reference, "spec.subject")]
    [InlineData("MCPAccessGrant", "serverRef: {name: Demo}, subject: {}", "spec.serverRef.name")]
    [InlineData("MCPAccessGrant", $"{Reference}, subject: {{humanID: ' '}}", "spec.subject.humanID")]
    [InlineData("MCPAccessGrant", $"{Reference}, subject: {{teamID: a b}}", "spec.subject.teamID")]
    [InlineData("MCPAccessGrant", $"{Reference}, subject: {{}}, maxTrust: total", "spec.maxTrust")]
    [InlineData("MCPAccessGrant", $"{Reference}, subject: {{}}, allowedSideEffects: [read, all]", "spec.allowedSideEffects")]
    [InlineData("MCPAccessGrant", $"{Reference}, subject: {{}}, toolRules: [{{name: a}}, {{name: a}}]", "spec.toolRules: Duplicate value")]
    [InlineData("MCPAccessGrant", $"{Reference}, subject: {{}}, toolRules: [{{name: a, decision: maybe}}]", "spec.toolRules.decision")]
    [InlineData("MCPAgentSession", $"{Reference}, subject: {{agentID: a}}, expiresAt: tomorrow", "spec.expiresAt")]
    [InlineData("MCPAgentSession", $"{Reference}, subject: {{agentID: a}}, expiresAt: '2026-03-26'", "spec.expiresAt")]
    [InlineData("MCPAgentSession", $"{Reference}, subject: {{agentID: a}}, consentedTrust: none", "spec.consentedTrust")]
    [InlineData("MCPAgentSession", $"{Reference}, subject: {{agentID: a}}, upstreamTokenSecretRef: {{name: s}}", "spec.upstreamTokenSecretRef.key")]
    public async Task WhatBreaksARuleIsRefusedAtOnce(string kind, string spec, string field)
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var refusal = await Assert.ThrowsAsync<KubeException>(() => CreateAsync(ns, kind, "x", spec));
        Assert.Equal((HttpStatusCode)422, refusal.Code);
        Assert.Contains(field, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KubectlPrintsWhatMatters()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await CreateAsync(ns, "MCPAccessGrant", "g", $"{Reference}, subject: {{humanID: h, agentID: a, teamID: t}}, maxTrust: high");
        await CreateAsync(ns, "MCPAgentSession", "s", $"{Reference}, subject: {{humanID: h}}, expiresAt: '2036-03-26T12:00:00Z'");
        foreach (var (resource, name) in new[] { (Resource.MCPAccessGrants, "g"), (Resource.MCPAgentSessions, "s") })
            await fixture.Client.PatchStatusAsync(resource, ns.Name, name, new JsonObject { ["phase"] = "Accepted", ["message"] = "fine" });

        Assert.Equal(["g", "Accepted", "demo", "h", "a", "t", "high", "", "fine"], await RowAsync(Resource.MCPAccessGrants));
        Assert.Equal(["s", "Accepted", "demo", "h", "", "low", "2036-03-26T12:00:00Z", "", "fine"], await RowAsync(Resource.MCPAgentSessions));

        async Task<IEnumerable<string>> RowAsync(Resource resource)
        {
            var table = await fixture.Client.SendAsync(
                HttpMethod.Get, resource.PathTo(ns.Name), accept: "application/json;as=Table;g=meta.k8s.io;v=v1");
            var columns = table["columnDefinitions"]!.AsArray().Select(column => (string)column!["name"]!).ToList();
            var cells = table["rows"]![0]!["cells"]!.AsArray().Select(cell => cell?.ToString() ?? "").ToList();
            cells[columns.IndexOf("Age")] = "";
            return cells;
        }
    }

    private Task<JsonObject> CreateAsync(TestNamespace ns, string kind, string name, string spec) => fixture.Client.CreateAsync(
        $$"""
        apiVersion: mcpruntime.org/v1alpha1
        kind: {{kind}}
        metadata: {name: {{name}}}
        spec: { {{spec}} }
        """,
        ns.Name);

    private static void IsSpec(string expected, JsonObject actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual["spec"]), actual["spec"]!.ToJsonString());
}
