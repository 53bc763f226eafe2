using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Servers;

/// <summary>What the annotation <c>mcpruntime.org/paused</c> does to a server.</summary>
/// <param name="Condition">True while it is paused.</param>
/// <param name="IsDifferent">Whether some object is not as the spec asks for, and stays so.</param>
internal sealed record PauseReport(ComponentCondition Condition, bool IsDifferent)
{
    private const string Name = "pause";

    /// <summary>Null without the annotation.</summary>
    public static PauseReport? Of(Pass pass)
    {
        if (pass.Server.Pause == PauseRequest.Unclear)
            return new(new ComponentCondition(ConditionTypes.Paused, Name, false, Reasons.InvalidAnnotation, $"{PauseRequests.Unclear}, so that it is not paused"), IsDifferent: false);
        if (!pass.IsPaused)
            return null;
        // The policy has a controller of its own, which says itself whether it is another than the one that is asked for.
        string[] parts =
        [
            .. Part("create", Change.Created), .. Part("update", Change.Updated), .. Part("delete", Change.Deleted),
            .. pass.Spec.HasGateway() && pass.Policy?.Condition?.Reason == Reasons.Paused ? ["write the policy"] : (ReadOnlySpan<string>)[],
        ];
        var plan = parts.Length > 0 ? $"would {string.Join("; ", parts)}" : pass.IsValid ? "nothing would change" : "the spec is not valid";
        return new(
            new ComponentCondition(ConditionTypes.Paused, Name, true, Reasons.Paused, $"paused by the annotation {PauseRequests.Annotation}, so that nothing of it is written; {plan}"),
            IsDifferent: parts.Length > 0);

        string[] Part(string verb, Change change) =>
            string.Join(", ", pass.Held.Where(held => held.Change == change).Select(static held => held.Name)) is { Length: > 0 } names ? [$"{verb} {names}"] : [];
    }
}
