using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>The status of a grant or a session.</summary>
/// <param name="Phase">One of <see cref="AccessPhase"/>.</param>
/// <param name="Reason">One of <see cref="AccessReasons"/>.</param>
/// <param name="Message">For a person: what to do about it, when something is to be done.</param>
internal sealed record Verdict(string Phase, string Reason, string Message)
{
    public bool IsAccepted => Reason is AccessReasons.Accepted or AccessReasons.Disabled;

    /// <summary>
    /// True when only the stored document makes it true: reported too early, a session would be called revoked that still works.
    /// </summary>
    public bool TakesPolicy => IsAccepted
        || Reason is AccessReasons.Revoked or AccessReasons.Expired or AccessReasons.Terminating or AccessReasons.PolicyFull;

    /// <summary>The status to report. The same as before when nothing has changed.</summary>
    public AccessStatus ToStatus(AccessObject member, DateTimeOffset now) => new()
    {
        ObservedGeneration = member.Metadata.Generation,
        Phase = Phase,
        Message = Condition.Cut(Message),
        Conditions =
        [
            Condition.Of(AccessStatus.Accepted, IsAccepted, Reason, Message, member.Metadata.Generation, member.Reported, now),
        ],
    };
}
