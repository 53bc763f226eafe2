using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using McpOperator.Api;

namespace McpOperator.Unit.Access;

/// <summary>Documents whose hashes gateways are known to compute. They never change.</summary>
public sealed partial class PolicyVectorTests
{
    private const string Minimal =
        """{"schema_version":"v1","revision":"","server":{"name":"demo","namespace":"mcp-servers","cluster":"local"},"auth":{"mode":"header","human_id_header":"X-MCP-Human-ID","agent_id_header":"X-MCP-Agent-ID","team_id_header":"X-MCP-Team-ID","session_id_header":"X-MCP-Agent-Session","token_header":"Authorization"},"policy":{"mode":"allow-list","default_decision":"deny","enforce_on":"call_tool","policy_version":"v1"},"session":{"store":"kubernetes","header_name":"X-MCP-Agent-Session","max_lifetime":"24h","idle_timeout":"1h","upstream_token_header":"Authorization"}}""";

    private const string GrantsAndSessions =
        """{"schema_version":"v1","revision":"","server":{"name":"payments","namespace":"servers","team_id":"team-a","cluster":"local"},"grants":[{"name":"g1","namespace":"team-a","human_id":"u1","team_id":"team-a","max_trust":"low","allowed_side_effects":["read","write"],"policy_version":"v1","disabled":true,"tool_rules":[{"name":"x","decision":"allow","required_trust":"low"}]}],"sessions":[{"name":"s1","namespace":"team-b","agent_id":"a1","team_id":"team-a","consented_trust":"low","revoked":true,"expires_at":"2026-03-26T12:00:00Z","policy_version":"v1","upstream_token_ref":"sec/key"}]}""";

    private const string Escapes =
        """{"schema_version":"v1","revision":"","server":{"name":"demo","namespace":"ns"},"tools":[{"name":"t","description":"a\u003cb\u003e\u0026c \u2028 \u2029 é 日本 \"q\" \\ \t \n \u0001 """ + "\u007f" + """ 😀 \b \f /","required_trust":"low","side_effect":"read","labels":{"a":"2","z":"1"}}]}""";

    /// <summary>The description as a user would write it: a JSON string.</summary>
    private const string Description = """a<b>&c \u2028 \u2029 é 日本 \"q\" \\ \t \n \u0001 \u007f 😀 \b \f /""";

    [Fact]
    public void TheSmallestGatewayWithAllDefaults()
    {
        var server = AccessObjects.Server("""{"image":"i","gateway":{"enabled":true}}""", "demo", "mcp-servers");
        server = server with { Spec = Defaults.Apply("demo", server.Spec, new OperatorSettings()) };
        IsVector(server, [], [], "local", Minimal, "sha256:14ca6671b6eef4c9b0070f0d0b55d49506d1c0385038fb69c635329b77f61010");
    }

    [Fact]
    public void AGrantAndASession() => IsVector(
        AccessObjects.Server("""{"teamID":"team-a"}""", "payments", "servers"),
        [
            AccessObjects.Read("""
                {"metadata":{"name":"g1","namespace":"team-a"},"spec":{"serverRef":{"name":"payments","namespace":"servers"},
                 "subject":{"humanID":"u1"},"allowedSideEffects":["read","write"],"policyVersion":"v1","disabled":true,"toolRules":[{"name":"x"}]}}
                """, AccessObjects.AsGrant),
        ],
        [
            AccessObjects.Read("""
                {"metadata":{"name":"s1","namespace":"team-b"},"spec":{"serverRef":{"name":"payments","namespace":"servers"},
                 "subject":{"agentID":"a1"},"revoked":true,"expiresAt":"2026-03-26T13:00:00+01:00","policyVersion":"v1",
                 "upstreamTokenSecretRef":{"name":"sec","key":"key"}}}
                """, AccessObjects.AsSession),
        ],
        "local", GrantsAndSessions, "sha256:903d3ff60a3d6b50bbfb751e44b7e2825887ff6bd48ef24440b1246dae9f9ade");

    [Fact]
    public void WhatIsEscapedAndWhatIsNot()
    {
        var server = AccessObjects.Server(
            $$$"""{"tools":[{"name":"t","description":"{{{Description}}}","requiredTrust":"low","sideEffect":"read","labels":{"z":"1","a":"2"}}]}""", "demo", "ns");
        IsVector(server, [], [], "", Escapes, "sha256:b9aa060f299f57b703c317d25757b4ad85a7595bf20dc8cf8f21ab3b4b5298dd");
    }

    private static void IsVector(
        MCPServer server, IReadOnlyList<MCPAccessGrant> grants, IReadOnlyList<MCPAgentSession> sessions, string cluster, string compact, string revision)
    {
        var document = AccessObjects.Document(server, grants, sessions, cluster);
        Assert.Equal(compact, NaivePolicy.Compact(document.ToText(null), blankRevision: true));
        Assert.Equal(revision, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(compact)))}");
        Assert.Equal(revision, document.Revision);
    }

    [Fact]
    public void TheStoredFormIsIndentedByTwoSpacesWithoutANewLineAtTheEnd()
    {
        var server = AccessObjects.Server("""{"session":{"required":true},"tools":[{"name":"t","labels":{"b":"","a":"<"}},{"name":"u"}]}""", "demo", "ns");
        var document = AccessObjects.Document(server, [AccessObjects.Grant("g", "ns", """ "allowedSideEffects":["read","write"] """)], cluster: "");
        Assert.Equal(
            $$"""
            {
              "schema_version": "v1",
              "revision": "{{document.Revision}}",
              "generated_at": "2026-01-02T03:04:05Z",
              "server": {
                "name": "demo",
                "namespace": "ns"
              },
              "session": {
                "required": true
              },
              "tools": [
                {
                  "name": "t",
                  "labels": {
                    "a": "\u003c",
                    "b": ""
                  }
                },
                {
                  "name": "u"
                }
              ],
              "grants": [
                {
                  "name": "g",
                  "namespace": "ns",
                  "max_trust": "low",
                  "allowed_side_effects": [
                    "read",
                    "write"
                  ]
                }
              ]
            }
            """,
            document.ToText(new DateTimeOffset(2026, 1, 2, 5, 4, 5, 999, TimeSpan.FromHours(2))));
    }

    [Fact]
    public void LabelsAreSortedByTheirBytes()
    {
        // U+FFFF is EF BF BF and U+10000 is F0 90 80 80; in UTF-16 the second one comes first.
        var server = AccessObjects.Server("""{"tools":[{"name":"t","labels":{"\ud800\udc00":"3","\uffff":"2","z":"1","Z":"0"}}]}""", "demo", "ns");
        Assert.Contains(
            "\"labels\":{\"Z\":\"0\",\"z\":\"1\",\"\uffff\":\"2\",\"\U00010000\":\"3\"}",
            NaivePolicy.Compact(AccessObjects.Document(server).ToText(null), blankRevision: true), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFieldIsDocumented()
    {
        var server = AccessObjects.Server("""
            {"teamID":"t","auth":{"mode":"m","humanIDHeader":"h","agentIDHeader":"a","teamIDHeader":"t","sessionIDHeader":"s","tokenHeader":"t",
              "issuerURL":"i","audience":"a","trustDomain":"t"},
             "policy":{"mode":"m","defaultDecision":"d","enforceOn":"e","policyVersion":"v"},
             "session":{"required":true,"store":"s","headerName":"h","maxLifetime":"m","idleTimeout":"i","upstreamTokenHeader":"u"},
             "tools":[{"name":"n","description":"d","requiredTrust":"low","sideEffect":"read","riskLevel":"low","labels":{"name":"x"}}]}
            """);
        var grant = AccessObjects.Grant("g", fields: """
            "subject":{"humanID":"h","agentID":"a"},"allowedSideEffects":["read"],"policyVersion":"v","disabled":true,"toolRules":[{"name":"n"}]
            """);
        var session = AccessObjects.Session("s", fields: """
            "subject":{"humanID":"h","agentID":"a"},"revoked":true,"expiresAt":"2026-03-26T12:00:00Z","policyVersion":"v","upstreamTokenSecretRef":{"name":"s","key":"k"}
            """);
        var text = AccessObjects.Document(server, [grant], [session]).ToText(DateTimeOffset.UnixEpoch);
        var written = text.Split('\n').Where(line => line.Contains("\": ", StringComparison.Ordinal)).Select(line => line.Trim().Split('"')[1]);
        // The table of fields: their names, and two words that are none.
        var documented = File.ReadLines(RepositoryRoot.File("docs/policy.md"))
            .SkipWhile(line => line != "| object | fields |").Skip(2).TakeWhile(line => line.StartsWith('|'))
            .SelectMany(line => FieldName().Matches(line.Split(" | ")[1]).Select(match => match.Groups[1].Value))
            .Except(["v1", "secret/key"]);
        Assert.Equal(documented.Distinct().Order(), written.Distinct().Order());
    }

    [GeneratedRegex(@"`([^`\[]+)(\[\])?`")]
    private static partial Regex FieldName();
}
