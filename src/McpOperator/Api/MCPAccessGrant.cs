namespace McpOperator.Api;

/// <summary>What a caller may do with a server's tools.</summary>
internal sealed record MCPAccessGrant : AccessObject
{
    public static readonly ResourceType Type = new("mcpruntime.org", "v1alpha1", "mcpaccessgrants", "MCPAccessGrant");

    public MCPAccessGrantSpec Spec { get; init; } = new();

    public override ServerReference? ServerRef => Spec.ServerRef;
}

/// <summary>As the user wrote it: null means unset.</summary>
internal sealed record MCPAccessGrantSpec
{
    public ServerReference? ServerRef { get; init; }
    public Subject? Subject { get; init; }

    /// <summary>How far the caller is trusted: low, medium or high.</summary>
    public string? MaxTrust { get; init; }

    /// <summary>What the tools that it calls may change: read, write, destructive.</summary>
    public IReadOnlyList<string>? AllowedSideEffects { get; init; }

    public string? PolicyVersion { get; init; }
    public bool? Disabled { get; init; }

    /// <summary>The tools that it is about; without any it is about every tool.</summary>
    public IReadOnlyList<ToolRule>? ToolRules { get; init; }
}

internal sealed record ToolRule
{
    public string? Name { get; init; }

    /// <summary>allow or deny.</summary>
    public string? Decision { get; init; }

    public string? RequiredTrust { get; init; }

    // A method, as a property would be part of the JSON.

    public bool Denies() => (Defaults.Trimmed(Decision) ?? Defaults.RuleDecision) != Defaults.RuleDecision;
}
