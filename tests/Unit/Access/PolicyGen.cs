using CsCheck;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

/// <summary>Random servers, grants and sessions: sane ones, blank ones, and text that no encoder likes.</summary>
internal static class PolicyGen
{
    private static readonly Gen<string> Piece = Gen.Frequency(
        (4, Gen.Char.AlphaNumeric.Select(c => c.ToString())),
        (2, Gen.OneOf("\"", "\\", "/", "<", ">", "&", "\b", "\f", "\n", "\r", "\t", "\0", "\u001f", "\u007f", "\u0080", "\u2027", "\u2028", "\u2029", "\u202a")),
        (2, Gen.OneOf("é", "日本", "😀", "\U00010000", "\U0010ffff", "\ufffd", "\uffff", "\ue000", "{", "}", "[", "]", ":", ",", "'", "+", " ")),
        // Halves of surrogate pairs; two that meet may become a pair.
        (1, Gen.OneOf("\ud800", "\udbff", "\udc00", "\udfff")));

    public static readonly Gen<string> Text = Piece.Array[0, 12].Select(string.Concat);

    private static readonly Gen<string> Key = Gen.OneOf("a", "b", "A", "", "<", "\u2028", "\uffff", "\U00010000", "\ue000", "a\"b", "日本", "a\0");

    private static Gen<string?> Maybe(Gen<string> text) => Gen.Frequency((1, Gen.Const((string?)null)), (3, text.Select(t => (string?)t)));

    /// <summary>Any text, or none.</summary>
    private static readonly Gen<string?> Any = Maybe(Text);

    private static Gen<string?> Word(params string[] words) => Maybe(Gen.OneOf([.. words, "", " "]));

    private static readonly Gen<string?> Trust = Word("low", "medium", "high");
    private static readonly Gen<bool?> Flag = Gen.OneOf<bool?>(null, false, true);

    private static readonly Gen<ToolConfig> Tool = Gen.Select(
        Text, Any, Trust, Word("read", "write"), Trust, Gen.Dictionary(Key, Text)[0, 4], (name, description, trust, effect, risk, labels) => new ToolConfig
        {
            Name = name,
            Description = description,
            RequiredTrust = trust,
            SideEffect = effect,
            RiskLevel = risk,
            Labels = labels.Count == 0 ? null : labels,
        });

    private static readonly Gen<MCPServerSpec> Spec = Gen.Select(
        Any, Any, Any, Flag, Tool.Array[0, 3], Gen.Int[0, 15], (first, second, third, flag, tools, parts) => new MCPServerSpec
        {
            TeamID = (parts & 1) == 0 ? null : first,
            Auth = (parts & 2) == 0 ? null : new AuthConfig { Mode = first, HumanIDHeader = second, IssuerURL = third, TrustDomain = first },
            Policy = (parts & 4) == 0 ? null : new PolicyConfig { Mode = second, EnforceOn = third, PolicyVersion = first },
            Session = (parts & 8) == 0 ? null : new SessionConfig { Required = flag, Store = third, MaxLifetime = first },
            Tools = tools,
        });

    public static readonly Gen<MCPServer> Server = Spec.Select(spec => AccessObjects.Server() with { Spec = spec });

    private static readonly Gen<Subject> Subject = Gen.Select(Any, Any, Any, (human, agent, team) => new Subject { HumanID = human, AgentID = agent, TeamID = team });

    private static readonly Gen<ToolRule> Rule = Gen.Select(
        Text, Word("allow", "deny"), Trust, (name, decision, trust) => new ToolRule { Name = name, Decision = decision, RequiredTrust = trust });

    public static readonly Gen<MCPAccessGrant> Grant = Gen.Select(
        Name("g"), Subject, Trust, Word("read", "write", "destructive").Array[0, 3], Any, Flag, Rule.Array[0, 3],
        (key, subject, trust, effects, version, disabled, rules) => new MCPAccessGrant
        {
            Metadata = key,
            Spec = new MCPAccessGrantSpec
            {
                ServerRef = new ServerReference { Name = "demo", Namespace = "servers" },
                Subject = subject,
                MaxTrust = trust,
                AllowedSideEffects = [.. effects.Select(effect => effect ?? "read")],
                PolicyVersion = version,
                Disabled = disabled,
                ToolRules = rules,
            },
        });

    public static readonly Gen<MCPAgentSession> Session = Gen.Select(
        Name("s"), Subject, Trust, Maybe(Gen.OneOf("2026-03-26T12:00:00Z", "2026-03-26T12:00:00.999+05:30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")),
        Flag, Any, Gen.Bool, (key, subject, trust, expires, revoked, version, secret) => new MCPAgentSession
        {
            Metadata = key,
            Spec = new MCPAgentSessionSpec
            {
                ServerRef = new ServerReference { Name = "demo", Namespace = "servers" },
                Subject = subject,
                ConsentedTrust = trust,
                ExpiresAt = expires,
                Revoked = revoked,
                PolicyVersion = version,
                UpstreamTokenSecretRef = secret ? new SecretKeyRef { Name = "sec", Key = "key" } : null,
            },
        });

    private static Gen<ObjectMeta> Name(string prefix) => Gen.Select(
        Gen.OneOf("servers", "a", "b"), Gen.Int[0, 4], (ns, number) => new ObjectMeta { Name = $"{prefix}{number}", Namespace = ns });
}
