using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>What we read of metav1.ObjectMeta.</summary>
internal sealed record ObjectMeta
{
    public required string Name { get; init; }

    public string Namespace { get; init; } = "";

    public string Uid { get; init; } = "";

    public string ResourceVersion { get; init; } = "";

    /// <summary>Counts the changes of the spec.</summary>
    public long Generation { get; init; }

    public DateTimeOffset CreationTimestamp { get; init; }

    public DateTimeOffset? DeletionTimestamp { get; init; }

    public ObjectKey Key => new(Namespace, Name);

    /// <summary>
    /// Whether it is the same object with the same spec: the generation counts the edits of the spec, and every write has a version.
    /// </summary>
    public bool IsSameButForVersion(ObjectMeta other) => this with { ResourceVersion = "" } == other with { ResourceVersion = "" };

    /// <summary>Field by field: never throws for what is stored.</summary>
    public static ObjectMeta Decode(JsonElement metadata) => new()
    {
        Name = metadata.Interned("name"u8) ?? "",
        Namespace = metadata.Interned("namespace"u8) ?? "",
        Uid = metadata.Interned("uid"u8) ?? "",
        ResourceVersion = metadata.Text("resourceVersion"u8) ?? "",
        Generation = metadata.Number("generation"u8),
        CreationTimestamp = metadata.Time("creationTimestamp"u8) ?? default,
        DeletionTimestamp = metadata.Time("deletionTimestamp"u8),
    };
}
