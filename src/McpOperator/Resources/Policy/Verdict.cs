using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Resources.Policy;

/// <summary>What is said of a grant or a session in its status.</summary>
/// <param name="Phase">One of <see cref="AccessPhase"/>.</param>
/// <param name="Reason">One of <see cref="AccessReasons"/>.</param>
/// <param name="Message">For a person: what to do about it, when something is to be done.</param>
public sealed record Verdict(string Phase, string Reason, string Message)
{
    /// <summary>metav1.Condition's limit is 32,768 bytes; nobody reads that far.</summary>
    private const int LongestMessage = 4096;

    public bool IsAccepted => Reason is AccessReasons.Accepted or AccessReasons.Disabled;

    /// <summary>The status to report. The same as before when nothing has changed.</summary>
    public AccessStatus ToStatus(PolicyMember member, DateTimeOffset now)
    {
        var status = IsAccepted ? "True" : "False";
        var before = member.Reported?.Find(AccessStatus.Accepted);
        var message = Message.Length <= LongestMessage ? Message : string.Concat(Message.AsSpan(0, LongestMessage - 1), "…");
        return new AccessStatus
        {
            ObservedGeneration = member.Metadata.Generation,
            Phase = Phase,
            Message = message,
            Conditions =
            [
                new Condition
                {
                    Type = AccessStatus.Accepted,
                    Status = status,
                    ObservedGeneration = member.Metadata.Generation,
                    LastTransitionTime = before?.Status == status && before?.Since is { } since ? since : KubernetesTime.Format(now),
                    Reason = Reason,
                    Message = message,
                },
            ],
        };
    }
}
