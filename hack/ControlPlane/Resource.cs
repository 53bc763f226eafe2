using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <summary>A kind of object as the URLs of the API name it.</summary>
public sealed record Resource(string Group, string Version, string Plural, string Kind, bool Namespaced = true)
{
    public static readonly Resource Namespaces = new("", "v1", "namespaces", "Namespace", false);
    public static readonly Resource Pods = new("", "v1", "pods", "Pod");
    public static readonly Resource Services = new("", "v1", "services", "Service");
    public static readonly Resource ConfigMaps = new("", "v1", "configmaps", "ConfigMap");
    public static readonly Resource Secrets = new("", "v1", "secrets", "Secret");
    public static readonly Resource ServiceAccounts = new("", "v1", "serviceaccounts", "ServiceAccount");
    public static readonly Resource Deployments = new("apps", "v1", "deployments", "Deployment");
    public static readonly Resource ReplicaSets = new("apps", "v1", "replicasets", "ReplicaSet");
    public static readonly Resource NetworkPolicies = new("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy");
    public static readonly Resource PodDisruptionBudgets = new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget");
    public static readonly Resource Ingresses = new("networking.k8s.io", "v1", "ingresses", "Ingress");
    public static readonly Resource IngressClasses = new("networking.k8s.io", "v1", "ingressclasses", "IngressClass", false);
    public static readonly Resource PodSecurityPolicies = new("policy", "v1beta1", "podsecuritypolicies", "PodSecurityPolicy", false);
    public static readonly Resource HttpRoutes = new("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute");
    public static readonly Resource Certificates = new("cert-manager.io", "v1", "certificates", "Certificate");
    public static readonly Resource TlsOptions = new("traefik.io", "v1alpha1", "tlsoptions", "TLSOption");
    public static readonly Resource Middlewares = new("traefik.io", "v1alpha1", "middlewares", "Middleware");
    public static readonly Resource ServersTransports = new("traefik.io", "v1alpha1", "serverstransports", "ServersTransport");
    public static readonly Resource IngressRoutes = new("traefik.io", "v1alpha1", "ingressroutes", "IngressRoute");
    public static readonly Resource Leases = new("coordination.k8s.io", "v1", "leases", "Lease");
    public static readonly Resource Events = new("events.k8s.io", "v1", "events", "Event");
    public static readonly Resource Roles = new("rbac.authorization.k8s.io", "v1", "roles", "Role");
    public static readonly Resource RoleBindings = new("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding");
    public static readonly Resource ClusterRoles = new("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
    public static readonly Resource ClusterRoleBindings =
        new("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false);
    public static readonly Resource CustomResourceDefinitions =
        new("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false);
    public static readonly Resource PriorityClasses = new("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", false);
    public static readonly Resource MCPServers = new("mcpruntime.org", "v1alpha1", "mcpservers", "MCPServer");
    public static readonly Resource MCPAccessGrants = new("mcpruntime.org", "v1alpha1", "mcpaccessgrants", "MCPAccessGrant");
    public static readonly Resource MCPAgentSessions = new("mcpruntime.org", "v1alpha1", "mcpagentsessions", "MCPAgentSession");

    private static readonly Resource[] ClusterScoped =
        [Namespaces, IngressClasses, PodSecurityPolicies, ClusterRoles, ClusterRoleBindings, CustomResourceDefinitions, PriorityClasses];

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>By apiVersion and kind. The plural is the regular one, which holds for every kind that we meet.</summary>
    public static Resource Of(JsonObject manifest)
    {
        var apiVersion = Text(manifest, "apiVersion");
        var kind = Text(manifest, "kind");
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        var lower = kind.ToLowerInvariant();
        return new(
            slash < 0 ? "" : apiVersion[..slash],
            apiVersion[(slash + 1)..],
            lower switch
            {
                _ when lower.EndsWith('s') => lower + "es",
                _ when lower.EndsWith('y') => lower[..^1] + "ies",
                _ => lower + "s",
            },
            kind,
            !ClusterScoped.Any(known => known.ApiVersion == apiVersion && known.Kind == kind));
    }

    /// <summary>Without a name: the collection. Without a namespace: the collection over all namespaces.</summary>
    public string PathTo(string? @namespace = null, string? name = null, string? subresource = null)
    {
        var path = Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";
        if (Namespaced && @namespace is not null)
            path += $"/namespaces/{@namespace}";
        path += $"/{Plural}";
        if (name is not null)
            path += $"/{name}";
        return subresource is null ? path : $"{path}/{subresource}";
    }

    public override string ToString() => $"{Plural}.{Version}.{Group}".TrimEnd('.');

    private static string Text(JsonObject manifest, string field) =>
        (string?)manifest[field] ?? throw new ArgumentException($"the manifest has no {field}: {manifest.ToJsonString()}", nameof(manifest));
}
