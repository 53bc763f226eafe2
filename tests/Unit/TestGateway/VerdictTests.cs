using System.Globalization;
using System.Text;
using McpOperator.Testing;

namespace McpOperator.Unit.TestGateway;

/// <summary>The stand-in of the gateway (hack/TestGateway) by the documents of the policy's golden vectors, and by docs/policy.md.</summary>
public sealed class VerdictTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-03-26T11:00:00Z", CultureInfo.InvariantCulture);

    private const string Minimal = """{"schema_version":"v1","revision":"sha256:14ca6671b6eef4c9b0070f0d0b55d49506d1c0385038fb69c635329b77f61010","server":{"name":"demo","namespace":"mcp-servers","cluster":"local"},"auth":{"mode":"header","human_id_header":"X-MCP-Human-ID","agent_id_header":"X-MCP-Agent-ID","team_id_header":"X-MCP-Team-ID","session_id_header":"X-MCP-Agent-Session","token_header":"Authorization"},"policy":{"mode":"allow-list","default_decision":"deny","enforce_on":"call_tool","policy_version":"v1"},"session":{"store":"kubernetes","header_name":"X-MCP-Agent-Session","max_lifetime":"24h","idle_timeout":"1h","upstream_token_header":"Authorization"}}""";

    private const string Members = """{"schema_version":"v1","revision":"sha256:903d3ff60a3d6b50bbfb751e44b7e2825887ff6bd48ef24440b1246dae9f9ade","server":{"name":"payments","namespace":"servers","team_id":"team-a","cluster":"local"},"grants":[{"name":"g1","namespace":"team-a","human_id":"u1","team_id":"team-a","max_trust":"low","allowed_side_effects":["read","write"],"policy_version":"v1","disabled":true,"tool_rules":[{"name":"x","decision":"allow","required_trust":"low"}]}],"sessions":[{"name":"s1","namespace":"team-b","agent_id":"a1","team_id":"team-a","consented_trust":"low","revoked":true,"expires_at":"2026-03-26T12:00:00Z","policy_version":"v1","upstream_token_ref":"sec/key"}]}""";

    [Theory]
    [InlineData(Minimal)]
    [InlineData(Members)]
    public void ADocumentIsTakenWhenItHashesToItsRevision(string json)
    {
        Assert.NotNull(Read(json));
        // As it is stored: indented, and with the time.
        var stored = json.Replace("\"server\"", "\"generated_at\": \"2026-03-26T12:00:00Z\",\n  \"server\"", StringComparison.Ordinal).Replace("{\"", "{\n    \"", StringComparison.Ordinal);
        Assert.NotNull(Read(stored));
        var e = Assert.Throws<InvalidDataException>(() => Read(json.Replace("local", "other", StringComparison.Ordinal)));
        Assert.Contains("the document says that it is sha256:", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADocumentOfAnotherServerOrNoneIsRefused()
    {
        Assert.Throws<InvalidDataException>(() => PolicyDocument.Read(Encoding.UTF8.GetBytes(Minimal), "demo", "elsewhere"));
        Assert.Throws<InvalidDataException>(() => PolicyDocument.Read("{}"u8));
        Assert.Throws<InvalidDataException>(() => PolicyDocument.Read("{"u8));
    }

    [Fact]
    public void WithoutAGrantTheDefaultDecides()
    {
        Assert.Equal("not_granted", Reason(Read(Minimal), new("u1"), "echo"));
        Assert.Null(Reason(Read(Minimal) with { Policy = new("allow-list", "allow") }, new("u1"), "echo"));
        Assert.Null(Reason(Read(Minimal) with { Policy = new("observe", "deny") }, new("u1"), "echo"));
        Assert.Equal("unauthorized", Reason(Read(Minimal) with { Auth = new("oauth") }, new("u1"), "echo"));
    }

    [Fact]
    public void AGrantCountsForItsSubjectAndWhileItIsEnabled()
    {
        var disabled = Read(Members);
        var enabled = disabled with { Grants = [disabled.Grants[0] with { Disabled = false }] };
        Assert.Equal("not_granted", Reason(disabled, new("u1", Team: "team-a"), "x"));
        Assert.Null(Reason(enabled, new("u1", Team: "team-a"), "x"));
        Assert.Equal("not_granted", Reason(enabled, new("u1", Team: "team-a"), "y"));
        Assert.Equal("not_granted", Reason(enabled, new("u2", Team: "team-a"), "x"));
        Assert.Equal("not_granted", Reason(enabled, new("u1"), "x"));
    }

    [Theory]
    [InlineData(null, false, "2026-03-26T12:00:00Z", "s1", "a1")]
    [InlineData("session_revoked", true, "2026-03-26T12:00:00Z", "s1", "a1")]
    [InlineData("session_expired", false, "2026-03-26T11:00:00Z", "s1", "a1")]
    [InlineData("session_unknown", false, "2026-03-26T12:00:00Z", "s2", "a1")]
    [InlineData("session_unknown", false, "2026-03-26T12:00:00Z", "s1", "a2")]
    [InlineData("session_required", false, "2026-03-26T12:00:00Z", null, "a1")]
    public void ASessionHasToBeOneOfTheCallersThatHolds(string? reason, bool revoked, string expires, string? named, string agent)
    {
        var document = Read(Members);
        document = document with
        {
            Grants = [new("g", TeamId: "team-a")],
            Session = new(Required: true),
            Sessions = [document.Sessions[0] with { Revoked = revoked, ExpiresAt = DateTimeOffset.Parse(expires, CultureInfo.InvariantCulture) }],
        };
        Assert.Equal(reason, Reason(document, new("u1", agent, "team-a", named), "x"));
    }

    [Theory]
    [InlineData("trust_too_low", "medium", null)]
    [InlineData(null, "high", null)]
    [InlineData("trust_too_low", "high", "medium")]
    public void TrustIsTheLowerOfGrantAndSession(string? reason, string max, string? consented)
    {
        var document = Read(Minimal) with
        {
            Tools = [new("refund", RequiredTrust: "high", SideEffect: "destructive")],
            Grants = [new("g", MaxTrust: max)],
            Sessions = consented is null ? [] : [new("s", ConsentedTrust: consented)],
        };
        Assert.Equal(reason, Reason(document, new(Session: consented is null ? null : "s"), "refund"));
    }

    [Fact]
    public void OneDenialOutweighsEveryGrant()
    {
        var document = Read(Minimal) with { Grants = [new("all"), new("but", AgentId: "a1", ToolRules: [new("echo", "deny")])] };
        Assert.Null(Reason(document, new(Agent: "a2"), "echo"));
        Assert.Equal("tool_denied", Reason(document, new(Agent: "a1"), "echo"));
        Assert.Null(Reason(document, new(Agent: "a1"), "add"));
    }

    [Fact]
    public void AGrantIsForItsSideEffectsOnly()
    {
        var document = Read(Minimal) with
        {
            Tools = [new("find", SideEffect: "read"), new("refund", SideEffect: "destructive")],
            Grants = [new("g", AllowedSideEffects: ["read"])],
        };
        Assert.Null(Reason(document, new(), "find"));
        Assert.Equal("not_granted", Reason(document, new(), "refund"));
    }

    private static PolicyDocument Read(string json) => PolicyDocument.Read(Encoding.UTF8.GetBytes(json));

    private static string? Reason(PolicyDocument document, Caller caller, string tool) => Verdict.Of(document, caller, tool, Now).Reason;
}
