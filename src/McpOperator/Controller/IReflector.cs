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

    /// <summary>Keeps the store up to date until cancelled; returns then, and throws nothing.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
