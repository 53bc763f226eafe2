namespace McpOperator.Api;

/// <summary>What a caller has consented that an agent does with a server in its name, and until when.</summary>
internal sealed record MCPAgentSession : AccessObject
{
    public static readonly ResourceType Type = new("mcpruntime.org", "v1alpha1", "mcpagentsessions", "MCPAgentSession");

    public MCPAgentSessionSpec Spec { get; init; } = new();

    public override ServerReference? ServerRef => Spec.ServerRef;

    /// <summary>Null when it never expires. Only to be asked of a valid session.</summary>
    public DateTimeOffset? ExpiresAt => KubernetesTime.TryParse(Spec.ExpiresAt, out var time) ? time : null;
}

/// <summary>As the user wrote it: null means unset.</summary>
internal sealed record MCPAgentSessionSpec
{
    public ServerReference? ServerRef { get; init; }
    public Subject? Subject { get; init; }

    /// <summary>How far the agent is trusted in this session: low, medium or high.</summary>
    public string? ConsentedTrust { get; init; }

    /// <summary>RFC 3339.</summary>
    public string? ExpiresAt { get; init; }

    public bool? Revoked { get; init; }

    /// <summary>The token that the gateway sends to the server. The operator never reads it.</summary>
    public SecretKeyRef? UpstreamTokenSecretRef { get; init; }

    public string? PolicyVersion { get; init; }
}
