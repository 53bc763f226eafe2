using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>Why an MCP server has not answered as it should.</summary>
/// <param name="reason">One of <see cref="Reasons"/>.</param>
/// <param name="detail">What came instead, in words that go on from what was asked, such as "answered 404".</param>
/// <param name="status">Of the HTTP answer; 0 when there was none.</param>
internal sealed class McpFault(string reason, string detail, int status = 0) : Exception(detail)
{
    public string Reason => reason;

    /// <summary>What was asked, such as "POST http://10.0.0.7:8088/mcp"; set by whoever knows it.</summary>
    public string Asked { get; set; } = "";

    /// <summary>Whether something else may answer: at another path, or in the way from before 2025-03-26. What says 408 or 429 is there, and busy.</summary>
    public bool IsRefusal => status is >= 400 and < 500 and not (401 or 403 or 408 or 429);
}
