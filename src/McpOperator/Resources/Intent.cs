using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using McpOperator.Kubernetes;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The body of an apply: the JSON of an object that names every field we own, and no other.</summary>
public static class Intent
{
    public static byte[] Of(Deployment deployment) => Of(deployment, ManifestJsonContext.Default.Deployment);

    public static byte[] Of(Service service) => Of(service, ManifestJsonContext.Default.Service);

    public static byte[] Of(Ingress ingress) => Of(ingress, ManifestJsonContext.Default.Ingress);

    public static byte[] Of(ConfigMap configMap) => Of(configMap, ManifestJsonContext.Default.ConfigMap);

    public static byte[] Of(ServiceAccount account) => Of(account, ManifestJsonContext.Default.ServiceAccount);

    public static byte[] Of(Secret secret) => Of(secret, ManifestJsonContext.Default.Secret);

    private static byte[] Of<T>(T manifest, JsonTypeInfo<T> type) =>
        ApplyBody.Write(writer => JsonSerializer.Serialize(writer, manifest, type));
}
