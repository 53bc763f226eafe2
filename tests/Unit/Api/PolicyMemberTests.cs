using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Unit.Api;

public sealed class PolicyMemberTests
{
    private static T Decode<T>(string json, Func<JsonElement, T> decode)
    {
        using var document = JsonDocument.Parse(json);
        return decode(document.RootElement);
    }

    [Fact]
    public void ReadsAGrant()
    {
        var grant = Decode("""
            {"metadata":{"name":"g","namespace":"team","uid":"u","resourceVersion":"7","generation":3},
             "spec":{"serverRef":{"name":"demo"},"subject":{"humanID":"h","agentID":"a","teamID":"t"},"maxTrust":"high",
              "allowedSideEffects":["read"],"policyVersion":"v2","disabled":false,
              "toolRules":[{"name":"x","decision":"deny","requiredTrust":"medium"}]},
             "status":{"observedGeneration":2,"phase":"Accepted","conditions":[{"type":"Accepted","status":"True","reason":"Accepted",
              "message":"","lastTransitionTime":"2026-01-02T03:04:05Z"}]}}
            """, MCPAccessGrant.Decode);
        Assert.Null(grant.Unreadable);
        Assert.Equal(("team/g", "7", 3L), (grant.Key.ToString(), grant.ResourceVersion, grant.Metadata.Generation));
        Assert.Equal(new Subject { HumanID = "h", AgentID = "a", TeamID = "t" }, grant.Spec.Subject);
        Assert.Equal(("high", "v2", false), (grant.Spec.MaxTrust, grant.Spec.PolicyVersion, grant.Spec.Disabled));
        Assert.Equal(["read"], grant.Spec.AllowedSideEffects!);
        Assert.Equal([new ToolRule { Name = "x", Decision = "deny", RequiredTrust = "medium" }], grant.Spec.ToolRules!);
        Assert.Equal(new LastCondition("Accepted", "True", "2026-01-02T03:04:05Z"), grant.Reported!.Conditions.Single());
    }

    [Fact]
    public void ReadsASession()
    {
        var session = Decode("""
            {"metadata":{"name":"s","namespace":"team"},
             "spec":{"serverRef":{"name":"demo"},"subject":{"agentID":"a"},"consentedTrust":"low","expiresAt":"2026-03-26T12:00:00Z",
              "revoked":true,"upstreamTokenSecretRef":{"name":"sec","key":"key"},"policyVersion":"v1"}}
            """, MCPAgentSession.Decode);
        Assert.Null(session.Unreadable);
        Assert.Equal(("low", true, "v1"), (session.Spec.ConsentedTrust, session.Spec.Revoked, session.Spec.PolicyVersion));
        Assert.Equal(new SecretKeyRef { Name = "sec", Key = "key" }, session.Spec.UpstreamTokenSecretRef);
        Assert.Equal(new DateTimeOffset(2026, 3, 26, 12, 0, 0, TimeSpan.Zero), session.ExpiresAt);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"metadata":null,"spec":null,"status":null}""")]
    [InlineData("""{"metadata":{"name":5},"spec":{},"status":"fine"}""")]
    [InlineData("""{"spec":{"serverRef":null,"subject":null},"status":{"conditions":[{"lastTransitionTime":5}]}}""")]
    public void WhateverIsStoredIsRead(string json)
    {
        Assert.Null(Decode(json, MCPAccessGrant.Decode).Unreadable);
        Assert.Null(Decode(json, MCPAgentSession.Decode).Unreadable);
        Assert.Null(Decode(json, MCPAgentSession.Decode).Server);
    }

    [Theory]
    [InlineData("""{"name":"demo"}""", "team/demo")]
    [InlineData("""{"name":"demo","namespace":""}""", "team/demo")]
    [InlineData("""{"name":"demo","namespace":" "}""", "team/demo")]
    [InlineData("""{"name":"demo","namespace":" servers "}""", "servers/demo")]
    [InlineData("""{"namespace":"servers"}""", null)]
    [InlineData("""{"name":""}""", null)]
    [InlineData("5", null)]
    public void TheServerIsInItsOwnNamespaceUnlessItSaysOtherwise(string reference, string? server)
    {
        var json = $$$"""{"metadata":{"name":"x","namespace":"team"},"spec":{"serverRef":{{{reference}}}}}""";
        Assert.Equal(server, Decode(json, MCPAccessGrant.Decode).Server?.ToString());
        Assert.Equal(server, Decode(json, MCPAgentSession.Decode).Server?.ToString());
    }

    [Theory]
    [InlineData(null, "team", false)]
    [InlineData(null, "servers", true)]
    [InlineData("", "team", false)]
    [InlineData("", "", false)]
    [InlineData(",", "", false)]
    [InlineData("team", "team", true)]
    [InlineData("team", "servers", true)]
    [InlineData("team", "Team", false)]
    [InlineData("team", "team-b", false)]
    [InlineData("team-b", "team", false)]
    [InlineData("a, team ,b", "team", true)]
    [InlineData("a,\tteam\n", "team", true)]
    [InlineData("*", "team", true)]
    [InlineData("a, *", "team", true)]
    [InlineData("te*", "team", false)]
    [InlineData("a b", "a", false)]
    public void AServerTakesFromTheNamespacesThatItLists(string? annotation, string ns, bool allowed)
    {
        var annotations = annotation is null ? "" : $$$""","annotations":{"mcpruntime.org/allow-access-from":{{{JsonSerializer.Serialize(annotation)}}}}""";
        var server = Decode($$$"""{"metadata":{"name":"demo","namespace":"servers"{{{annotations}}}}}""", json => StoredServer.Decode(json).Read());
        Assert.Equal(allowed, server.AllowsAccessFrom(ns));
    }
}
