namespace McpOperator.Api;

/// <summary>What grants and sessions have in common: they name a server, and stand in its policy when it takes them.</summary>
internal abstract record AccessObject
{
    public required ObjectMeta Metadata { get; init; }

    /// <summary>Null while nothing was reported.</summary>
    public LastReport? Reported { get; init; }

    /// <inheritdoc cref="MCPServer.Unreadable"/>
    public IReadOnlyList<SpecFault>? Unreadable { get; init; }

    public abstract ServerReference? ServerRef { get; }

    public ObjectKey Key => Metadata.Key;
}

/// <summary>The MCPServer that a grant or a session is for.</summary>
internal sealed record ServerReference
{
    public string? Name { get; init; }

    /// <summary>Unset means the namespace of the grant or session itself.</summary>
    public string? Namespace { get; init; }
}

/// <summary>Who calls. Each id that is set must be the caller's.</summary>
internal sealed record Subject
{
    public string? HumanID { get; init; }
    public string? AgentID { get; init; }

    /// <summary>Unset means the team of the server.</summary>
    public string? TeamID { get; init; }
}
