namespace McpOperator.Controller;

/// <summary>
/// One controller of a <see cref="ControllerLoop"/>, with its own queue and workers. No lane ever waits for another one.
/// </summary>
/// <param name="name">For metrics and probes.</param>
internal sealed class Lane(string name, WorkQueue queue, Reconcile reconcile, int workers, TimeProvider time)
{
    public string Name => name;

    public WorkQueue Queue => queue;

    public Reconcile Reconcile => reconcile;

    public int Workers => workers;

    /// <summary>The reconciles that have ended, and those in flight.</summary>
    public ReconcileCounters Counters { get; } = new(workers, time);

    /// <summary>True when no key waits, and no worker has one.</summary>
    public bool IsIdle => queue.Depth == 0 && Counters.ActiveWorkers == 0;

    /// <summary>
    /// By key, the API server's refusal that the last pass ended with. The same one again is not logged as an error.
    /// </summary>
    internal KeyMap<string> LastErrors { get; } = new();
}
