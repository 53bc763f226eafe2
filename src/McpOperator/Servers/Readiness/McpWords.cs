using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>What is told of asking a server, for a person.</summary>
internal static class McpWords
{
    /// <summary>Begins the words of what has not come to an answer of HTTP.</summary>
    public const string NoAnswer = "was not answered";

    /// <summary>The same every time, so that a restart finds what was reported.</summary>
    public static string Of(string reason) => reason == Reasons.AuthRequired
        ? "the server answers, and wants to know first who asks (401 or 403), which counts as an answer"
        : "the server has answered initialize";

    public static string OfFailure(McpAnswer answer) => $"{answer.Asked} (pod {answer.Pod}) {answer.Detail}; " + answer.Reason switch
    {
        Reasons.McpNotAnswering => $"see what the server logs (kubectl logs {answer.Pod})"
            + (answer.Detail.StartsWith(NoAnswer, StringComparison.Ordinal) ? ", and whether a NetworkPolicy keeps the operator from it" : ""),
        Reasons.ProtocolMismatch => $"it has to agree to a version of MCP, such as {JsonRpc.ProtocolVersion}",
        _ => "an MCP server is expected at spec.port, at the path of its route, at /mcp, or at /sse of the old transport",
    };
}
