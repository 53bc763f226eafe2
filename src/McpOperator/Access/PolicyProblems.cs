using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Access;

/// <summary>Why a policy is not what the spec asks for.</summary>
internal static class PolicyProblems
{
    /// <summary>The last valid document stays, without what was taken away since.</summary>
    public static Problem Frozen { get; } = new(
        Reasons.PolicyOutdated, "the spec does not say what the policy is: the last valid one stays, without what was taken away since");

    /// <summary>The document of a paused server stays, without what was taken away since. It is no failure.</summary>
    public static Problem Paused { get; } = new(
        Reasons.Paused, $"the annotation {PauseRequests.Annotation} keeps the policy as it is, without what was taken away since: what was given since is not in it");

    public static Problem TooLarge { get; } = new(Reasons.PolicyTooLarge,
        $"the policy does not fit into a ConfigMap ({PolicyConfigMapBuilder.MaxBytes} bytes) even without grants and sessions: " +
        "shorten the descriptions and labels of the server's tools; the last one that fitted stays, without what was taken away since");

    public static Problem ImmutableHeld { get; } = new(
        Problem.ApplyFailed, "the ConfigMap is immutable, so that no change of it reaches a gateway, and is not replaced: it goes with its server, " +
        "a finalizer holds it, or somebody makes each one immutable");
}
