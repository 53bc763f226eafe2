using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>Something that whoever looks at an object should know: what kubectl describe shows below it.</summary>
/// <param name="Type">The kind of the object.</param>
/// <param name="Object">Which one it is.</param>
/// <param name="Uid">Of the object: an event is about one life of it.</param>
/// <param name="IsWarning">True when somebody has to do something.</param>
/// <param name="Reason">What happened, for programs: CamelCase, and never another meaning.</param>
/// <param name="Action">What was done, or tried: CamelCase.</param>
/// <param name="Note">For a person.</param>
public sealed record ClusterEvent(
    ResourceType Type, ObjectKey Object, string Uid, bool IsWarning, string Reason, string Action, string Note);
