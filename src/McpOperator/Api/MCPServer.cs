using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>An MCP server that a user wants to run. The names of its fields are the wire's, in camelCase.</summary>
public sealed record MCPServer
{
    public static readonly ResourceType Type = new("mcpruntime.org", "v1alpha1", "mcpservers", "MCPServer");

    public required ObjectMeta Metadata { get; init; }

    public MCPServerSpec Spec { get; init; } = new();

    /// <summary>Null while nothing was reported.</summary>
    public LastReport? Reported { get; init; }

    /// <summary>
    /// Why the stored object could not be read as this type (a CRD without a schema lets anything in); its spec is then
    /// empty, and the faults are reported like any other.
    /// </summary>
    public IReadOnlyList<SpecFault>? Unreadable { get; init; }

    public ObjectKey Key => new(Metadata.Namespace, Metadata.Name);
}

/// <summary>What we read of metav1.ObjectMeta.</summary>
public sealed record ObjectMeta
{
    public required string Name { get; init; }

    public string Namespace { get; init; } = "";

    public string Uid { get; init; } = "";

    public string ResourceVersion { get; init; } = "";

    /// <summary>Counts the changes of the spec.</summary>
    public long Generation { get; init; }

    public DateTimeOffset CreationTimestamp { get; init; }

    public DateTimeOffset? DeletionTimestamp { get; init; }
}

/// <summary>One thing wrong with a spec: <c>spec.envVars[2].name: reason</c>.</summary>
public sealed record SpecFault(string Field, string Reason)
{
    public override string ToString() => $"{Field}: {Reason}";
}
