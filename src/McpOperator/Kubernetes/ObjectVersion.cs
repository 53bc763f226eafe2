using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>Which state an object is in, and nothing of the state.</summary>
internal sealed record ObjectVersion(ObjectKey Key, string ResourceVersion) : IKubernetesObject
{
    public static ObjectVersion Decode(JsonElement json) => new(ObjectKey.Of(json), json.Child("metadata"u8)?.Text("resourceVersion"u8) ?? "");
}
