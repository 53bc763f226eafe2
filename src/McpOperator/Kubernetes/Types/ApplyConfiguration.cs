using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace McpOperator.Kubernetes.Types;

/// <summary>Manifests as server-side apply takes them: JSON that names every field we own, and no other.</summary>
internal static class ApplyConfiguration
{
    public static byte[] Of(Deployment deployment) => Of(deployment, ManifestJsonContext.Default.Deployment);

    public static byte[] Of(Service service) => Of(service, ManifestJsonContext.Default.Service);

    public static byte[] Of(Ingress ingress) => Of(ingress, ManifestJsonContext.Default.Ingress);

    public static byte[] Of(ServiceAccount account) => Of(account, ManifestJsonContext.Default.ServiceAccount);

    public static byte[] Of(Secret secret) => Of(secret, ManifestJsonContext.Default.Secret);

    /// <summary>Of a kind that has no type of its own.</summary>
    public static byte[] Of(ResourceType type, Metadata metadata, JsonObject spec) => ApplyBody.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion"u8, type.ApiVersion);
        writer.WriteString("kind"u8, type.Kind);
        writer.WritePropertyName("metadata"u8);
        JsonSerializer.Serialize(writer, metadata, ManifestJsonContext.Default.Metadata);
        writer.WritePropertyName("spec"u8);
        spec.WriteTo(writer);
        writer.WriteEndObject();
    });

    private static byte[] Of<T>(T manifest, JsonTypeInfo<T> type) =>
        ApplyBody.Write(writer => JsonSerializer.Serialize(writer, manifest, type));
}
