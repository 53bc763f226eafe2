namespace McpOperator.Kubernetes;

/// <summary>What a watch delivers.</summary>
internal enum WatchEventType
{
    Added,
    Modified,
    Deleted,

    /// <summary>Carries a resource version and nothing else.</summary>
    Bookmark,

    /// <summary>Carries a <see cref="Status"/>. Nothing more comes after it.</summary>
    Error,
}

/// <summary>One line of a watch. <paramref name="Object"/> is set for Added, Modified and Deleted.</summary>
/// <param name="Print">A hash of the object's metadata (<see cref="ListResult"/>).</param>
internal readonly record struct WatchEvent(WatchEventType Type, IKubernetesObject? Object, string? ResourceVersion, Status? Error, ulong Print = 0);
