namespace McpOperator.Controller;

/// <summary>Something that happened to an object, as kubectl describe shows it.</summary>
/// <param name="Uid">That of the object: an object of the same name that is created later does not have the event.</param>
/// <param name="IsWarning">Whether somebody has to do something.</param>
/// <param name="Reason">What happened, in CamelCase. Programs compare it, so it never changes its meaning.</param>
/// <param name="Action">What was done or tried, in CamelCase.</param>
/// <param name="Note">For a person.</param>
internal sealed record ClusterEvent(
    ResourceType Type, ObjectKey Object, string Uid, bool IsWarning, string Reason, string Action, string Note);
