namespace McpOperator.Api;

/// <summary>The names of a server's objects that do not have the server's own.</summary>
internal static class ObjectNames
{
    /// <summary>
    /// Of the canary track's Deployment, after the server's. It may be longer than 63 characters: so may names of
    /// Deployments and ReplicaSets, and those of pods are cut to that (SimpleNameGenerator in apiserver pkg/storage/names).
    /// </summary>
    public const string CanarySuffix = "-canary";

    /// <summary>Of the ConfigMap with the policy, after the server's.</summary>
    public const string PolicySuffix = "-gateway-policy";

    /// <summary>
    /// An annotation of pods: the uid of the ConfigMap that they mount, where the one before was immutable. Kubelets never look
    /// at such a one again (kubelet pkg/kubelet/util/manager/watch_based_manager.go), so that the pods are replaced with it.
    /// </summary>
    public const string PolicyUid = "mcpruntime.org/policy-uid";

    /// <summary>Of the identity that the servers' pods of a namespace share.</summary>
    public const string ServiceAccount = "mcp-workload";

    public static string Canary(string server) => server + CanarySuffix;

    public static string Policy(string server) => server + PolicySuffix;
}
