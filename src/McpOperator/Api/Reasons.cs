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

    /// <summary>Somebody has paused the Deployment (<c>kubectl rollout pause</c>): what is wanted of it does not reach its pods.</summary>
    public const string DeploymentPaused = "DeploymentPaused";

    /// <summary>The node cannot pull the image; the message has the registry's own words.</summary>
    public const string ImagePullFailed = "ImagePullFailed";

    /// <summary>The image is no valid reference for the node's container runtime.</summary>
    public const string InvalidImageName = "InvalidImageName";

    /// <summary>A Secret, a ConfigMap or a key that the container refers to is missing.</summary>
    public const string CreateContainerConfigError = "CreateContainerConfigError";

    /// <summary>A container ends again and again.</summary>
    public const string CrashLoop = "CrashLoop";

    /// <summary>A container was ended because it needed more memory than its limit.</summary>
    public const string OutOfMemory = "OutOfMemory";

    /// <summary>A container runs, and one of its probes fails.</summary>
    public const string ProbeFailing = "ProbeFailing";

    /// <summary>The scheduler finds no node for the pod.</summary>
    public const string Unschedulable = "Unschedulable";

    /// <summary>A quota of the namespace leaves no room for the pod.</summary>
    public const string QuotaExceeded = "QuotaExceeded";

    /// <summary>The pod was refused: by the API server, an admission webhook, a LimitRange, Pod Security, or its node.</summary>
    public const string PodRejected = "PodRejected";

    /// <summary>The container cannot be started as it is: its entry point is missing, or its user is root.</summary>
    public const string ContainerCannotRun = "ContainerCannotRun";

    /// <summary>The rollout has taken longer than the Deployment allows, and no pod says why.</summary>
    public const string ProgressDeadlineExceeded = "ProgressDeadlineExceeded";

    /// <summary>The pod's node does not report any more.</summary>
    public const string NodeLost = "NodeLost";

    /// <summary>A pod that is deleted does not go.</summary>
    public const string PodStuckTerminating = "PodStuckTerminating";

    /// <summary>Why pods are not ready. The order is that of how much a reason explains: of several the first is told.</summary>
    internal static readonly string[] Causes =
    [
        ImagePullFailed, InvalidImageName, CreateContainerConfigError, CrashLoop, OutOfMemory, ProbeFailing, Unschedulable, QuotaExceeded, PodRejected,
        ContainerCannotRun, ProgressDeadlineExceeded, NodeLost, PodStuckTerminating,
    ];

    /// <summary>What is waited for as a matter of course when a server comes up.</summary>
    internal static readonly string[] Waits = [NotCreated, DeploymentProgressing, GatewayProgressing, ClusterIPPending, LoadBalancerPending];

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
