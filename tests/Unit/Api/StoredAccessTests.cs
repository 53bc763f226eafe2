using System.Text.Json;
using McpOperator.Api;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Unit.Access;

namespace McpOperator.Unit.Api;

/// <summary>How grants and sessions are read, and whose they are.</summary>
public sealed class StoredAccessTests
{
    [Fact]
    public void OfOneThatIsTooLargeNothingIsKeptButWhomItIsFor()
    {
        var stored = AccessObjects.Read(
            $$"""{"metadata":{"name":"g","namespace":"team"},"spec":{"serverRef":{"name":"demo"},"subject":{"humanID":"{{new string('x', SpecSize.MostOfAccess)}}"} } }""",
            json => StoredAccess.Decode(json, Product.Identity.OwnedFields));
        Assert.True(stored.Spec.IsEmpty);
        Assert.Equal("team/demo", stored.Server.ToString());
        foreach (var faults in new[] { Validation.Validate(stored.ReadGrant()), Validation.Validate(stored.ReadSession()), Validation.Validate(stored.In(stored.Metadata, null).ReadGrant()) })
            Assert.EndsWith("must not have more than 131072: shorten its lists and descriptions", Assert.Single(faults).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadsAGrant()
    {
        var grant = AccessObjects.Read("""
            {"metadata":{"name":"g","namespace":"team","uid":"u","resourceVersion":"7","generation":3},
             "spec":{"serverRef":{"name":"demo"},"subject":{"humanID":"h","agentID":"a","teamID":"t"},"maxTrust":"high",
              "allowedSideEffects":["read"],"policyVersion":"v2","disabled":false,
              "toolRules":[{"name":"x","decision":"deny","requiredTrust":"medium"}]},
             "status":{"observedGeneration":2,"phase":"Accepted","conditions":[{"type":"Accepted","status":"True","reason":"Accepted",
              "message":"","lastTransitionTime":"2026-01-02T03:04:05Z"}]}}
            """, AccessObjects.AsGrant);
        Assert.Null(grant.Unreadable);
        Assert.Equal(("team/g", "7", 3L), (grant.Key.ToString(), grant.Metadata.ResourceVersion, grant.Metadata.Generation));
        Assert.Equal(new Subject { HumanID = "h", AgentID = "a", TeamID = "t" }, grant.Spec.Subject);
        Assert.Equal(("high", "v2", false), (grant.Spec.MaxTrust, grant.Spec.PolicyVersion, grant.Spec.Disabled));
        Assert.Equal(["read"], grant.Spec.AllowedSideEffects!);
        Assert.Equal([new ToolRule { Name = "x", Decision = "deny", RequiredTrust = "medium" }], grant.Spec.ToolRules!);
        Assert.Equal(new LastCondition("Accepted", "True", "2026-01-02T03:04:05Z", "Accepted"), grant.Reported!.Conditions.Single());
    }

    [Fact]
    public void ReadsASession()
    {
        var session = AccessObjects.Read("""
            {"metadata":{"name":"s","namespace":"team"},
             "spec":{"serverRef":{"name":"demo"},"subject":{"agentID":"a"},"consentedTrust":"low","expiresAt":"2026-03-26T12:00:00Z",
              "revoked":true,"upstreamTokenSecretRef":{"name":"sec","key":"key"},"policyVersion":"v1"}}
            """, AccessObjects.AsSession);
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
        Assert.Null(AccessObjects.Read(json, AccessObjects.AsGrant).Unreadable);
        Assert.Null(AccessObjects.Read(json, AccessObjects.AsSession).Unreadable);
        Assert.Empty(AccessObjects.Read(json, json => StoredAccess.Decode(json, Product.Identity.OwnedFields)).Server.Name);
    }

    [Theory]
    [InlineData("""{"name":"demo"}""", "team/demo")]
    [InlineData("""{"name":"demo","namespace":""}""", "team/demo")]
    [InlineData("""{"name":"demo","namespace":" "}""", "team/demo")]
    [InlineData("""{"name":"demo","namespace":" servers "}""", "servers/demo")]
    [InlineData("""{"namespace":"servers"}""", "servers/")]
    [InlineData("""{"name":""}""", "team/")]
    [InlineData("""{"name":5}""", "team/")]
    [InlineData("5", "team/")]
    public void TheServerIsInItsOwnNamespaceUnlessItSaysOtherwise(string reference, string server)
    {
        var json = $$$"""{"metadata":{"name":"x","namespace":"team"},"spec":{"serverRef":{{{reference}}}}}""";
        Assert.Equal(server, AccessObjects.Read(json, json => StoredAccess.Decode(json, Product.Identity.OwnedFields)).Server.ToString());
    }

    [Fact]
    public void WhatCannotBeReadIsStillForItsServer()
    {
        var stored = AccessObjects.Read("""{"metadata":{"name":"g","namespace":"team"},"spec":{"serverRef":{"name":"demo"},"disabled":"yes"}}""", json => StoredAccess.Decode(json, Product.Identity.OwnedFields));
        Assert.Equal("team/demo", stored.Server.ToString());
        Assert.Equal(["spec.disabled"], stored.ReadGrant().Unreadable!.Select(fault => fault.Field));
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
        var server = AccessObjects.Read($$$"""{"metadata":{"name":"demo","namespace":"servers"{{{annotations}}}}}""", AccessObjects.AsServer);
        Assert.Equal(allowed, server.AllowsAccessFrom(ns));
    }
}
