using CsCheck;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

/// <summary>Random servers, grants and sessions of a small world, most of them valid, so that they meet: in names, subjects and tools.</summary>
internal static class AccessGen
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 26, 12, 0, 0, TimeSpan.Zero);

    public static readonly string[] People = ["ann", "bob"];
    public static readonly string[] Agents = ["x", "y"];
    public static readonly string[] Teams = ["red", "blue"];
    public static readonly string[] Tools = ["read", "write", "drop"];

    private static Gen<string?> Maybe(params string[] words) => Gen.OneOf<string?>([null, .. words]);

    private static readonly Gen<string?> Trust = Maybe("low", "medium", "high", "high");

    public static readonly Gen<MCPServer> Server = Gen.Select(
        Maybe(Teams), Gen.OneOf("allow", "deny", "deny"), Gen.Bool, Trust, Gen.OneOf<string?>(null, "a", "a, b", "*"),
        (team, decision, isRequired, trust, allow) =>
        {
            var spec = new MCPServerSpec
            {
                Image = "i",
                TeamID = team,
                Gateway = new GatewayConfig { Enabled = true },
                Policy = new PolicyConfig { DefaultDecision = decision },
                Session = new SessionConfig { Required = isRequired },
                Tools = [new() { Name = "read", SideEffect = "read" }, new() { Name = "write", SideEffect = "write", RequiredTrust = trust }],
            };
            return AccessObjects.Server(allow: allow) with { Spec = Defaults.Apply("demo", spec, new OperatorSettings()) };
        });

    private static Gen<ObjectMeta> Metadata(string prefix) => Gen.Select(
        Gen.OneOf("servers", "servers", "a", "b"), Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 9], (ns, number, created, deleted) => new ObjectMeta
        {
            Name = $"{prefix}{number}",
            Namespace = ns,
            CreationTimestamp = Noon.AddMinutes(created),
            DeletionTimestamp = deleted == 0 ? Noon : null,
        });

    private static readonly Gen<Subject> Subject = Gen.Select(
        Maybe(People), Maybe(Agents), Maybe(Teams), (human, agent, team) => new Subject { HumanID = human, AgentID = agent, TeamID = team });

    private static readonly Gen<ToolRule> Rule = Gen.Select(
        Gen.OneOf(Tools), Maybe("allow", "deny"), Trust, (name, decision, trust) => new ToolRule { Name = name, Decision = decision, RequiredTrust = trust });

    private static readonly ServerReference Reference = new() { Name = "demo", Namespace = "servers" };

    public static readonly Gen<MCPAccessGrant> Grant = Gen.Select(
        Metadata("g"), Subject, Gen.OneOf<string?>(null, "low", "medium", "high", "high", "total"), Gen.OneOf("read", "write", "destructive").Array[0, 3],
        Gen.OneOf<bool?>(null, null, false, true), Rule.Array[0, 3], Gen.Int[0, 30],
        (metadata, subject, trust, effects, disabled, rules, kind) => new MCPAccessGrant
        {
            Metadata = metadata,
            Spec = new MCPAccessGrantSpec
            {
                ServerRef = Reference,
                Subject = subject,
                MaxTrust = trust,
                AllowedSideEffects = effects,
                Disabled = disabled,
                ToolRules = kind == 0 ? Many : [.. rules.DistinctBy(rule => rule.Name)],
            },
        });

    /// <summary>Valid, and more than one may have.</summary>
    private static readonly ToolRule[] Many = [.. Enumerable.Range(0, 200).Select(i => new ToolRule { Name = $"<{i}>" + new string('t', 100) })];

    public static readonly Gen<MCPAgentSession> Session = Gen.Select(
        Metadata("s"), Subject, Trust, Maybe("2026-03-26T11:00:00Z", "2026-03-26T12:00:00Z", "2026-03-26T12:00:01Z", "2126-03-26T12:00:00Z"),
        Gen.OneOf<bool?>(null, null, false, true),
        (metadata, subject, trust, expires, revoked) => new MCPAgentSession
        {
            Metadata = metadata,
            Spec = new MCPAgentSessionSpec { ServerRef = Reference, Subject = subject, ConsentedTrust = trust, ExpiresAt = expires, Revoked = revoked },
        });

    /// <summary>No two of the same namespace and name: an API server has none.</summary>
    public static Gen<T[]> Crowd<T>(Gen<T> member, int most)
        where T : AccessObject => member.Array[0, most].Select(members => members.DistinctBy(one => one.Key).ToArray());
}
