namespace McpOperator.Commands;

/// <summary>The product's own names, handed down from here and spelled nowhere else.</summary>
internal static class Product
{
    /// <summary>Of the Go operator the field manager is known: it named none, and then client-go takes the name of the executable, <c>/manager</c>.</summary>
    public static ApiIdentity Identity { get; } = new(UserAgent: "mcp-operator", FieldManager: "mcp-runtime-operator", Predecessor: "manager");

    /// <summary>Who reports events; a qualified name.</summary>
    public const string EventReporter = "mcpruntime.org/mcp-operator";

    /// <summary>The Lease of the leader.</summary>
    public const string Lease = "mcp-runtime-operator.mcpruntime.org";
}
