using System.Security.Cryptography;
using System.Text;

namespace McpOperator.Envtest;

/// <summary>Documents for the stand-in of a gateway: the smallest of the golden vectors, and the same with a grant.</summary>
internal static class Policies
{
    private const string Head = """{"schema_version":"v1","revision":"","server":{"name":"demo","namespace":"mcp-servers","cluster":"local"},"auth":{"mode":"header","human_id_header":"X-MCP-Human-ID","agent_id_header":"X-MCP-Agent-ID","team_id_header":"X-MCP-Team-ID","session_id_header":"X-MCP-Agent-Session","token_header":"Authorization"},"policy":{"mode":"allow-list","default_decision":"deny","enforce_on":"call_tool","policy_version":"v1"},"session":{"store":"kubernetes","header_name":"X-MCP-Agent-Session","max_lifetime":"24h","idle_timeout":"1h","upstream_token_header":"Authorization"}""";

    public static string Minimal { get; } = WithRevision(Head + "}");

    public static string WithAGrantForAnn { get; } = WithRevision(
        Head + ""","grants":[{"name":"ann-may-echo","namespace":"mcp-servers","human_id":"ann","max_trust":"low","tool_rules":[{"name":"echo","decision":"allow","required_trust":"low"}]}]}""");

    private static string WithRevision(string compact) => compact.Replace(
        "\"revision\":\"\"", $"\"revision\":\"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(compact)))}\"", StringComparison.Ordinal);
}
