namespace McpOperator.Kubernetes;

/// <summary>metav1.Condition.</summary>
internal sealed record Condition
{
    /// <summary>metav1.Condition's limit is 32,768 bytes; nobody reads that far.</summary>
    private const int LongestMessage = 4096;

    public required string Type { get; init; }

    /// <summary>True, False or Unknown.</summary>
    public required string Status { get; init; }

    public long ObservedGeneration { get; init; }

    /// <summary>Moves only when <see cref="Status"/> flips.</summary>
    public required string LastTransitionTime { get; init; }

    public required string Reason { get; init; }

    public required string Message { get; init; }

    /// <param name="reason">One of constants, in CamelCase.</param>
    /// <param name="message">For a person; cut where it is long.</param>
    /// <param name="before">What was reported last, whose time stays while the status does.</param>
    /// <param name="now">The time of a status that flips.</param>
    public static Condition Of(
        string type, bool isTrue, string reason, string message, long generation, LastReport? before, DateTimeOffset now) =>
        Of(type, isTrue ? "True" : "False", reason, message, generation, before, now);

    /// <inheritdoc cref="Of(string, bool, string, string, long, LastReport?, DateTimeOffset)"/>
    /// <param name="status"><see cref="Status"/>.</param>
    public static Condition Of(
        string type, string status, string reason, string message, long generation, LastReport? before, DateTimeOffset now)
    {
        var last = before?.Find(type);
        return new Condition
        {
            Type = type,
            Status = status,
            ObservedGeneration = generation,
            LastTransitionTime = last?.Status == status && last?.Since is { } since ? since : KubernetesTime.Format(now),
            Reason = reason,
            Message = Cut(message),
        };
    }

    public static string Cut(string message) =>
        message.Length <= LongestMessage ? message : string.Concat(message.AsSpan(0, LongestMessage - 1), "…");
}
