namespace McpOperator.Kubernetes;

/// <summary>Kinds of Kubernetes' own, and of others that servers use.</summary>
internal static class ResourceTypes
{
    public static readonly ResourceType Deployment = new("apps", "v1", "deployments", "Deployment");
    public static readonly ResourceType Service = new("", "v1", "services", "Service");
    public static readonly ResourceType Ingress = new("networking.k8s.io", "v1", "ingresses", "Ingress");
    public static readonly ResourceType IngressClass = new("networking.k8s.io", "v1", "ingressclasses", "IngressClass");
    public static readonly ResourceType ServiceAccount = new("", "v1", "serviceaccounts", "ServiceAccount");
    public static readonly ResourceType ConfigMap = new("", "v1", "configmaps", "ConfigMap");
    public static readonly ResourceType PodDisruptionBudget = new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget");
    public static readonly ResourceType NetworkPolicy = new("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy");
    public static readonly ResourceType HttpRoute = new("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");
    public static readonly ResourceType Certificate = new("cert-manager.io", "v1", "certificates", "Certificate");
    public static readonly ResourceType TlsOption = new("traefik.io", "v1alpha1", "tlsoptions", "TLSOption");
    public static readonly ResourceType Middleware = new("traefik.io", "v1alpha1", "middlewares", "Middleware");
    public static readonly ResourceType ServersTransport = new("traefik.io", "v1alpha1", "serverstransports", "ServersTransport");
    public static readonly ResourceType IngressRoute = new("traefik.io", "v1alpha1", "ingressroutes", "IngressRoute");
    public static readonly ResourceType Pod = new("", "v1", "pods", "Pod");
    public static readonly ResourceType Event = new("", "v1", "events", "Event");
    public static readonly ResourceType Secret = new("", "v1", "secrets", "Secret");
}
