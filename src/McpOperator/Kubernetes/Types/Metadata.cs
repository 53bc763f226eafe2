namespace McpOperator.Kubernetes.Types;

/// <summary>The part of metav1.ObjectMeta that an apply may carry.</summary>
internal sealed record Metadata
{
    public required string Name { get; init; }
    public required string Namespace { get; init; }

    /// <summary>A precondition: the apply is for this object, and creates none.</summary>
    public string? Uid { get; init; }

    /// <summary>A precondition: the apply is for this state of an object that exists.</summary>
    public string? ResourceVersion { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Null rather than empty: an empty map would claim the map itself.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
    public IReadOnlyList<OwnerReference>? OwnerReferences { get; init; }
}

/// <summary>metav1.OwnerReference of the one controller of an object.</summary>
internal sealed record OwnerReference
{
    public required string ApiVersion { get; init; }
    public required string Kind { get; init; }
    public required string Name { get; init; }
    public required string Uid { get; init; }
    public bool Controller { get; init; } = true;
    public bool BlockOwnerDeletion { get; init; } = true;

    public static OwnerReference Of(ResourceType type, ObjectMeta owner) =>
        new() { ApiVersion = type.ApiVersion, Kind = type.Kind, Name = owner.Name, Uid = owner.Uid };
}

/// <summary>An object as server-side apply takes it: nothing in it that we do not mean to own.</summary>
internal abstract record Manifest
{
    public abstract string ApiVersion { get; }
    public abstract string Kind { get; }
    public required Metadata Metadata { get; init; }
}
