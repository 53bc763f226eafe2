using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

public sealed class PolicyMembersTests
{
    private static readonly ObjectKey Key = new("servers", "demo");
    private static readonly DateTimeOffset Noon = new(2026, 3, 26, 12, 0, 0, TimeSpan.Zero);

    private static PolicyMembers Of(
        IEnumerable<MCPAccessGrant>? grants = null, IEnumerable<MCPAgentSession>? sessions = null, string? allow = null, bool exists = true) =>
        PolicyMembers.Of(
            Key, exists ? AccessObjects.Server(allow: allow) : null, exists ? AccessObjects.Head(AccessObjects.Server()) : null,
            grants ?? [], sessions ?? [], Noon);

    private static Verdict Of(PolicyMembers members, PolicyMember member) => members.Verdicts.Single(entry => entry.Member == member).Verdict;

    private static (string Phase, string Reason, bool IsAccepted) Short(Verdict verdict) => (verdict.Phase, verdict.Reason, verdict.IsAccepted);

    [Fact]
    public void TheyAreSortedByNamespaceThenNameByBytes()
    {
        MCPAccessGrant[] grants = [AccessObjects.Grant("b"), AccessObjects.Grant("a1"), AccessObjects.Grant("z", "a"), AccessObjects.Grant("a.b"), AccessObjects.Grant("a-b")];
        MCPAgentSession[] sessions = [AccessObjects.Session("b"), AccessObjects.Session("a", "x"), AccessObjects.Session("c", "a")];
        var members = Of(grants, sessions, allow: "*");
        Assert.Equal(["a/z", "servers/a-b", "servers/a.b", "servers/a1", "servers/b"], members.Grants.Select(grant => grant.Key.ToString()));
        Assert.Equal(["a/c", "servers/b", "x/a"], members.Sessions.Select(session => session.Key.ToString()));
        Assert.Equal(8, members.Verdicts.Count);
        Assert.All(members.Verdicts, entry => Assert.Equal(("Accepted", "Accepted", true), Short(entry.Verdict)));
    }

    [Fact]
    public void ABadOneKeepsNobodyFromThePolicy()
    {
        var good = AccessObjects.Grant("good");
        var bad = AccessObjects.Grant("bad", fields: """ "maxTrust":"total","toolRules":[{}] """);
        var unreadable = AccessObjects.Grant("unreadable", fields: """ "disabled":"yes" """);
        var members = Of([bad, good, unreadable]);
        Assert.Equal([good], members.Grants);
        Assert.Equal(("Rejected", "Invalid", false), Short(Of(members, bad)));
        Assert.Equal("spec.maxTrust: \"total\" is not one of low, medium, high; spec.toolRules[0].name: is required: the name of a tool", Of(members, bad).Message);
        Assert.Equal("spec.disabled: must be true or false, without quotes", Of(members, unreadable).Message);
    }

    [Fact]
    public void AnotherNamespaceNeedsConsent()
    {
        var (own, foreign) = (AccessObjects.Grant("own"), AccessObjects.Grant("foreign", "team"));
        var refused = Of([own, foreign], [AccessObjects.Session("s", "team")]);
        Assert.Equal([own], refused.Grants);
        Assert.Empty(refused.Sessions);
        Assert.Equal(("Rejected", "NamespaceNotAllowed", false), Short(Of(refused, foreign)));
        Assert.Contains("namespace team", Of(refused, foreign).Message, StringComparison.Ordinal);
        Assert.Equal(2, Of([own, foreign], allow: "team").Grants.Count);
    }

    [Fact]
    public void WithoutAServerNoneIsAccepted()
    {
        var (grant, bad, foreign) = (AccessObjects.Grant("g"), AccessObjects.Grant("bad", fields: """ "maxTrust":"x" """), AccessObjects.Grant("f", "team"));
        var session = AccessObjects.Session("s", fields: """ "expiresAt":"2030-01-01T00:00:00Z" """);
        var members = Of([grant, bad, foreign], [session], exists: false);
        Assert.Empty(members.Grants);
        Assert.Empty(members.Sessions);
        Assert.Null(members.NextExpiry);
        Assert.Equal(new Verdict("Rejected", "ServerNotFound", "MCPServer servers/demo does not exist"), Of(members, grant));
        Assert.Equal("Invalid", Of(members, bad).Reason);
        Assert.Equal("ServerNotFound", Of(members, foreign).Reason);
        Assert.Equal("ServerNotFound", Of(members, session).Reason);
    }

    [Fact]
    public void OfOneNameTheServersOwnNamespaceKeepsItThenTheFirst()
    {
        MCPAccessGrant[] grants = [AccessObjects.Grant("h", "b"), AccessObjects.Grant("g", "a"), AccessObjects.Grant("g"), AccessObjects.Grant("h", "z"), AccessObjects.Grant("i", "a")];
        var members = Of(grants, [AccessObjects.Session("g", "z"), AccessObjects.Session("g", "b")], allow: "a,b,z");
        Assert.Equal(["a/i", "b/h", "servers/g"], members.Grants.Select(grant => grant.Key.ToString()));
        Assert.Equal(["b/g"], members.Sessions.Select(session => session.Key.ToString()));
        Assert.Equal(("Rejected", "DuplicateName", false), Short(Of(members, grants[1])));
        Assert.Equal("MCPServer servers/demo already has one of this name, from namespace servers: rename one of the two", Of(members, grants[1]).Message);
        Assert.Equal("MCPServer servers/demo already has one of this name, from namespace b: rename one of the two", Of(members, grants[3]).Message);
    }

    [Fact]
    public void OnlyWhatThePolicyHoldsKeepsAName()
    {
        // Invalid and refused ones; and an expired, a disabled and a revoked one, which it does hold.
        MCPAccessGrant[] grants = [AccessObjects.Grant("g", fields: """ "maxTrust":"x" """), AccessObjects.Grant("g", "b"), AccessObjects.Grant("g", "a"), AccessObjects.Grant("h", fields: """ "disabled":true """), AccessObjects.Grant("h", "a")];
        MCPAgentSession[] sessions =
        [
            AccessObjects.Session("s", fields: """ "expiresAt":"2026-03-26T11:00:00Z" """), AccessObjects.Session("s", "a"),
            AccessObjects.Session("t", fields: """ "revoked":true """), AccessObjects.Session("t", "a"),
        ];
        var members = Of(grants, sessions, allow: "a");
        Assert.Equal(["a/g", "servers/h"], members.Grants.Select(grant => grant.Key.ToString()));
        Assert.Equal(["servers/s", "servers/t"], members.Sessions.Select(session => session.Key.ToString()));
        Assert.Equal("DuplicateName", Of(members, grants[4]).Reason);
        Assert.Equal("DuplicateName", Of(members, sessions[1]).Reason);
        Assert.Equal("DuplicateName", Of(members, sessions[3]).Reason);
    }

    [Fact]
    public void ADisabledGrantIsAcceptedAndSaysSo()
    {
        var grant = AccessObjects.Grant("g", fields: """ "disabled":true """);
        var members = Of([grant]);
        Assert.Equal([grant], members.Grants);
        Assert.Equal(("Disabled", "Disabled", true), Short(Of(members, grant)));
    }

    [Theory]
    [InlineData("", "Accepted", true, null)]
    [InlineData(""" "expiresAt":"2026-03-26T12:00:01Z" """, "Accepted", true, "2026-03-26T12:00:01Z")]
    [InlineData(""" "expiresAt":"2026-03-26T13:00:01+01:00" """, "Accepted", true, "2026-03-26T12:00:01Z")]
    [InlineData(""" "expiresAt":"2026-03-26T12:00:00Z" """, "Expired", true, null)]
    [InlineData(""" "expiresAt":"2026-03-26T12:00:00.9Z" """, "Expired", true, null)]
    [InlineData(""" "revoked":true """, "Revoked", true, null)]
    [InlineData(""" "revoked":true,"expiresAt":"2026-03-26T12:00:01Z" """, "Revoked", true, "2026-03-26T12:00:01Z")]
    [InlineData(""" "revoked":true,"expiresAt":"2026-03-26T11:00:00Z" """, "Revoked", true, null)]
    [InlineData(""" "expiresAt":"tomorrow" """, "Invalid", false, null)]
    public void ASessionLastsUntilItExpires(string fields, string reason, bool held, string? next)
    {
        var session = AccessObjects.Session("s", fields: fields);
        var members = Of(sessions: [session]);
        Assert.Equal(reason, Of(members, session).Reason);
        Assert.Equal(reason == "Accepted", Of(members, session).IsAccepted);
        Assert.Equal(held ? [session] : [], members.Sessions);
        Assert.Equal(next, members.NextExpiry?.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void TheNextExpiryIsTheFirstOneToCome()
    {
        string[] times = ["2026-03-27T00:00:00Z", "2026-03-26T12:00:05Z", "2026-03-26T11:00:00Z", "2030-01-01T00:00:00Z"];
        Assert.Equal(Noon.AddSeconds(5), Of(sessions: times.Select((time, i) => AccessObjects.Session($"s{i}", fields: $"\"expiresAt\":\"{time}\""))).NextExpiry);
    }

    [Fact]
    public void WhoNamesNoServerIsInvalid()
    {
        var grant = AccessObjects.Read("""{"metadata":{"name":"g","namespace":"team"},"spec":"x"}""", AccessObjects.AsGrant);
        var session = AccessObjects.Read("""{"metadata":{"name":"s","namespace":"team"},"spec":{"subject":{"humanID":"h"}}}""", AccessObjects.AsSession);
        var members = PolicyMembers.Of(new ObjectKey("team", ""), null, null, [grant], [session], Noon);
        Assert.Equal(new Verdict("Rejected", "Invalid", "spec: must be an object"), Of(members, grant));
        Assert.Equal(new Verdict("Rejected", "Invalid", "spec.serverRef.name: is required: the name of an MCPServer"), Of(members, session));
    }

    [Fact]
    public void WhatNobodyEnforcesSaysSo()
    {
        var (grant, session) = (AccessObjects.Grant("g"), AccessObjects.Session("s"));
        var members = PolicyMembers.Of(Key, AccessObjects.Server("""{"gateway":{"enabled":false}}"""), null, [grant], [session], Noon);
        Assert.All(members.Verdicts, entry => Assert.Equal(
            new Verdict("Accepted", "Accepted", "Accepted for MCPServer servers/demo, whose gateway is off: nothing enforces it"), entry.Verdict));
        Assert.Equal("Accepted for MCPServer servers/demo", Of(Of([grant]), grant).Message);
    }

    [Fact]
    public void AStatusMovesItsTransitionTimeOnlyWhenItFlips()
    {
        var grant = AccessObjects.Grant("g");
        var accepted = new Verdict("Accepted", "Accepted", "ok").ToStatus(grant, Noon.AddMilliseconds(500));
        Assert.Equal((3L, "Accepted", "ok"), (accepted.ObservedGeneration, accepted.Phase, accepted.Message));
        Assert.Equal(
            new Condition { Type = "Accepted", Status = "True", ObservedGeneration = 3, LastTransitionTime = "2026-03-26T12:00:00Z", Reason = "Accepted", Message = "ok" },
            accepted.Conditions!.Single());
        var disabled = new Verdict("Disabled", "Disabled", "off").ToStatus(Reporting(accepted), Noon.AddHours(1));
        Assert.Equal(("True", "Disabled", "2026-03-26T12:00:00Z"), Flat(disabled));
        var refused = new Verdict("Rejected", "Invalid", new string('x', 9000)).ToStatus(Reporting(disabled), Noon.AddHours(2));
        Assert.Equal(("False", "Invalid", "2026-03-26T14:00:00Z"), Flat(refused));
        Assert.Equal(4096, refused.Message!.Length);

        MCPAccessGrant Reporting(AccessStatus status) => AccessObjects.Read(
            $$"""{"metadata":{"name":"g","generation":3},"status":{{JsonSerializer.Serialize(status, ApiJsonContext.Default.AccessStatus)}}}""", AccessObjects.AsGrant);

        static (string, string, string) Flat(AccessStatus status) =>
            (status.Conditions!.Single().Status, status.Conditions![0].Reason, status.Conditions[0].LastTransitionTime);
    }
}
