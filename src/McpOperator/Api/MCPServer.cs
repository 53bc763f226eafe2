using System.Text.Json;
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

    /// <summary>
    /// Whether grants and sessions of the namespace count for this server: its own do, and those that
    /// <see cref="ObjectMeta.AllowAccessFrom"/> lists, separated by commas; <c>*</c> lists them all.
    /// </summary>
    public bool AllowsAccessFrom(string ns)
    {
        if (ns == Metadata.Namespace)
            return true;
        var allowed = Metadata.AllowAccessFrom.AsSpan();
        foreach (var range in allowed.Split(','))
        {
            var entry = allowed[range].Trim();
            if (entry is "*" || (!entry.IsEmpty && entry.SequenceEqual(ns)))
                return true;
        }

        return false;
    }
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

    /// <summary>
    /// The annotation <c>mcpruntime.org/allow-access-from</c>: the namespaces whose grants and sessions a server takes,
    /// besides its own.
    /// </summary>
    public string? AllowAccessFrom { get; init; }

    /// <summary>
    /// Whether it is the same object with the same spec: the generation counts the edits of the spec, and every write has a version.
    /// </summary>
    public bool IsSameButForVersion(ObjectMeta other) => this with { ResourceVersion = "" } == other with { ResourceVersion = "" };

    /// <summary>Field by field: never throws for what is stored.</summary>
    public static ObjectMeta Decode(JsonElement metadata) => new()
    {
        Name = metadata.Interned("name"u8) ?? "",
        Namespace = metadata.Interned("namespace"u8) ?? "",
        Uid = metadata.Interned("uid"u8) ?? "",
        ResourceVersion = metadata.Text("resourceVersion"u8) ?? "",
        Generation = metadata.Number("generation"u8),
        CreationTimestamp = metadata.Time("creationTimestamp"u8) ?? default,
        DeletionTimestamp = metadata.Time("deletionTimestamp"u8),
        AllowAccessFrom = metadata.Child("annotations"u8)?.Interned("mcpruntime.org/allow-access-from"u8),
    };
}

/// <summary>One thing wrong with a spec: <c>spec.envVars[2].name: reason</c>.</summary>
public sealed record SpecFault(string Field, string Reason)
{
    public override string ToString() => $"{Field}: {Reason}";
}
