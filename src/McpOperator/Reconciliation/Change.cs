namespace McpOperator.Reconciliation;

/// <summary>What was done to an object of a server.</summary>
public enum Change
{
    None,
    Created,

    /// <summary>Something else is wanted of it than before.</summary>
    Updated,

    /// <summary>What is wanted stayed, and somebody else had changed or deleted it.</summary>
    Repaired,
    Deleted,
}
