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
    /// Whether a webhook or an admission policy denied the request. It chooses the code and the reason, so that these do not mean what
    /// they mean in the API server's own answers. Told by the words of the API server (apiserver
    /// pkg/admission/plugin/webhook/errors/statuserror.go, pkg/admission/plugin/policy/validating/dispatcher.go), before which newer
    /// ones say what was forbidden: <c>deployments.apps "web" is forbidden: </c>.
    /// </summary>
    public bool IsDenial
    {
        get
        {
            var text = Message.AsSpan();
            if (text.IndexOf(Forbidden, StringComparison.Ordinal) is var forbidden and >= 0 && text[..forbidden].IndexOf(": ", StringComparison.Ordinal) < 0)
                text = text[(forbidden + Forbidden.Length)..];
            else if (text.StartsWith(InternalError, StringComparison.Ordinal))
                text = text[InternalError.Length..];
            return (text.StartsWith("admission webhook \"", StringComparison.Ordinal) && text.Contains("\" denied the request", StringComparison.Ordinal))
                || (text.StartsWith("ValidatingAdmissionPolicy '", StringComparison.Ordinal) && text.Contains("' denied request", StringComparison.Ordinal));
        }
    }

    private const string Forbidden = "\" is forbidden: ";
    private const string InternalError = "Internal error occurred: ";

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
