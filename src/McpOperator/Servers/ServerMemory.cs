using McpOperator.Apply;
using McpOperator.Servers.Kinds;

namespace McpOperator.Servers;

/// <summary>All that is remembered of one server from one pass to the next. One thread at a time has it.</summary>
internal sealed class ServerMemory
{
    private readonly ApplyMemory?[] _objects = new ApplyMemory?[ServerKinds.Count];

    /// <summary>All that the last pass went by, of a server that waits for something that is not ours to do.</summary>
    public object?[]? Waiting { get; set; }

    /// <summary>The server as it was when its policy was not known yet.</summary>
    public ObjectMeta? AwaitedPolicyOf { get; set; }

    /// <summary>
    /// Whether its traffic has moved to its gateways, so that a Service which somebody changes in the middle of a rollout does not
    /// lead around them until its end.
    /// </summary>
    public bool IsAtGateway { get; set; }

    /// <summary>What was told of others' fields in its objects, so that it is told once; null for nothing.</summary>
    public string? ToldForeign { get; set; }

    /// <summary>The track that keeps more replicas than it is to have, until the other one is up; null for none.</summary>
    public DeploymentKind? Held { get; set; }

    /// <summary>Of the defaults that are written into its spec.</summary>
    public ApplyMemory Defaults { get; } = new();

    public ApplyMemory Status { get; } = new();

    public ApplyMemory Of(OwnedKind kind) => _objects[kind.Index] ??= new ApplyMemory();

    /// <summary>How long until something that is remembered of repairs may be forgotten; null when nothing is.</summary>
    public TimeSpan? QuietIn(TimeProvider time) =>
        _objects.OfType<ApplyMemory>().Append(Defaults).Append(Status).Min(memory => memory.QuietIn(time));

    public bool IsEmpty => Waiting is null && AwaitedPolicyOf is null && !IsAtGateway && Held is null && ToldForeign is null && Defaults.IsEmpty && Status.IsEmpty
        && Array.TrueForAll(_objects, static memory => memory?.IsEmpty != false);
}
