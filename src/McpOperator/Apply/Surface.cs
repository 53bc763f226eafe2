namespace McpOperator.Apply;

/// <summary>One of the things that make up what a custom resource asks for, and whether it was seen to work.</summary>
/// <param name="ConditionType">Of the condition that tells of it.</param>
/// <param name="Name">What a person calls it.</param>
/// <param name="IsReady">As observed, never as sent.</param>
/// <param name="Reason">Of the condition.</param>
/// <param name="Message">For a person.</param>
/// <param name="IsFailed">True when the operator could not bring it to what is wanted.</param>
internal sealed record Surface(
    string ConditionType, string Name, bool IsReady, string Reason, string Message, bool IsFailed = false)
{
    /// <summary>The same observation, with what keeps the operator from changing it; as it is without a problem.</summary>
    public Surface With(Problem? problem) =>
        problem is null ? this : this with { Reason = problem.Reason, Message = problem.Message, IsFailed = true };
}
