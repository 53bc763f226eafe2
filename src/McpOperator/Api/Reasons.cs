namespace McpOperator.Api;

/// <summary>The types of a server's conditions, in the order in which they are reported.</summary>
internal static class ConditionTypes
{
    public const string Ready = "Ready";
    public const string DeploymentReady = "DeploymentReady";
    public const string ServiceReady = "ServiceReady";
    public const string IngressReady = "IngressReady";

    /// <summary>In place of IngressReady while spec.route is HTTPRoute, and until an HTTPRoute that is not wanted any more is gone.</summary>
    public const string HttpRouteReady = "HTTPRouteReady";

    /// <summary>In place of IngressReady while auth.mode is mtls, and until an IngressRoute that is not wanted any more is gone.</summary>
    public const string IngressRouteReady = "IngressRouteReady";

    /// <summary>Only while auth.mode is mtls, and until nothing of it is left.</summary>
    public const string MtlsReady = "MTLSReady";

    /// <summary>Only while cert-manager issues the certificate of the server's Ingress.</summary>
    public const string CertificateReady = "CertificateReady";

    /// <summary>Only while the server has a gateway.</summary>
    public const string GatewayReady = "GatewayReady";

    /// <summary>Only while the server has a gateway.</summary>
    public const string PolicyReady = "PolicyReady";

    /// <summary>Only while the strategy is Canary.</summary>
    public const string CanaryReady = "CanaryReady";

    /// <summary>Only while the spec has a disruptionBudget, and more than one replica.</summary>
    public const string DisruptionBudgetReady = "DisruptionBudgetReady";

    /// <summary>Only while the spec has a network.</summary>
    public const string NetworkPolicyReady = "NetworkPolicyReady";

    /// <summary>Only with <c>spec.readiness: mcp</c>.</summary>
    public const string McpReady = "McpReady";

    /// <summary>Only with <c>spec.readiness: mcp</c> and tools in the spec; tells, and counts for nothing. May be Unknown.</summary>
    public const string ToolsMatch = "ToolsMatch";

    /// <summary>Only with the annotation <c>mcpruntime.org/paused</c>; since when it is True is since when the server is paused.</summary>
    public const string Paused = "Paused";

    internal static readonly string[] All = [Ready, DeploymentReady, ServiceReady, IngressReady, HttpRouteReady, IngressRouteReady, CertificateReady, MtlsReady, GatewayReady, PolicyReady, CanaryReady, DisruptionBudgetReady, NetworkPolicyReady, McpReady, ToolsMatch, Paused];
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

    /// <summary>The spec suspends the server (<c>spec.suspend</c>): no pod is wanted, and none is there. Counts as ready.</summary>
    public const string Suspended = "Suspended";

    /// <summary>The annotation <c>mcpruntime.org/paused</c> keeps everything of the server as it is; the message says what would change.</summary>
    public const string Paused = "Paused";

    /// <summary>The annotation <c>mcpruntime.org/paused</c> is neither <c>true</c> nor <c>false</c>, and pauses nothing.</summary>
    public const string InvalidAnnotation = "InvalidAnnotation";

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

    /// <summary>Others ask in the Service's selector for a label that no pod has, so that it leads nowhere.</summary>
    public const string SelectorMismatch = "SelectorMismatch";

    /// <summary>The cluster has no IngressClass of the name that the Ingress asks for.</summary>
    public const string IngressClassNotFound = "IngressClassNotFound";

    /// <summary>A Gateway does not serve the HTTPRoute; the message has its controller's own words.</summary>
    public const string HttpRouteNotAccepted = "HTTPRouteNotAccepted";

    /// <summary>cert-manager has no certificate for the Ingress, or for mTLS, yet; the message has its own words.</summary>
    public const string CertificateNotReady = "CertificateNotReady";

    /// <summary>Why a server is not ready: its pods, then its Service and its route, then what it answers. The order is that of how much a reason explains: of several the first is told.</summary>
    internal static readonly string[] Causes =
    [
        ImagePullFailed, InvalidImageName, CreateContainerConfigError, CrashLoop, OutOfMemory, ProbeFailing, Unschedulable, QuotaExceeded, PodRejected,
        ContainerCannotRun, ProgressDeadlineExceeded, NodeLost, PodStuckTerminating, SelectorMismatch, IngressClassNotFound, HttpRouteNotAccepted,
        CertificateNotReady, McpNotAnswering, McpProtocolError, ProtocolMismatch,
    ];

    /// <summary>What is waited for as a matter of course when a server comes up.</summary>
    internal static readonly string[] Waits = [NotCreated, DeploymentProgressing, GatewayProgressing, ClusterIPPending, LoadBalancerPending, HttpRoutePending, CertificatePending, McpPending];

    /// <summary>Each Gateway of the HTTPRoute serves it.</summary>
    public const string HttpRouteAccepted = "HTTPRouteAccepted";

    /// <summary>No controller has said yet whether a Gateway serves the HTTPRoute as it is.</summary>
    public const string HttpRoutePending = "HTTPRoutePending";

    /// <summary>The certificate of the Ingress is there.</summary>
    public const string CertificateIssued = "CertificateIssued";

    /// <summary>cert-manager has said nothing of the certificate yet.</summary>
    public const string CertificatePending = "CertificatePending";

    /// <summary>The certificates of mTLS are issued, and Traefik's objects are there.</summary>
    public const string MtlsConfigured = "MTLSConfigured";

    /// <summary>The IngressRoute exists. Traefik does not say whether it serves one.</summary>
    public const string IngressRouteCreated = "IngressRouteCreated";

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

    /// <summary>The PodDisruptionBudget exists.</summary>
    public const string DisruptionBudgetCreated = "DisruptionBudgetCreated";

    /// <summary>The NetworkPolicy exists.</summary>
    public const string NetworkPolicyCreated = "NetworkPolicyCreated";

    /// <summary>The server was not asked yet, for its pods are not there, or has not answered yet.</summary>
    public const string McpPending = "McpPending";

    /// <summary>The server has answered <c>initialize</c> at a pod of the current revision.</summary>
    public const string McpAnswered = "McpAnswered";

    /// <summary>It answers, and wants to know first who asks (401, 403): that is an answer.</summary>
    public const string AuthRequired = "AuthRequired";

    /// <summary>No connection, no answer in time, or one that says that it cannot (5xx).</summary>
    public const string McpNotAnswering = "McpNotAnswering";

    /// <summary>What answers does not speak MCP there.</summary>
    public const string McpProtocolError = "McpProtocolError";

    /// <summary>The server wants a version of the protocol that is none, or none of those that it was offered.</summary>
    public const string ProtocolMismatch = "ProtocolMismatch";

    /// <summary>The server lists the tools of the spec, and no others.</summary>
    public const string ToolsMatched = "ToolsMatched";

    /// <summary>Tools of the spec are missing, or there are others; the message names them.</summary>
    public const string ToolsDiffer = "ToolsDiffer";

    /// <summary>The server does not list its tools.</summary>
    public const string ToolsNotListed = "ToolsNotListed";

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
