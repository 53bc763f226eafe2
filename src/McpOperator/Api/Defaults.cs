namespace McpOperator.Api;

/// <summary>What an unset field means: the one table of it.</summary>
public static class Defaults
{
    /// <summary>The spec in effect: every field that has a default is set. Resources stay as the user wrote them.</summary>
    public static MCPServerSpec Apply(string name, MCPServerSpec spec, OperatorSettings settings) =>
        throw new NotImplementedException();

    /// <summary>
    /// Only the fields that <see cref="Apply"/> added: the body of the merge patch that persists them. Null when
    /// nothing is to be persisted.
    /// </summary>
    public static MCPServerSpec? Added(MCPServerSpec spec, MCPServerSpec effective) => throw new NotImplementedException();
}
