using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>What was observed, and of which generation of the spec.</summary>
public sealed record MCPServerStatus
{
    public long ObservedGeneration { get; init; }

    /// <summary>One of <see cref="Api.Phase"/>.</summary>
    public string? Phase { get; init; }

    /// <summary>For a person: what is not ready and why, the first cause first.</summary>
    public string? Message { get; init; }

    public bool DeploymentReady { get; init; }
    public bool ServiceReady { get; init; }
    public bool IngressReady { get; init; }
    public bool GatewayReady { get; init; }
    public bool PolicyReady { get; init; }
    public bool CanaryReady { get; init; }

    /// <summary>In a fixed order; one of a type.</summary>
    public IReadOnlyList<Condition>? Conditions { get; init; }

    /// <summary>Where clients reach it: <c>http(s)://host/path</c>, or the path alone when hostless.</summary>
    public string? Url { get; init; }

    /// <summary>The image as the pods get it.</summary>
    public string? Image { get; init; }

    public int Replicas { get; init; }
    public int ReadyReplicas { get; init; }

    /// <summary>The pods' label selector, for the scale subresource.</summary>
    public string? Selector { get; init; }
}

/// <summary>metav1.Condition.</summary>
public sealed record Condition
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

    /// <param name="type">Of which an object has one.</param>
    /// <param name="isTrue">Its status.</param>
    /// <param name="reason">One of constants, in CamelCase.</param>
    /// <param name="message">For a person; cut where it is long.</param>
    /// <param name="generation">Of the spec that it is about.</param>
    /// <param name="before">What was reported last, whose time stays while the status does.</param>
    /// <param name="now">The time of a status that flips.</param>
    public static Condition Of(
        string type, bool isTrue, string reason, string message, long generation, LastReport? before, DateTimeOffset now)
    {
        var status = isTrue ? "True" : "False";
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

/// <summary>The values of status.phase.</summary>
public static class Phase
{
    public const string Ready = "Ready";

    /// <summary>Some surface is ready.</summary>
    public const string PartiallyReady = "PartiallyReady";

    /// <summary>No surface is ready.</summary>
    public const string Pending = "Pending";

    /// <summary>The spec is invalid, or an object could not be written.</summary>
    public const string Error = "Error";
}
