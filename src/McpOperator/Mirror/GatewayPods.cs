namespace McpOperator.Mirror;

/// <summary>What the policy's condition depends on in the pods of one Deployment.</summary>
/// <param name="HasGateway">Whether new pods get a gateway.</param>
/// <param name="AreReady">Whether all replicas are available and updated.</param>
/// <param name="AreAllUpdated">Whether all pods are of the latest revision.</param>
/// <param name="PolicyUid">The policy-uid annotation of the pod template; null for most.</param>
internal readonly record struct GatewayPods(bool HasGateway, bool AreReady, bool AreAllUpdated, string? PolicyUid);
