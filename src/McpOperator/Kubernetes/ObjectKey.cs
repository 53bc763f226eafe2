using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>The name of an object whose kind is known. Stores are indexed by it, and work queues hold it.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <summary>The key of an object; empty texts where it has none.</summary>
    public static ObjectKey Of(JsonElement json) => new(
        json.Child("metadata"u8)?.Interned("namespace"u8) ?? "", json.Child("metadata"u8)?.Text("name"u8) ?? "");

    /// <summary><c>namespace/name</c>, as kubectl and other controllers print it.</summary>
    public override string ToString() => $"{Namespace}/{Name}";
}

/// <summary>What a store needs of an object, whatever its kind.</summary>
internal interface IKubernetesObject
{
    ObjectKey Key { get; }

    /// <summary>The version that the API server gave it. Only <see cref="Kubernetes.ResourceVersion"/> may look into it.</summary>
    string ResourceVersion { get; }
}
