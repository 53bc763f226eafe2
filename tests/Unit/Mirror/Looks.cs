using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Mirror;

/// <summary>What somebody was asked to look at: with the priority, or with the delay.</summary>
internal sealed class Looks : IEnqueuer
{
    public static IEnqueuer None => new Looks();

    public List<(ObjectKey Key, Priority? Priority, TimeSpan? Delay)> All { get; } = [];

    public void Add(ObjectKey key, Priority priority = Priority.Changed) => All.Add((key, priority, null));

    public void AddAfter(ObjectKey key, TimeSpan delay) => All.Add((key, null, delay));
}
