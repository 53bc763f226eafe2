using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers;

/// <summary>What is remembered of one server between passes. One thread at a time has it.</summary>
internal sealed class ServerMemory(ServerKinds kinds)
{
    private readonly ApplyMemory?[] _objects = new ApplyMemory?[kinds.All.Count];

    /// <summary>The inputs of the last pass, if it ended waiting for something outside the operator.</summary>
    public object?[]? Waiting { get; set; }

    /// <summary>The metadata of the server for which the last pass awaited a policy.</summary>
    public ObjectMeta? AwaitedPolicyOf { get; set; }

    /// <summary>
    /// Whether the Service has led to the gateways. If somebody changes it in the middle of a rollout, it goes back to them at
    /// once.
    /// </summary>
    public bool TargetsGateway { get; set; }

    /// <summary>The fields of others that the last event named, so that it is sent once; null for none.</summary>
    public string? ToldForeign { get; set; }

    /// <summary>The track that keeps more replicas than desired until the other one is up; null for none.</summary>
    public DeploymentKind? Held { get; set; }

    /// <summary>Why its pods are not ready; null while they are.</summary>
    public Diagnosis.Diagnosis? Diagnosis { get; set; }

    /// <summary>Why it has no address; null while it waits for none.</summary>
    public Diagnosis.AddressWait? AddressWait { get; set; }

    /// <summary>What its status and events wait for; null while it is ready.</summary>
    public Quiet? Quiet { get; set; }

    /// <summary>Of a server with restartOnChange; null for any other.</summary>
    public ConfigVersions? ConfigVersions { get; set; }

    /// <summary>Of the defaults in the spec.</summary>
    public ApplyMemory Defaults { get; } = new();

    public ApplyMemory Status { get; } = new();

    public ApplyMemory ApplyMemoryOf(OwnedKind kind) => _objects[kind.Index] ??= new ApplyMemory();

    /// <summary>How long until the first memory of repairs ends; null when there is none.</summary>
    public TimeSpan? QuietIn(TimeProvider time) =>
        _objects.OfType<ApplyMemory>().Append(Defaults).Append(Status).Min(memory => memory.QuietIn(time));

    /// <summary>How long until its pods or the classes are looked at, or what waited is told; null when nothing is due.</summary>
    public TimeSpan? DueIn(TimeProvider time)
    {
        var due = Math.Min(
            Math.Min(Diagnosis?.DueAt ?? long.MaxValue, AddressWait?.DueAt ?? long.MaxValue),
            Math.Min(Quiet?.DueAt ?? long.MaxValue, ConfigVersions?.DueAt ?? long.MaxValue));
        return due == long.MaxValue ? null : time.Until(due);
    }

    public bool IsEmpty => Waiting is null && AwaitedPolicyOf is null && !TargetsGateway && Held is null && ToldForeign is null && Diagnosis is null && AddressWait is null && Quiet is null && ConfigVersions is null && Defaults.IsEmpty && Status.IsEmpty
        && Array.TrueForAll(_objects, static memory => memory?.IsEmpty != false);
}
