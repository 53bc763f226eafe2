using System.Text.Encodings.Web;
using System.Text.Json;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The body of an apply: the JSON of an object that names every field we own, and no other.</summary>
public static class Intent
{
    private static readonly ManifestJsonContext Sparing = new(
        new JsonSerializerOptions(ManifestJsonContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static byte[] Of(Deployment deployment) =>
        JsonSerializer.SerializeToUtf8Bytes(deployment, ManifestJsonContext.Default.Deployment);

    public static byte[] Of(Service service) =>
        JsonSerializer.SerializeToUtf8Bytes(service, ManifestJsonContext.Default.Service);

    public static byte[] Of(Ingress ingress) =>
        JsonSerializer.SerializeToUtf8Bytes(ingress, ManifestJsonContext.Default.Ingress);

    /// <summary>
    /// With as few escapes as the JSON of JSON can have: the API server takes bodies of 3 MiB, and a policy of 1 MiB, each
    /// quote of which were six bytes, could be larger.
    /// </summary>
    public static byte[] Of(ConfigMap configMap) =>
        JsonSerializer.SerializeToUtf8Bytes(configMap, Sparing.ConfigMap);

    public static byte[] Of(ServiceAccount account) =>
        JsonSerializer.SerializeToUtf8Bytes(account, ManifestJsonContext.Default.ServiceAccount);

    public static byte[] Of(Secret secret) =>
        JsonSerializer.SerializeToUtf8Bytes(secret, ManifestJsonContext.Default.Secret);
}
