using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

/// <summary>What one member may take, and who has to go when not all have room.</summary>
public sealed class PolicyFitTests
{
    private static readonly ObjectKey Key = new("servers", "demo");
    private static readonly DateTimeOffset Noon = AccessGen.Noon;

    private static PolicyHead Head(string decision = "deny") => AccessObjects.Head(AccessObjects.Server(
        $$$"""{"policy":{"mode":"allow-list","defaultDecision":"{{{decision}}}"}}"""));

    private static AccessJudgement Of(
        PolicyHead head, int room, IReadOnlyList<MCPAccessGrant> grants, params IReadOnlyList<MCPAgentSession> sessions) =>
        AccessJudgement.Of(Key, AccessObjects.Server(allow: "*"), head, grants, sessions, Noon, room);

    private static string TextOf(AccessJudgement members) => new PolicyDocument(members.Head!, members.Grants, members.Sessions).ToText(Noon);

    private static int SizeOf(AccessJudgement members) => Encoding.UTF8.GetByteCount(TextOf(members));

    private static T At<T>(T member, int minute)
        where T : AccessObject => member with { Metadata = member.Metadata with { CreationTimestamp = Noon.AddMinutes(minute) } };

    private static Verdict Of(AccessJudgement members, AccessObject member) => members.Verdicts.Single(entry => ReferenceEquals(entry.Member, member)).Verdict;

    private static string Names(AccessJudgement members) => string.Join(' ', members.Grants.Select(grant => grant.Metadata.Name)
        .Concat(members.Sessions.Select(session => session.Metadata.Name)).Order(StringComparer.Ordinal));

    /// <summary>Members as large as asked for, to the byte.</summary>
    private static MCPAccessGrant GrantOf(int size, string name = "g", string ns = "servers")
    {
        var grant = AccessObjects.Grant(name, ns);
        var rules = Enumerable.Range(0, size / 200).Select(i => new ToolRule { Name = $"{i:000}" }).ToArray();
        grant = grant with { Spec = grant.Spec with { ToolRules = rules, AllowedSideEffects = ["read"] } };
        for (var i = 0; i < rules.Length; i++)
            rules[i] = rules[i] with { Name = rules[i].Name + new string('t', Math.Min(200, size - new AccessObjectSize(null).Of(grant))) };
        Assert.Equal(size, new AccessObjectSize(null).Of(grant));
        return grant;
    }

    [Fact]
    public void OneMayTakeItsBudgetAndNotAByteMore()
    {
        var (fits, large, other) = (GrantOf(32 * 1024, "fits"), GrantOf(32 * 1024 + 1, "large"), AccessObjects.Grant("other"));
        var members = Of(Head(), PolicyConfigMapBuilder.MaxBytes, [fits, large, other]);
        Assert.Equal("fits other", Names(members));
        Assert.Equal(
            new Verdict("Rejected", "TooLarge", "It would take 32,769 bytes of the policy, and one may take 32,768: " +
                "shorten spec.toolRules and the ids of spec.subject, or spread the rules over several grants"),
            Of(members, large));
        Assert.False(Of(members, large).TakesPolicy);
        Assert.Equal("Accepted", Of(members, fits).Reason);
    }

    [Fact]
    public void OneThatIsTooLargeKeepsNoName()
    {
        var (large, other) = (GrantOf(32 * 1024 + 1), AccessObjects.Grant("g", "team"));
        Assert.Equal([other], Of(Head(), PolicyConfigMapBuilder.MaxBytes, [large, other]).Grants);
        // And where there is no document there is no budget.
        Assert.Equal("Accepted", Of(AccessJudgement.Of(Key, AccessObjects.Server(), null, [large], [], Noon), large).Reason);
    }

    /// <summary>Three of these silenced all the others, and kept each revocation from the gateways.</summary>
    [Fact]
    public void ManyLargeOnesOfAnotherNamespaceSilenceNobody()
    {
        MCPAccessGrant[] large = [.. Enumerable.Range(0, 60).Select(i => GrantOf(32 * 1024 - 5, $"large-{i:00}", "team"))];
        var own = At(AccessObjects.Grant("own"), 1);
        var members = Of(Head(), PolicyConfigMapBuilder.MaxBytes, [.. large, own]);
        Assert.Contains(own, members.Grants);
        Assert.Equal(31, members.Grants.Count(grant => grant.Metadata.Namespace == "team"));
        Assert.Equal(29, members.LeftOut);
        Assert.InRange(SizeOf(members), PolicyConfigMapBuilder.MaxBytes - AccessObjectSize.Limit, PolicyConfigMapBuilder.MaxBytes);
        Assert.Equal(
            new Verdict("Rejected", "PolicyFull", "The policy of MCPServer servers/demo is full, and has no room for it: " +
                "delete grants and sessions of that server that nobody needs, or shorten their toolRules"),
            Of(members, large[59]));
        Assert.True(Of(members, large[59]).TakesPolicy);
    }

    [Fact]
    public void ADocumentThatFitsToTheByteHoldsAll()
    {
        MCPAccessGrant[] grants = [AccessObjects.Grant("a"), AccessObjects.Grant("b", fields: """ "subject":{"humanID":"<é😀"} """)];
        MCPAgentSession[] sessions = [AccessObjects.Session("s"), AccessObjects.Session("t")];
        var size = SizeOf(Of(Head(), int.MaxValue, grants, sessions));
        Assert.Equal("a b s t", Names(Of(Head(), size, grants, sessions)));
        Assert.Equal("a b s", Names(Of(Head(), size - 1, grants, sessions)));

        var alone = SizeOf(Of(Head(), size, [grants[0]]));
        Assert.Equal("a", Names(Of(Head(), alone, grants, sessions)));
        Assert.Equal("", Names(Of(Head(), alone - 1, grants, sessions)));
    }

    [Fact]
    public void ExpiredSessionsGoFirstThenOtherNamespacesAndTheNewestFirst()
    {
        const string Past = """ "expiresAt":"2026-03-26T11:00:00Z" """;
        MCPAccessGrant[] grants =
        [
            At(AccessObjects.Grant("own-3"), 3), At(AccessObjects.Grant("own-1"), 1),
            At(AccessObjects.Grant("foreign-1", "a"), 1), At(AccessObjects.Grant("foreign-0", "b"), 0), At(AccessObjects.Grant("foreign-2", "a"), 2),
        ];
        MCPAgentSession[] sessions =
        [
            At(AccessObjects.Session("own-2"), 2), At(AccessObjects.Session("foreign-1s", "a"), 1), At(AccessObjects.Session("expired-0", fields: Past), 0),
            At(AccessObjects.Session("expired-f", "a", Past), -1), At(AccessObjects.Session("expired-r", fields: Past + ""","revoked":true"""), 1),
        ];
        var left = new List<string>();
        var all = Names(Of(Head(), int.MaxValue, grants, sessions)).Split(' ').ToHashSet();
        for (var room = SizeOf(Of(Head(), int.MaxValue, grants, sessions)); room >= Head().Size; room--)
        {
            var members = Of(Head(), room, grants, sessions);
            Assert.True(SizeOf(members) <= room);
            foreach (var name in all.Except(Names(members).Split(' ')).Except(left).ToList())
                left.Add(name);
            Assert.Equal(left.Count, members.LeftOut);
        }

        Assert.Equal(
            ["expired-f", "expired-r", "expired-0", "foreign-2", "foreign-1s", "foreign-1", "foreign-0", "own-3", "own-2", "own-1"], left);
        // Those that have expired are called so all the same.
        var none = Of(Head(), Head().Size, grants, sessions);
        Assert.Equal(["Expired", "Expired", "Revoked"], sessions[2..].Select(session => Of(none, session).Reason));
    }

    [Fact]
    public void NoneGoesPastOneThatDoesNotFit()
    {
        MCPAccessGrant[] grants = [At(AccessObjects.Grant("a"), 0), At(GrantOf(5000, "b"), 1), At(AccessObjects.Grant("c"), 2)];
        var room = SizeOf(Of(Head(), int.MaxValue, [grants[0], grants[2]])) + 1000;
        Assert.Equal("a", Names(Of(Head(), room, grants)));
    }

    [Fact]
    public void WhatTakesAwayStaysBeforeWhatAdds()
    {
        var allow = At(AccessObjects.Grant("allow"), 0);
        var deny = At(AccessObjects.Grant("deny", "team", """ "toolRules":[{"name":"t","decision":"deny"}] """), 1);
        var trust = At(AccessObjects.Grant("trust", "team", """ "toolRules":[{"name":"t","requiredTrust":"high"}] """), 2);
        var off = At(AccessObjects.Grant("off", "team", """ "disabled":true,"toolRules":[{"name":"t","decision":"deny"}] """), 3);
        MCPAccessGrant[] grants = [allow, deny, trust, off];
        var size = SizeOf(Of(Head(), int.MaxValue, grants));
        Assert.Equal("allow deny trust", Names(Of(Head(), size - 1, grants)));
        Assert.Equal("deny trust", Names(Of(Head(), SizeOf(Of(Head(), int.MaxValue, [deny, trust])), grants)));
        // Without one of them somebody might do what it denies: so nobody does anything.
        Assert.Equal("", Names(Of(Head(), SizeOf(Of(Head(), int.MaxValue, [deny, trust])) - 1, grants)));
    }

    [Fact]
    public void WhenGrantsAreLeftOutNothingIsAllowedByDefault()
    {
        MCPAccessGrant[] grants = [At(AccessObjects.Grant("a"), 0), At(AccessObjects.Grant("b"), 1), At(AccessObjects.Grant("off", fields: """ "disabled":true """), 2)];
        var head = Head("allow");
        var all = Of(head, int.MaxValue, grants);
        Assert.Same(head, all.Head);
        // A disabled one denies nothing.
        Assert.Same(head, Of(head, SizeOf(all) - 1, grants).Head);
        var full = Of(head, SizeOf(Of(head, int.MaxValue, grants[..1])), grants);
        Assert.Equal("a", Names(full));
        Assert.Equal("deny", (string?)JsonNode.Parse(TextOf(full))!["policy"]!["default_decision"]);
        Assert.Equal(TextOf(Of(Head(), int.MaxValue, grants[..1])), TextOf(full));
    }

    [Fact]
    public void TwoThousandSmallOnesAreNotMeasured()
    {
        List<MCPAccessGrant> grants = [.. Enumerable.Range(0, 2000).Select(i => AccessObjects.Grant(
            $"grant-{i}", fields: $$""" "subject":{"humanID":"user-{{i}}@example.com"},"allowedSideEffects":["read"],"toolRules":[{"name":"refund"},{"name":"read"}] """))];
        var head = Head();
        var size = new AccessObjectSize(head.Team);
        long Allocated()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var grant in grants)
                Assert.True(size.AtMost(grant) <= AccessObjectSize.Limit);
            Assert.Null(PolicyFit.Of(head, grants, [], "servers", Noon, PolicyConfigMapBuilder.MaxBytes));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated();
        Assert.InRange(Allocated(), 0, 4096);
        Assert.Equal(2000, Of(head, PolicyConfigMapBuilder.MaxBytes, grants).Grants.Count);
    }

    /// <summary>Whatever a gateway would deny if all had room, it denies.</summary>
    [Fact]
    public void WhoeverIsLeftOutNobodyMayDoMore()
    {
        var (left, denied) = (0, 0);
        Gen.Select(AccessGen.Server, AccessGen.Crowd(AccessGen.Grant, 6), AccessGen.Crowd(AccessGen.Session, 4), Gen.Int[0, 100]).Sample(
            (server, grants, sessions, percent) =>
            {
                grants = [.. grants.Where(grant => grant.Spec.ToolRules!.Count < 10)];
                server = server with { AllowAccessFrom = "*" };
                var head = AccessObjects.Head(server);
                var all = AccessJudgement.Of(Key, server, head, grants, sessions, Noon, int.MaxValue);
                var room = head.Size + (SizeOf(all) - head.Size) * percent / 100;
                var some = AccessJudgement.Of(Key, server, head, grants, sessions, Noon, room);
                Assert.True(SizeOf(some) <= room);
                Interlocked.Add(ref left, some.LeftOut);
                var (before, after) = (JsonNode.Parse(TextOf(all))!, JsonNode.Parse(TextOf(some))!);
                foreach (var human in AccessGen.People)
                {
                    foreach (var agent in AccessGen.Agents)
                    {
                        foreach (var team in AccessGen.Teams)
                        {
                            foreach (var tool in AccessGen.Tools)
                            {
                                var may = GatewayDecisions.MayCall(after, (human, agent, team), tool, Noon);
                                Assert.True(!may || GatewayDecisions.MayCall(before, (human, agent, team), tool, Noon), $"{human} {agent} {team} {tool}");
                                Interlocked.Add(ref denied, may ? 0 : 1);
                            }
                        }
                    }
                }
            }, iter: 1_000);
        Assert.True(left > 500 && denied > 500, $"{left} left out, {denied} denied");
    }
}
