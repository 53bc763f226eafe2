namespace McpOperator.Apply;

/// <summary>What was done to an object.</summary>
internal enum Change
{
    None,
    Created,

    /// <summary>Something else is wanted of it than before.</summary>
    Updated,

    /// <summary>What is wanted stayed, and somebody else had changed or deleted it.</summary>
    Repaired,
    Deleted,
}
