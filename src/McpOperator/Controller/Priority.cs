namespace McpOperator.Controller;

/// <summary>Why a key is to be reconciled. Later values come first.</summary>
internal enum Priority
{
    /// <summary>A list has found it: most likely there is nothing to do.</summary>
    Listed,

    /// <summary>Something about it has changed, or its delay is over.</summary>
    Changed,

    /// <summary>A user has edited it, and may be waiting.</summary>
    Edited,
}
