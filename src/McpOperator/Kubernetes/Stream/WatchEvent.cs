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
internal readonly record struct WatchEvent<T>(WatchEventType Type, T? Object, string? ResourceVersion, Status? Error);
