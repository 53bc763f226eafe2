namespace McpOperator.Controller;

/// <summary>Why a key is to be looked at; the later ones are looked at first.</summary>
public enum Priority
{
    /// <summary>It was found by a list: most likely nothing is to be done.</summary>
    Listed,

    /// <summary>Something about it changed, or its time has come.</summary>
    Changed,

    /// <summary>A user changed what is wanted, and is looking.</summary>
    Edited,
}
