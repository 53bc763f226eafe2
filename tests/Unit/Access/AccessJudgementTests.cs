using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

public sealed class AccessJudgementTests
{
    private static readonly ObjectKey Key = new("servers", "demo");
    private static readonly DateTimeOffset Noon = new(2026, 3, 26, 12, 0, 0, TimeSpan.Zero);

    private static AccessJudgement Of(
        IEnumerable<MCPAccessGrant>? grants = null, IEnumerable<MCPAgentSession>? sessions = null, string? allow = null, bool exists = true) =>
        AccessJudgement.Of(
            Key, exists ? AccessObjects.Server(allow: allow) : null, exists ? AccessObjects.Head(AccessObjects.Server()) : null,
            grants ?? [], sessions ?? [], Noon);

    private static Verdict Of(AccessJudgement members, AccessObject member) => members.Verdicts.Single(entry => entry.Member == member).Verdict;

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
    public void OneThatIsBeingDeletedIsOutAtOnce()
    {
        var (grant, session) = (Deleting(AccessObjects.Grant("g")), Deleting(AccessObjects.Session("s")));
        var (other, another) = (AccessObjects.Grant("g", "a"), AccessObjects.Session("s", "a"));
        var members = Of([grant, other], [session, another], allow: "a");
        Assert.Equal([other], members.Grants);
        Assert.Equal([another], members.Sessions);
        var verdict = new Verdict("Rejected", "Terminating", "It is being deleted: the policy leaves it out already");
        Assert.Equal((verdict, verdict), (Of(members, grant), Of(members, session)));
        // Which is true as soon as the document says so.
        Assert.True(verdict.TakesPolicy);
        // What was never in it is told so at once.
        var bad = Deleting(AccessObjects.Grant("bad", fields: """ "maxTrust":"x" """));
        Assert.Equal(("Invalid", "NamespaceNotAllowed"), (Of(Of([bad]), bad).Reason, Of(Of([Deleting(other)]), Deleting(other)).Reason));
    }

    private static T Deleting<T>(T member)
        where T : AccessObject => member with { Metadata = member.Metadata with { DeletionTimestamp = Noon } };

    /// <summary>The document that stands there: two grants and two sessions of two namespaces.</summary>
    private static PolicyHead Stored() => PolicyHead.Read(Encoding.UTF8.GetBytes(AccessObjects.Document(
        AccessObjects.Server("""{"teamID":"blue"}"""),
        [AccessObjects.Grant("f", "a"), AccessObjects.Grant("g")], [AccessObjects.Session("t", "a"), AccessObjects.Session("s")]).ToText(Noon)))!;

    private static AccessJudgement Frozen(
        PolicyHead head, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions, string? allow = "a") =>
        AccessJudgement.Of(Key, AccessObjects.Server("""{"replicas":"none"}""", allow: allow), head, grants, sessions, Noon);

    [Fact]
    public void AFrozenDocumentKeepsWhatStoodThereAsItIsNow()
    {
        var (edited, off) = (AccessObjects.Grant("g", fields: """ "maxTrust":"high" """), AccessObjects.Grant("f", "a", """ "disabled":true """));
        var (revoked, expired) = (AccessObjects.Session("s", fields: """ "revoked":true """), AccessObjects.Session("t", "a", """ "expiresAt":"2026-03-26T11:00:00Z" """));
        var members = Frozen(Stored(), [edited, off], [revoked, expired]);
        Assert.Equal([off, edited], members.Grants);
        Assert.Equal([expired, revoked], members.Sessions);
        Assert.Equal(["Accepted", "Disabled", "Revoked", "Expired"], members.Verdicts.Select(entry => entry.Verdict.Reason));
        Assert.Equal("Accepted for MCPServer servers/demo", members.Verdicts[0].Verdict.Message);
        Assert.Contains("\"team_id\": \"blue\"", new PolicyDocument(members.Head!, members.Grants, members.Sessions).ToText(null).Split("\"grants\"")[1], StringComparison.Ordinal);
    }

    /// <summary>It takes away from those who are in the document.</summary>
    [Fact]
    public void WhatOnlyDeniesComesIntoAFrozenDocument()
    {
        var denies = AccessObjects.Grant("denies", fields: """ "toolRules":[{"name":"x","decision":"deny"}] """);
        var off = AccessObjects.Grant("off", fields: """ "disabled":true,"toolRules":[{"name":"x","decision":"deny"}] """);
        var asks = AccessObjects.Grant("asks", fields: """ "toolRules":[{"name":"x","requiredTrust":"high"}] """);
        var both = AccessObjects.Grant("both", fields: """ "toolRules":[{"name":"x","decision":"deny"},{"name":"y"}] """);
        Assert.Equal([denies], Frozen(Stored(), [denies, off, asks, both], []).Grants);
    }

    [Fact]
    public void NobodyNewComesIntoAFrozenDocument()
    {
        // Not under the name of one that stands there either, and not for it that its own namespace comes first.
        MCPAccessGrant[] grants = [AccessObjects.Grant("new"), AccessObjects.Grant("f"), AccessObjects.Grant("f", "a"), AccessObjects.Grant("off", fields: """ "disabled":true """)];
        MCPAgentSession[] sessions = [AccessObjects.Session("new"), AccessObjects.Session("revoked", fields: """ "revoked":true """), Deleting(AccessObjects.Session("going"))];
        var members = Frozen(Stored(), grants, sessions);
        Assert.Equal([grants[2]], members.Grants);
        Assert.Empty(members.Sessions);
        Assert.Equal([grants[2].Key], members.Verdicts.Select(entry => entry.Member.Key));

        // What is wrong with one is its own affair.
        MCPAccessGrant[] bad = [AccessObjects.Grant("bad", fields: """ "maxTrust":"x" """), AccessObjects.Grant("foreign", "b")];
        Assert.Equal(["Invalid", "NamespaceNotAllowed"], Frozen(Stored(), bad, []).Verdicts.Select(entry => entry.Verdict.Reason));
    }

    [Fact]
    public void WhatIsTakenAwayLeavesAFrozenDocument()
    {
        MCPAccessGrant[] grants = [Deleting(AccessObjects.Grant("g")), AccessObjects.Grant("f", "a")];
        var members = Frozen(Stored(), grants, [AccessObjects.Session("s"), AccessObjects.Session("t", "a")], allow: null);
        Assert.Empty(members.Grants);
        Assert.Equal(["servers/s"], members.Sessions.Select(session => session.Key.ToString()));
        Assert.Equal(["Terminating", "NamespaceNotAllowed", "Accepted", "NamespaceNotAllowed"], members.Verdicts.Select(entry => entry.Verdict.Reason));
        Assert.Empty(Frozen(Stored(), [], []).Sessions);
    }

    [Fact]
    public void AClosedDocumentHoldsNobody()
    {
        var bad = AccessObjects.Grant("bad", fields: """ "maxTrust":"x" """);
        var members = Frozen(
            PolicyHead.DenyAll(Key, new OperatorSettings()), [AccessObjects.Grant("g"), bad],
            [AccessObjects.Session("s"), AccessObjects.Session("late", fields: """ "expiresAt":"2030-01-01T00:00:00Z" """)]);
        Assert.Empty(members.Grants);
        Assert.Empty(members.Sessions);
        Assert.Equal([bad], members.Verdicts.Select(entry => entry.Member));
        Assert.Null(members.NextExpiry);
    }

    [Fact]
    public void WithoutADocumentThereAreOnlyVerdicts()
    {
        var members = AccessJudgement.Of(Key, AccessObjects.Server(), null, [AccessObjects.Grant("g")], [AccessObjects.Session("s")], Noon);
        Assert.Empty(members.Grants);
        Assert.Empty(members.Sessions);
        Assert.Null(members.Head);
        Assert.Equal(2, members.Verdicts.Count);
    }

    /// <summary>Of random crowds, for random rooms, and with what stands there for half of them.</summary>
    [Fact]
    public void WhatADocumentHoldsIsWhatTheNaiveReadingSays()
    {
        var reasons = new ConcurrentDictionary<string, int>();
        Gen.Select(
            AccessGen.Server, AccessGen.Crowd(AccessGen.Grant, 8), AccessGen.Crowd(AccessGen.Session, 8), Gen.Int[0, 130],
            Gen.Frequency((3, Gen.Const(0)), (2, Gen.Int[1, 2])), Gen.Int[0, 8]).Sample(
            (server, grants, sessions, percent, kind, stood) =>
            {
                var settings = new OperatorSettings();
                // As it stood: the same names, though maybe another content; some of them are new since, some have gone.
                var stored = AccessObjects.Document(
                    server, [.. grants.Take(stood).DistinctBy(grant => grant.Metadata.Name).Select(grant => AccessObjects.Grant(grant.Metadata.Name, grant.Metadata.Namespace))],
                    [.. sessions.Skip(stood).DistinctBy(session => session.Metadata.Name)]).ToText(Noon);
                var (head, naive, frozen) = kind switch
                {
                    0 => (PolicyHead.Of(server, settings), NaivePolicy.Head(server, "local"), null),
                    1 => (PolicyHead.Read(Encoding.UTF8.GetBytes(stored))!, NaivePolicy.HeadOf(stored), JsonNode.Parse(stored)!.AsObject()),
                    _ => (PolicyHead.DenyAll(Key, settings), NaivePolicy.Head(Closed, "local"), []),
                };
                var all = AccessJudgement.Of(Key, server, head, grants, sessions, AccessGen.Noon, int.MaxValue);
                var size = Encoding.UTF8.GetByteCount(new PolicyDocument(head, all.Grants, all.Sessions).ToText(Noon));
                var room = percent >= 100 ? size : head.Size + (size - head.Size) * percent / 100;

                var members = AccessJudgement.Of(Key, server, head, grants, sessions, AccessGen.Noon, room);
                var expected = NaiveAccess.Of(Key, server, naive, frozen, grants, sessions, AccessGen.Noon, room);
                Assert.Equal(expected.Grants, members.Grants);
                Assert.Equal(expected.Sessions, members.Sessions);
                Assert.Equal(
                    expected.Said.Select(entry => (entry.Member.Key, entry.Reason)), members.Verdicts.Select(entry => (entry.Member.Key, entry.Verdict.Reason)));
                var document = new PolicyDocument(members.Head!, members.Grants, members.Sessions);
                Assert.Equal(expected.Revision, document.Revision);
                Assert.True(Encoding.UTF8.GetByteCount(document.ToText(Noon)) <= room);
                Assert.Empty(GatewayRules.Broken(JsonNode.Parse(document.ToText(null))!));
                foreach (var (_, reason) in expected.Said)
                    reasons.AddOrUpdate(reason, 1, (_, count) => count + 1);
            }, iter: 600);
        // Else it would have shown nothing.
        foreach (var reason in typeof(AccessReasons).GetFields().Select(field => (string)field.GetRawConstantValue()!).Except([AccessReasons.ServerNotFound]))
            Assert.True(reasons.GetValueOrDefault(reason) > 10, $"{reasons.GetValueOrDefault(reason)} times {reason}");
    }

    private static readonly MCPServer Closed = AccessObjects.Server() with
    {
        Spec = Defaults.Apply("demo", new MCPServerSpec { Gateway = new GatewayConfig { Enabled = true } }, new OperatorSettings()),
    };

    [Fact]
    public void WhoNamesNoServerIsInvalid()
    {
        var grant = AccessObjects.Read("""{"metadata":{"name":"g","namespace":"team"},"spec":"x"}""", AccessObjects.AsGrant);
        var session = AccessObjects.Read("""{"metadata":{"name":"s","namespace":"team"},"spec":{"subject":{"humanID":"h"}}}""", AccessObjects.AsSession);
        var members = AccessJudgement.Of(new ObjectKey("team", ""), null, null, [grant], [session], Noon);
        Assert.Equal(new Verdict("Rejected", "Invalid", "spec: must be an object"), Of(members, grant));
        Assert.Equal(new Verdict("Rejected", "Invalid", "spec.serverRef.name: is required: the name of an MCPServer"), Of(members, session));
    }

    [Fact]
    public void WhatNobodyEnforcesSaysSo()
    {
        var (grant, session) = (AccessObjects.Grant("g"), AccessObjects.Session("s"));
        var members = AccessJudgement.Of(Key, AccessObjects.Server("""{"gateway":{"enabled":false}}"""), null, [grant], [session], Noon);
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
