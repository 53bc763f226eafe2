namespace McpOperator.Apply;

/// <summary>What was done to an object.</summary>
internal enum Change
{
    None,
    Created,

    /// <summary>The desired state changed.</summary>
    Updated,

    /// <summary>The desired state is that of the last report; somebody else had changed or deleted the object.</summary>
    Repaired,
    Deleted,
}
