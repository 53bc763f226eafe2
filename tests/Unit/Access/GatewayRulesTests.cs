using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

/// <summary>
/// Nothing is checked once more before a document is written: what validation lets through makes one that a gateway takes,
/// whatever else there is beside it.
/// </summary>
public sealed class GatewayRulesTests
{
    private static readonly OperatorSettings Settings = new() { GatewayImage = "g" };

    private static Gen<string?> Word(params string?[] words) => Gen.OneOf(words);

    private static readonly Gen<string?> Trust = Word(null, "", " ", "low", "medium", "high", "high", "low", "LOW", " low", "total");
    private static readonly Gen<string?> Decision = Word(null, "", "allow", "deny", "deny", "Allow", "maybe");
    private static readonly Gen<string?> Name = Word("a", "b", "c", "A", " a", "", null);
    private static readonly Gen<string?> Effect = Word("read", "write", "destructive", "read", "", null, "Read");

    private static readonly Gen<MCPServer> Server = Gen.Select(
        Word(null, "", "none", "header", "oauth", " oauth ", "mtls", "OAuth"), Word(null, " ", "https://id.example.com"),
        Word(null, "", "observe", "allow-list", "off"), Decision,
        Gen.Select(Name, Trust, Effect, (name, trust, effect) => new ToolConfig { Name = name, RequiredTrust = trust, SideEffect = effect }).Array[0, 3],
        (mode, issuer, policy, decision, tools) => AccessObjects.Server() with
        {
            Spec = new MCPServerSpec
            {
                Image = "i",
                Gateway = new GatewayConfig { Enabled = true },
                Tools = tools,
                Auth = new AuthConfig { Mode = mode, IssuerURL = issuer },
                Policy = new PolicyConfig { Mode = policy, DefaultDecision = decision },
            },
        });

    private static readonly Gen<MCPAccessGrant> Grant = Gen.Select(
        Word("servers", "a", "b", "c"), Gen.Int[0, 2], Trust, Effect.Array[0, 2],
        Gen.Select(Name, Decision, Trust, (name, decision, trust) => new ToolRule { Name = name, Decision = decision, RequiredTrust = trust }).Array[0, 2],
        (ns, number, trust, effects, rules) =>
        {
            var grant = AccessObjects.Grant($"g{number}", ns!);
            return grant with { Spec = grant.Spec with { MaxTrust = trust, AllowedSideEffects = effects!, ToolRules = rules } };
        });

    private static readonly Gen<MCPAgentSession> Session = Gen.Select(
        Word("servers", "a", "b", "c"), Gen.Int[0, 2], Trust, Word("a", "", null), (ns, number, trust, agent) =>
        {
            var session = AccessObjects.Session($"s{number}", ns!);
            return session with { Spec = session.Spec with { ConsentedTrust = trust, Subject = new Subject { AgentID = agent } } };
        });

    [Fact]
    public void WhateverIsValidMakesADocumentThatAGatewayTakes()
    {
        var (servers, grants, sessions) = (0, 0, 0);
        Gen.Select(Server, Grant.Array[0, 8], Session.Array[0, 8]).Sample(
            (server, ofServer, sessionsOfServer) =>
            {
                server = server with { Spec = Defaults.Apply("demo", server.Spec, Settings) };
                server = server with { AllowAccessFrom = "a,b" };
                // The gateway itself is not supported yet: that fault is not about the policy.
                if (Validation.Validate(server, Settings).Any(fault => fault.Field != "spec.gateway.enabled"))
                    server = server with { Spec = Defaults.Apply("demo", new MCPServerSpec { Image = "i", Gateway = new GatewayConfig { Enabled = true } }, Settings) };
                else
                    Interlocked.Increment(ref servers);
                var members = AccessJudgement.Of(new ObjectKey("servers", "demo"), server, AccessObjects.Head(server), ofServer, sessionsOfServer, DateTimeOffset.UnixEpoch);
                Interlocked.Add(ref grants, members.Grants.Count);
                Interlocked.Add(ref sessions, members.Sessions.Count);
                Assert.Empty(GatewayRules.Broken(JsonNode.Parse(AccessObjects.Document(server, members.Grants, members.Sessions).ToText(null))!));
            }, iter: 2_000);
        // Else it would have shown nothing.
        Assert.True(servers > 20 && grants > 500 && sessions > 500, $"{servers} servers, {grants} grants, {sessions} sessions");
    }

    [Theory]
    [InlineData("low", "total", "grant")]
    [InlineData("\"g1\"", "\"g2\"", "names")]
    [InlineData("allow-list", "off", "policy mode")]
    public void ABrokenDocumentIsSeen(string part, string other, string rule)
    {
        var server = AccessObjects.Server();
        server = server with { Spec = Defaults.Apply("demo", new MCPServerSpec { Image = "i", Gateway = new GatewayConfig { Enabled = true } }, Settings) };
        var text = AccessObjects.Document(server, [AccessObjects.Grant("g1"), AccessObjects.Grant("g2")]).ToText(null);
        Assert.Empty(GatewayRules.Broken(JsonNode.Parse(text)!));
        Assert.Contains(rule, GatewayRules.Broken(JsonNode.Parse(text.Replace(part, other, StringComparison.Ordinal))!));
    }
}
