using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Finds the cause in a Deployment's own conditions, which tell of its newest ReplicaSet. Pure.</summary>
internal static class DeploymentCauses
{
    /// <summary>Null when they show none.</summary>
    public static Cause? Of(JsonElement status)
    {
        if (status.Child("conditions"u8) is not { ValueKind: JsonValueKind.Array } conditions)
            return null;
        Cause? first = null;
        foreach (var condition in conditions.EnumerateArray())
        {
            if (Read(condition) is { } cause && (first is null || cause.Rank < first.Rank))
                first = cause;
        }

        return first;
    }

    private static Cause? Read(JsonElement condition)
    {
        if (condition.Is("type"u8, "Progressing") && condition.Is("reason"u8, "ProgressDeadlineExceeded"))
            return new(Reasons.ProgressDeadlineExceeded, $"the rollout takes longer than the Deployment allows: {Message()}");
        if (!condition.Is("type"u8, "ReplicaFailure") || !condition.Is("status"u8, "True"))
            return null;
        var message = Message();
        return message.Contains("exceeded quota", StringComparison.Ordinal) || message.Contains("failed quota", StringComparison.Ordinal)
            ? new(Reasons.QuotaExceeded, $"a quota of the namespace leaves no room for a pod: {message}; ask for less, or for a larger quota")
            : new(Reasons.PodRejected, $"a pod is refused: {message}");

        string Message() => ForeignText.Clean(condition.Text("message"u8));
    }
}
