using McpOperator.Api;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;

namespace McpOperator.Servers.Readiness;

/// <summary>Of a server with <c>readiness: mcp</c>: has it asked, and says what is known of it.</summary>
internal sealed class McpReadiness(Stores stores, ServerKinds kinds, McpProber prober)
{
    private static readonly string[] Failures = [Reasons.McpNotAnswering, Reasons.McpProtocolError, Reasons.ProtocolMismatch];

    /// <param name="pass">After all kinds had their turn.</param>
    public void Look(Pass pass)
    {
        if (pass.Spec.HasMcpReadiness())
            pass.Mcp = ReportOf(pass);
        else
            prober.Forget(pass.Server.Key);
    }

    private McpReport ReportOf(Pass pass)
    {
        var (server, reported) = (pass.Server, (ReportedMcp?)pass.Stored.Reported?.Special);
        var live = kinds.Stable.LiveAfter(pass);
        if (live is { DesiredReplicas: 0 } && DeploymentKind.IsReady(live))
        {
            // When it has pods again it begins anew: theirs may be of another day.
            prober.Forget(server.Key);
            return new McpReport(
                McpReport.Condition(true, pass.Spec.IsSuspended() ? Reasons.Suspended : Reasons.ScaledToZero, "no replicas are wanted, and none is asked"), reported?.Info,
                HasTools(pass) ? ToolsCondition.Unknown(Reasons.McpPending, "not compared, since no replicas are wanted") : null);
        }

        var isComplete = IsComplete(pass, live);
        var state = live is null ? null : stores.Mcp.Get(server.Key) is { } known && known.Uid == server.Metadata.Uid && known.Revision == live.Revision
            ? known : Reported(pass, live.Revision, isComplete);
        var tools = HasTools(pass) ? ToolsOf(pass, state?.Tools) : null;
        if (live is not null && isComplete && pass is { IsValid: true, IsPaused: false })
        {
            prober.Want(
                new McpTarget(server.Key, server.Metadata.Uid, live.Revision, live.Key.Name, pass.Spec.Port!.Value, McpPath.Of(server.Metadata.Name, pass.Spec)),
                isKnown: state is { IsAnswering: true }, isUrgent: tools is { Reason: Reasons.McpPending });
        }
        else
        {
            prober.Hold(server.Key);
        }

        var ready = state is not null ? McpReport.Condition(state.IsAnswering, state.Reason, state.Message)
            : McpReport.Condition(false, Reasons.McpPending, !isComplete ? "the server is asked when its pods are ready"
                : pass.IsPaused ? "the server is not asked while it is paused"
                : pass.IsValid ? "the server has not answered yet" : "the server is not asked while its spec is invalid");
        return new McpReport(ready, state?.Info ?? reported?.Info, tools);
    }

    private static bool HasTools(Pass pass) => pass.Spec.Tools is { Count: > 0 };

    /// <summary>Whether every ready pod is of the current revision. One of the stable track stands for the server; those of the canary have to be there, too.</summary>
    private bool IsComplete(Pass pass, ObservedDeployment? live) =>
        live is { IsTerminating: false } && DeploymentKind.IsReady(live)
        && (!pass.Spec.HasCanary() || (kinds.Canary.LiveAfter(pass) is { IsTerminating: false } canary && DeploymentKind.IsReady(canary)));

    /// <summary>
    /// What a process before this one has reported: an answer at this very revision, or why there was none, as long as nothing has changed. Null for
    /// neither.
    /// </summary>
    private static McpState? Reported(Pass pass, string revision, bool isComplete)
    {
        var (server, report) = (pass.Stored.Metadata, pass.Stored.Reported);
        if (report?.Special is not ReportedMcp told || report.Find(ConditionTypes.McpReady) is not { Reason: { } reason } condition)
            return null;
        if (condition.Status == "True" && reason is Reasons.McpAnswered or Reasons.AuthRequired && told.Info?.Revision == revision)
            return new McpState(server.Uid, revision, IsAnswering: true, reason, McpWords.Of(reason), told.Info, Tools: null);
        return condition.Status == "False" && Failures.Contains(reason) && isComplete && report.ObservedGeneration == server.Generation
            ? new McpState(server.Uid, revision, IsAnswering: false, reason, told.ReadyMessage ?? "", told.Info, Tools: null)
            : null;
    }

    private static ToolsCondition ToolsOf(Pass pass, McpTools? tools)
    {
        if (tools is not null)
            return McpReport.Compare(pass.Spec.Tools!, tools);
        var report = pass.Stored.Reported;
        return report?.ObservedGeneration == pass.Stored.Metadata.Generation && report.Special is ReportedMcp { ToolsMessage: { } message }
            && report.Find(ConditionTypes.ToolsMatch) is { Status: { } status, Reason: { } reason }
            ? new ToolsCondition(status, reason, message)
            : ToolsCondition.Unknown(Reasons.McpPending, "not compared yet");
    }
}
