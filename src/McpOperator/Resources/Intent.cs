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

    public static byte[] Of(ServiceAccount account) =>
        JsonSerializer.SerializeToUtf8Bytes(account, ManifestJsonContext.Default.ServiceAccount);

    public static byte[] Of(Secret secret) =>
        JsonSerializer.SerializeToUtf8Bytes(secret, ManifestJsonContext.Default.Secret);
}
