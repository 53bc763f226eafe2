namespace McpOperator.Kubernetes;

/// <summary>metav1.Status: the reason of a refusal, in the body of an answer or in an ERROR event of a watch.</summary>
internal sealed record Status
{
    public string? Message { get; init; }

    /// <summary>Machine-readable: <c>NotFound</c>, <c>Conflict</c>, <c>Expired</c>, <c>Invalid</c>, …</summary>
    public string? Reason { get; init; }

    /// <summary>The HTTP status code that goes with it.</summary>
    public int Code { get; init; }

    public StatusDetails? Details { get; init; }

    /// <summary>True when a cause of this kind is listed, for example <c>NamespaceTerminating</c>.</summary>
    public bool HasCause(string reason) => Details?.Causes?.Any(cause => cause.Reason == reason) ?? false;

    /// <summary>
    /// True when this manager owns all the fields that an apply without force conflicts with (apimachinery
    /// managedfields/internal/conflict.go).
    /// </summary>
    public bool IsConflictWith(string manager) => Details?.Causes is { Count: > 0 } causes
        && causes.All(cause => cause.Message?.StartsWith($"conflict with \"{manager}\" ", StringComparison.Ordinal) ?? false);
}

/// <summary>metav1.StatusDetails.</summary>
internal sealed record StatusDetails
{
    public IReadOnlyList<StatusCause>? Causes { get; init; }

    public int? RetryAfterSeconds { get; init; }
}

/// <summary>metav1.StatusCause.</summary>
internal sealed record StatusCause
{
    public string? Reason { get; init; }

    public string? Message { get; init; }

    public string? Field { get; init; }
}
