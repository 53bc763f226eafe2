using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>What the prober remembers of one server.</summary>
internal sealed class McpEntry(McpTarget target)
{
    public McpTarget Target { get; set; } = target;

    /// <summary>Whether it is not asked for now: it is paused, or its pods change.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Whether it waits for others of its namespace.</summary>
    public bool IsParked { get; set; }

    /// <summary>Whether it has answered at this revision.</summary>
    public bool HasAnswered { get; set; }

    /// <summary>Whether it was asked at this revision by this process.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Of the template of the pods that were asked last; null of none.</summary>
    public string? PodHash { get; set; }

    /// <summary>The same of the revision before, where that was asked.</summary>
    public string? FormerHash { get; set; }

    /// <summary>In a row.</summary>
    public int Misses { get; set; }

    /// <summary>How often in a row there was no pod to ask.</summary>
    public int Absences { get; set; }

    /// <summary>Timestamp.</summary>
    public long DueAt { get; set; }

    /// <summary>Null when that is not known.</summary>
    public McpWay? Way { get; set; }

    /// <summary>What it said last, at any revision.</summary>
    public McpInfo? Info { get; set; }

    /// <summary>What came instead of an answer; the same again is told in the same words, though it be another pod.</summary>
    public string? Failure { get; set; }
}
