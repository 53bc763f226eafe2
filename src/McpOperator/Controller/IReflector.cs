namespace McpOperator.Controller;

/// <summary>
/// A <see cref="Reflector{T}"/> whatever its kind: what the loop, the probes and the metrics need of it.
/// </summary>
public interface IReflector
{
    /// <summary>What it watches, for log lines.</summary>
    string Name { get; }

    /// <summary>Completes when the store holds the first list.</summary>
    Task Synced { get; }

    /// <summary>Watches begun again after the first one.</summary>
    long WatchRestarts { get; }

    /// <summary>Complete lists after the first one.</summary>
    long Relists { get; }

    /// <summary>Whether what it is at, a list, a watch or the wait before one, has outlived its own deadline.</summary>
    bool Hangs { get; }

    /// <summary>
    /// Has it list from etcd as soon as it can, whatever it is at, and completes when a list that began after this call is
    /// in the store: nothing in it is older than the call. A list that fails is tried again. Whoever cancels does not wait
    /// any more; the list takes place all the same. Once the reflector has stopped, nothing completes but by cancellation.
    /// </summary>
    Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>Keeps the store up to date until cancelled; returns then, and throws nothing.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
