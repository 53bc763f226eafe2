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

    /// <summary>Of the gateways' certificate and its Secret, of a server with mTLS, after the server's.</summary>
    public const string GatewayCertificateSuffix = "-gateway-mtls";

    /// <summary>Of the certificate and Secret by which Traefik shows itself to the gateways.</summary>
    public const string IngressCertificateSuffix = "-traefik-client-mtls";

    // Of Traefik's objects, and of what lets in nobody else.
    public const string TlsOptionSuffix = "-mtls";
    public const string IdentityMiddlewareSuffix = "-spiffe-identity";
    public const string ServersTransportSuffix = "-gateway";
    public const string MtlsNetworkPolicySuffix = "-mtls-gateway";

    /// <summary>
    /// An annotation of pods: the uid of the ConfigMap that they mount, where the one before was immutable. Kubelets never look
    /// at such a one again (kubelet pkg/kubelet/util/manager/watch_based_manager.go), so that the pods are replaced with it.
    /// </summary>
    public const string PolicyUid = "mcpruntime.org/policy-uid";

    /// <summary>An annotation of pods: the versions of the ConfigMaps and Secrets that they were made with, of a server with restartOnChange.</summary>
    public const string ConfigVersions = "mcpruntime.org/config-versions";

    /// <summary>Of the identity that the servers' pods of a namespace share.</summary>
    public const string ServiceAccount = "mcp-workload";

    /// <summary>Of the Secret with a server's certificate, where the spec names an issuer and no Secret.</summary>
    public static string TlsSecret(string server) => server + "-tls";

    public static string Canary(string server) => server + CanarySuffix;

    public static string Policy(string server) => server + PolicySuffix;
}
