namespace McpOperator.Controller;

/// <summary>One controller of a <see cref="ControllerLoop"/>: what waits in one lane never waits for what another one is at.</summary>
/// <param name="name">For metrics and probes.</param>
/// <param name="queue">Whose keys it is handed.</param>
/// <param name="reconcile">What to do with a key.</param>
/// <param name="workers">Reconciles in flight.</param>
/// <param name="time">Measures them.</param>
public sealed class Lane(string name, WorkQueue queue, Reconcile reconcile, int workers, TimeProvider time)
{
    public string Name => name;

    public WorkQueue Queue => queue;

    public Reconcile Reconcile => reconcile;

    public int Workers => workers;

    /// <summary>Reconciles so far and now.</summary>
    public ReconcileCounters Counters { get; } = new(workers, time);

    /// <summary>True when no key waits, and no worker has one.</summary>
    public bool IsIdle => queue.Depth == 0 && Counters.ActiveWorkers == 0;

    /// <summary>The refusal that a key's last pass ended with, so that it is said once.</summary>
    internal KeyMap<string> Refusals { get; } = new();
}
