namespace McpOperator.Api;

/// <summary>The types of a server's conditions, in the order in which they are reported.</summary>
internal static class ConditionTypes
{
    public const string Ready = "Ready";
    public const string DeploymentReady = "DeploymentReady";
    public const string ServiceReady = "ServiceReady";
    public const string IngressReady = "IngressReady";

    /// <summary>Only while the server has a gateway.</summary>
    public const string GatewayReady = "GatewayReady";

    /// <summary>Only while the server has a gateway.</summary>
    public const string PolicyReady = "PolicyReady";

    /// <summary>Only while the strategy is Canary.</summary>
    public const string CanaryReady = "CanaryReady";

    internal static readonly string[] All = [Ready, DeploymentReady, ServiceReady, IngressReady, GatewayReady, PolicyReady, CanaryReady];
}

/// <summary>The reasons of conditions: other programs compare them, so none ever changes its meaning.</summary>
internal static class Reasons
{
    /// <summary>Ready: every component is.</summary>
    public const string AllResourcesReady = "AllResourcesReady";

    /// <summary>The spec breaks a rule; the message names every fault. Nothing was written for it.</summary>
    public const string InvalidSpec = "InvalidSpec";

    /// <summary>An older server has the same host and path. There is no Ingress meanwhile.</summary>
    public const string RouteConflict = "RouteConflict";

    /// <summary>The object is not there, and nothing failed yet.</summary>
    public const string NotCreated = "NotCreated";

    /// <summary>The object is being deleted, and finalizers hold it.</summary>
    public const string Terminating = "Terminating";

    /// <summary>All replicas are of the newest revision and available.</summary>
    public const string DeploymentAvailable = "DeploymentAvailable";

    /// <summary>No replica is wanted, and none is there: that counts as ready.</summary>
    public const string ScaledToZero = "ScaledToZero";

    /// <summary>Replicas are missing, unavailable or of an old revision.</summary>
    public const string DeploymentProgressing = "DeploymentProgressing";

    /// <summary>The Service has its cluster IP.</summary>
    public const string ClusterIPAssigned = "ClusterIPAssigned";

    /// <summary>The Service has no cluster IP yet.</summary>
    public const string ClusterIPPending = "ClusterIPPending";

    /// <summary>Permissive mode: the Ingress exists with a rule.</summary>
    public const string IngressCreated = "IngressCreated";

    /// <summary>Strict mode: an ingress controller has published an address.</summary>
    public const string LoadBalancerAssigned = "LoadBalancerAssigned";

    /// <summary>Strict mode: no ingress controller has published an address yet.</summary>
    public const string LoadBalancerPending = "LoadBalancerPending";

    /// <summary>The pods are ready, and each has its gateway.</summary>
    public const string GatewayAvailable = "GatewayAvailable";

    /// <summary>The Deployment is not ready, or not with a gateway yet.</summary>
    public const string GatewayProgressing = "GatewayProgressing";

    /// <summary>The ConfigMap holds the current policy.</summary>
    public const string PolicyCurrent = "PolicyCurrent";

    /// <summary>The ConfigMap holds another policy than the current one.</summary>
    public const string PolicyOutdated = "PolicyOutdated";

    /// <summary>The policy does not fit into a ConfigMap; the last one that did stays.</summary>
    public const string PolicyTooLarge = "PolicyTooLarge";
}

/// <summary>The reasons of events, besides those of the condition Ready. None ever changes its meaning.</summary>
internal static class EventReasons
{
    /// <summary>Objects were created.</summary>
    public const string Created = "Created";

    /// <summary>Objects were changed, for something else is wanted of them.</summary>
    public const string Updated = "Updated";

    /// <summary>Objects that somebody else had changed or deleted were put right.</summary>
    public const string Repaired = "Repaired";

    /// <summary>Others have put something into its containers that the spec does not name; it stays.</summary>
    public const string NotInSpec = "NotInSpec";

    /// <summary>Something in the spec is doubtful, and runs all the same.</summary>
    public const string SpecWarning = "SpecWarning";

    /// <summary>Objects that are not wanted any more were deleted.</summary>
    public const string Deleted = "Deleted";

    /// <summary>Every component is ready.</summary>
    public const string Ready = "Ready";
}
