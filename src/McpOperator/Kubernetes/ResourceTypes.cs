namespace McpOperator.Kubernetes;

/// <summary>Kinds of Kubernetes' own.</summary>
internal static class ResourceTypes
{
    public static readonly ResourceType Deployment = new("apps", "v1", "deployments", "Deployment");
    public static readonly ResourceType Service = new("", "v1", "services", "Service");
    public static readonly ResourceType Ingress = new("networking.k8s.io", "v1", "ingresses", "Ingress");
    public static readonly ResourceType ServiceAccount = new("", "v1", "serviceaccounts", "ServiceAccount");
    public static readonly ResourceType ConfigMap = new("", "v1", "configmaps", "ConfigMap");
    public static readonly ResourceType Pod = new("", "v1", "pods", "Pod");
    public static readonly ResourceType Event = new("", "v1", "events", "Event");
    public static readonly ResourceType Secret = new("", "v1", "secrets", "Secret");
}
