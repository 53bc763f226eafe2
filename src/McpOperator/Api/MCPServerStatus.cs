namespace McpOperator.Api;

/// <summary>What was observed, and of which generation of the spec.</summary>
internal sealed record MCPServerStatus
{
    public long ObservedGeneration { get; init; }

    /// <summary>One of <see cref="Api.Phase"/>.</summary>
    public string? Phase { get; init; }

    /// <summary>For a person: what is not ready and why, the first cause first.</summary>
    public string? Message { get; init; }

    public bool IsReady() => Is(ConditionTypes.Ready);

    public bool DeploymentReady => Is(ConditionTypes.DeploymentReady);
    public bool ServiceReady => Is(ConditionTypes.ServiceReady);
    public bool IngressReady => Is(ConditionTypes.IngressReady);
    public bool GatewayReady => Is(ConditionTypes.GatewayReady);
    public bool PolicyReady => Is(ConditionTypes.PolicyReady);
    public bool CanaryReady => Is(ConditionTypes.CanaryReady);

    /// <summary>In a fixed order; one of a type.</summary>
    public IReadOnlyList<Condition>? Conditions { get; init; }

    /// <summary>Where clients reach it: <c>http(s)://host/path</c>, or the path alone when hostless.</summary>
    public string? Url { get; init; }

    /// <summary>The image as the pods get it.</summary>
    public string? Image { get; init; }

    /// <summary>What the MCP server says of itself; null unless the spec has it asked.</summary>
    public McpInfo? Mcp { get; init; }

    public int Replicas { get; init; }
    public int ReadyReplicas { get; init; }

    /// <summary>The pods' label selector, for the scale subresource.</summary>
    public string? Selector { get; init; }

    /// <summary>False of what is off, which has no condition.</summary>
    private bool Is(string condition) => Conditions?.Any(reported => reported.Type == condition && reported.Status == "True") == true;
}

/// <summary>The values of status.phase.</summary>
internal static class Phase
{
    public const string Ready = "Ready";

    /// <summary>Some component is ready.</summary>
    public const string PartiallyReady = "PartiallyReady";

    /// <summary>No component is ready.</summary>
    public const string Pending = "Pending";

    /// <summary>The spec is invalid, or an object could not be written.</summary>
    public const string Error = "Error";

    /// <summary>Ready without pods, as <c>spec.suspend</c> asks for: nobody is answered.</summary>
    public const string Suspended = "Suspended";
}
