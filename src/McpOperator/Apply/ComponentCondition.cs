namespace McpOperator.Apply;

/// <summary>One part of what a custom resource asks for (a Deployment, its gateway, …) and its condition.</summary>
/// <param name="Name">What a person calls it.</param>
/// <param name="IsReady">From the observed object, never from what was sent.</param>
/// <param name="Message">For a person.</param>
/// <param name="IsFailed">True when the operator could not bring about the desired state.</param>
internal sealed record ComponentCondition(
    string ConditionType, string Name, bool IsReady, string Reason, string Message, bool IsFailed = false)
{
    /// <summary>The same readiness, failed for this problem; unchanged for null.</summary>
    public ComponentCondition With(Problem? problem) =>
        problem is null ? this : this with { Reason = problem.Reason, Message = problem.Message, IsFailed = true };
}
