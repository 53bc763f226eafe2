namespace McpOperator.Mirror;

/// <summary>Pods of one Deployment of a server, as far as what is said of the policy of their gateways goes by them.</summary>
/// <param name="HasGateway">True when new ones get a gateway.</param>
/// <param name="AreReady">Whether they are all there, and none of an old revision.</param>
/// <param name="AreAllNew">Whether none is left from before the latest change.</param>
/// <param name="PolicyUid">The ConfigMap that they were made for; null for most.</param>
internal readonly record struct GatewayPods(bool HasGateway, bool AreReady, bool AreAllNew, string? PolicyUid);
