using McpOperator.Api;
using McpOperator.Mirror;

namespace McpOperator.Servers.Readiness;

/// <summary>What came of asking one pod.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>; <see cref="Reasons.McpPending"/> when it was not asked.</param>
/// <param name="Detail">What came instead of an answer, or why it was not asked; empty of an answer.</param>
/// <param name="Asked">What was asked last.</param>
/// <param name="Info">Without its revision; null without an answer.</param>
/// <param name="Way">How it answered; null when it did not.</param>
/// <param name="Pod">Its name; empty when there was none.</param>
/// <param name="PodHash">Of its template; null when there was none.</param>
internal sealed record McpAnswer(
    string Reason, string Detail = "", string Asked = "", McpInfo? Info = null, McpTools? Tools = null, McpWay? Way = null, string Pod = "", string? PodHash = null)
{
    public bool IsAnswer => Reason is Reasons.McpAnswered or Reasons.AuthRequired;

    public McpResult Result => Reason switch
    {
        Reasons.McpAnswered => McpResult.Answered,
        Reasons.AuthRequired => McpResult.AuthRequired,
        Reasons.McpNotAnswering => McpResult.NotAnswering,
        Reasons.McpPending => McpResult.NotAsked,
        _ => McpResult.ProtocolError,
    };
}

/// <summary>Where a server answers, so that it is asked there the next time.</summary>
/// <param name="IsEventStream">In the way from before 2025-03-26.</param>
internal sealed record McpWay(string Path, bool IsEventStream);
