namespace McpOperator.Api;

/// <summary>What a spec must satisfy before anything is written for it.</summary>
public static class Validation
{
    /// <summary>Every fault of the spec in effect (<see cref="Defaults.Apply"/>); empty when it is valid.</summary>
    public static IReadOnlyList<SpecFault> Validate(MCPServer server, OperatorSettings settings) =>
        throw new NotImplementedException();
}
