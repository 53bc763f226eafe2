using McpOperator.Api;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Why pods are not ready.</summary>
/// <param name="Reason">One of <see cref="Reasons.Causes"/>, or <see cref="Reasons.DeploymentProgressing"/> of what is only waited for.</param>
/// <param name="Message">For a person: what is known, in the words of whoever knows it, and what can be done.</param>
/// <param name="IsOfGateway">Whether it is the gateway's container that fails.</param>
/// <param name="Retold">
/// The message with what the kubelet says in an event; null where it tells of the cause in the pod itself.
/// </param>
internal sealed record Cause(string Reason, string Message, bool IsOfGateway = false, Func<string, string>? Retold = null)
{
    /// <summary>The lower, the more it explains.</summary>
    public int Rank => Array.IndexOf(Reasons.Causes, Reason) is var index and >= 0 ? index : Reasons.Causes.Length;
}
