namespace McpOperator.Api;

/// <summary>What became of a grant or a session.</summary>
internal sealed record AccessStatus
{
    public long ObservedGeneration { get; init; }

    /// <summary>One of <see cref="AccessPhase"/>.</summary>
    public string? Phase { get; init; }

    /// <summary>For a person.</summary>
    public string? Message { get; init; }

    /// <summary>There is one condition, of the type <see cref="Accepted"/>.</summary>
    public IReadOnlyList<Condition>? Conditions { get; init; }

    /// <summary>The type of the condition. True when the grant or session is in the server's policy as it is written.</summary>
    public const string Accepted = "Accepted";
}

/// <summary>The values of status.phase.</summary>
internal static class AccessPhase
{
    public const string Accepted = "Accepted";

    /// <summary>A grant that its author has switched off.</summary>
    public const string Disabled = "Disabled";

    /// <summary>A session that its author has ended.</summary>
    public const string Revoked = "Revoked";

    /// <summary>A session whose time is over.</summary>
    public const string Expired = "Expired";

    /// <summary>The policy leaves it out.</summary>
    public const string Rejected = "Rejected";
}

/// <summary>The reasons of the condition. Other programs compare them, so that none may ever change its meaning.</summary>
internal static class AccessReasons
{
    public const string Accepted = "Accepted";

    /// <summary>Accepted, and without effect: spec.disabled is true.</summary>
    public const string Disabled = "Disabled";

    /// <summary>The spec breaks a rule; the message names every fault.</summary>
    public const string Invalid = "Invalid";

    /// <summary>There is no MCPServer of the name in serverRef.</summary>
    public const string ServerNotFound = "ServerNotFound";

    /// <summary>The server takes no grants and sessions of this namespace.</summary>
    public const string NamespaceNotAllowed = "NamespaceNotAllowed";

    /// <summary>An accepted object of another namespace has this name.</summary>
    public const string DuplicateName = "DuplicateName";

    /// <summary>It is being deleted, and the policy does not hold it any more.</summary>
    public const string Terminating = "Terminating";

    /// <summary>It alone is larger than one grant or session may be in a policy.</summary>
    public const string TooLarge = "TooLarge";

    /// <summary>The policy leaves it out, because with it the policy would not fit into a ConfigMap.</summary>
    public const string PolicyFull = "PolicyFull";

    /// <summary>spec.expiresAt is over: gateways refuse it.</summary>
    public const string Expired = "Expired";

    /// <summary>spec.revoked is true: the policy names it as revoked.</summary>
    public const string Revoked = "Revoked";
}
