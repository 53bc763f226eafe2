namespace McpOperator.Api;

/// <summary>An MCP server that a user wants to run. The names of its fields are the wire's, in camelCase.</summary>
internal sealed record MCPServer
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

    /// <summary>
    /// The annotation <c>mcpruntime.org/allow-access-from</c>: the namespaces whose grants and sessions a server takes,
    /// besides its own.
    /// </summary>
    public string? AllowAccessFrom { get; init; }

    public PauseRequest Pause { get; init; }

    /// <summary>
    /// Whether the status is about this generation, so that the desired state is that of the last report. That of a paused server was not
    /// carried out.
    /// </summary>
    public bool IsObservedGeneration() => Reported?.ObservedGeneration == Metadata.Generation && Reported.Find(ConditionTypes.Paused) is not { Status: "True" };

    /// <summary>
    /// Of <see cref="AllowAccessFrom"/>, in characters. It is kept of every server; whoever has more namespaces can write <c>*</c>.
    /// </summary>
    public const int LongestConsent = 16 * 1024;

    public ObjectKey Key => Metadata.Key;

    /// <summary>As much of the annotation as is kept. One that is too long is too long still.</summary>
    public static string? Consent(string? annotation) => annotation?.Length > LongestConsent ? annotation[..(LongestConsent + 1)] : annotation;

    /// <summary>
    /// Whether grants and sessions of the namespace count for this server: its own do, and those that
    /// <see cref="AllowAccessFrom"/> lists, separated by commas; <c>*</c> lists them all.
    /// </summary>
    public bool AllowsAccessFrom(string ns)
    {
        if (ns == Metadata.Namespace)
            return true;
        if (AllowAccessFrom?.Length > LongestConsent)
            return false;
        var allowed = AllowAccessFrom.AsSpan();
        foreach (var range in allowed.Split(','))
        {
            var entry = allowed[range].Trim();
            if (entry is "*" || (!entry.IsEmpty && entry.SequenceEqual(ns)))
                return true;
        }

        return false;
    }
}

/// <summary>One thing wrong with a spec: <c>spec.envVars[2].name: reason</c>.</summary>
internal sealed record SpecFault(string Field, string Reason)
{
    public override string ToString() => $"{Field}: {Reason}";
}
