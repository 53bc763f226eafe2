using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The body of an apply: the JSON of an object that names every field we own, and no other.</summary>
public static class Intent
{
    public static byte[] Of(Deployment deployment) =>
        JsonSerializer.SerializeToUtf8Bytes(deployment, ManifestJsonContext.Default.Deployment);

    public static byte[] Of(Service service) =>
        JsonSerializer.SerializeToUtf8Bytes(service, ManifestJsonContext.Default.Service);

    public static byte[] Of(Ingress ingress) =>
        JsonSerializer.SerializeToUtf8Bytes(ingress, ManifestJsonContext.Default.Ingress);

    /// <summary>
    /// With no more escapes than JSON in JSON needs: the API server takes bodies of 3 MiB, and six bytes for each quote of
    /// a policy of 1 MiB could be more.
    /// </summary>
    public static byte[] Of(ConfigMap configMap)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            JsonSerializer.Serialize(writer, configMap, ManifestJsonContext.Default.ConfigMap);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Of(ServiceAccount account) =>
        JsonSerializer.SerializeToUtf8Bytes(account, ManifestJsonContext.Default.ServiceAccount);

    public static byte[] Of(Secret secret) =>
        JsonSerializer.SerializeToUtf8Bytes(secret, ManifestJsonContext.Default.Secret);
}
