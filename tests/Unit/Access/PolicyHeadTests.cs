using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

/// <summary>What of a document outlives a spec that cannot be followed.</summary>
public sealed class PolicyHeadTests
{
    private static readonly ObjectKey Key = new("servers", "demo");
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static PolicyHead? Read(string text) => PolicyHead.Read(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void OfTheSameMembersAStoredHeadMakesTheSameDocument() => Gen.Select(
        PolicyGen.Server, PolicyGen.Grant.Array[0, 4], PolicyGen.Session.Array[0, 4], Gen.Int[0, 4], Gen.Int[0, 4], Gen.Bool).Sample(
        (server, grants, sessions, fewer, still, hasTime) =>
        {
            var written = AccessObjects.Document(server, grants, sessions);
            var head = Read(written.ToText(hasTime ? Time : null))!;
            Assert.True(head.IsFrozen);
            Assert.Equal(Key, head.Server);
            Assert.Equal(AccessObjects.Head(server).Size, head.Size);
            var again = new PolicyDocument(head, grants, sessions);
            Assert.Equal(written.Revision, again.Revision);
            Assert.Equal(written.ToText(Time), again.ToText(Time));
            Assert.All(grants, grant => Assert.True(head.HadGrant(grant.Key)));
            Assert.All(sessions, session => Assert.True(head.HadSession(session.Key)));
            Assert.False(head.HadGrant(new ObjectKey("servers", "other")) || head.HadSession(new ObjectKey("servers", "other")));

            var (someGrants, someSessions) = (grants.Take(fewer).ToList(), sessions.Take(still).ToList());
            Assert.Equal(AccessObjects.Document(server, someGrants, someSessions).ToText(Time), new PolicyDocument(head, someGrants, someSessions).ToText(Time));
        }, iter: 1_000);

    [Fact]
    public void WhatWasTamperedWithIsNoHead()
    {
        var text = AccessObjects.Document(AccessObjects.Server("""{"teamID":"t"}""")).ToText(Time);
        Assert.NotNull(Read(text));
        Assert.Null(Read(text.Replace("\"team_id\": \"t\"", "\"team_id\": \"u\"", StringComparison.Ordinal)));
        Assert.Null(Read("{}"));
        Assert.Null(Read(""));
    }

    /// <summary>Whoever can write a document can give it a hash that fits. What is not ours in form would be another document.</summary>
    [Theory]
    [InlineData("""{"schema_version":"v1","revision":"","server":{"name":"demo","namespace":"servers"},"policy":{"mode":"observe"}}""", true)]
    [InlineData("""{"schema_version":"v1","revision":"","server":{"name":"demo"},"policy":{"mode":"observe","more":{"a":[]}}}""", true)]
    [InlineData("""{"schema_version":"v2","revision":"","server":{"name":"demo"}}""", false)]
    [InlineData("""{"revision":"","server":{"name":"demo"}}""", false)]
    [InlineData("""{"schema_version":"v1","revision":""}""", false)]
    [InlineData("""{"schema_version":"v1","revision":"","server":{}}""", false)]
    [InlineData("""{"schema_version":"v1","revision":"","server":"demo"}""", false)]
    [InlineData("""{"schema_version":"v1","revision":"","server":{"name":"demo"},"more":"x"}""", false)]
    [InlineData("""{"schema_version":"v1","revision":"","policy":{},"server":{"name":"demo"}}""", false)]
    [InlineData("""{"schema_version":"v1","revision":"","server":{"name":"demo"},"grants":[],"grants":[]}""", false)]
    [InlineData("""["v1"]""", false)]
    public void OnlyTheFormThatWeWriteIsRead(string compact, bool isRead)
    {
        var revision = NaivePolicy.Hash(compact);
        var text = compact.Replace("\"revision\":\"\"", $"\"revision\":\"{revision}\"", StringComparison.Ordinal);
        var head = Read(text);
        Assert.Equal(isRead, head is not null);
        if (head is not null)
            Assert.Equal(revision, new PolicyDocument(head, [], []).Revision);
    }

    [Fact]
    public void OneThatIsClosedLetsNobodyIn()
    {
        var head = PolicyHead.DenyAll(Key, new OperatorSettings { ClusterName = "local" });
        Assert.True(head.IsFrozen);
        Assert.False(head.HadGrant(new ObjectKey("servers", "g")) || head.HadSession(new ObjectKey("servers", "s")));
        var text = new PolicyDocument(head, [], []).ToText(null);
        Assert.Empty(GatewayRules.Broken(JsonNode.Parse(text)!));
        // The smallest vector, but for the namespace.
        var vector = AccessObjects.Server("""{"image":"i","gateway":{"enabled":true}}""");
        vector = vector with { Spec = Defaults.Apply("demo", vector.Spec, new OperatorSettings()) };
        Assert.Equal(AccessObjects.Document(vector).ToText(null), text);
        Assert.Equal(("allow-list", "deny"), ((string?)JsonNode.Parse(text)!["policy"]!["mode"], (string?)JsonNode.Parse(text)!["policy"]!["default_decision"]));
    }

    [Fact]
    public void OneThatIsTooLargeSaysSo()
    {
        static PolicyHead With(int length) => AccessObjects.Head(AccessObjects.Server() with
        {
            Spec = new MCPServerSpec { Tools = [new ToolConfig { Name = "t", Description = new string('x', length) }] },
        });
        var room = PolicyConfigMapBuilder.MaxBytes - With(1).Size + 1;
        Assert.False(With(room).IsTooLarge);
        Assert.Equal(PolicyConfigMapBuilder.MaxBytes, Encoding.UTF8.GetByteCount(new PolicyDocument(With(room), [], []).ToText(Time)));
        Assert.True(With(room + 1).IsTooLarge);
    }

    [Theory]
    [InlineData("""{"replicas":-1}""", false)]
    [InlineData("""{"image":"","port":99999,"gateway":{"enabled":true}}""", false)]
    [InlineData("""{"prompts":[{}],"ingressPath":"a b"}""", false)]
    [InlineData("""{"teamID":"a b"}""", true)]
    [InlineData("""{"tools":[{"name":"t"}]}""", true)]
    [InlineData("""{"auth":{"mode":"ldap"}}""", true)]
    [InlineData("""{"auth":{"mode":"mtls"}}""", false)]
    [InlineData("""{"auth":{"mode":"mtls"},"gateway":{"enabled":true}}""", true)]
    [InlineData("""{"auth":{"mode":"mtls","trustDomain":"example.org"},"gateway":{"enabled":true}}""", false)]
    [InlineData("""{"auth":{"mode":"oauth"},"gateway":{"enabled":true}}""", true)]
    [InlineData("""{"policy":{"defaultDecision":"maybe"}}""", true)]
    [InlineData("""{"session":{"headerName":"a b"}}""", true)]
    [InlineData("""{"session":{"maxLifetime":"7d"}}""", false)]
    [InlineData("""{"replicas":"one"}""", true)]
    public void OnlyWhatAPolicyIsMadeOfKeepsItFromBeingWritten(string spec, bool hasAccessFault)
    {
        var server = AccessObjects.Server(spec);
        server = server with { Spec = Defaults.Apply("demo", server.Spec, new OperatorSettings()) };
        var (all, access) = (Validation.Validate(server, new OperatorSettings()), Validation.AccessFaults(server));
        Assert.NotEmpty(all);
        Assert.Equal(hasAccessFault, access.Count > 0);
        Assert.Subset(all.ToHashSet(), access.ToHashSet());
    }
}
