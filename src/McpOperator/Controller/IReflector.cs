namespace McpOperator.Controller;

/// <summary>
/// What the loop, the probes and the metrics need of a <see cref="Reflector"/>, whatever its kind of object.
/// </summary>
internal interface IReflector
{
    /// <summary>What it watches, for log lines.</summary>
    string Name { get; }

    /// <summary>
    /// Completes when the store holds the first list; of an optional kind also when there is none to be had, and of one that somebody
    /// has to ask for at once.
    /// </summary>
    Task Synced { get; }

    /// <summary>How many watches were begun after the first one.</summary>
    long WatchRestarts { get; }

    /// <summary>How many complete lists there were after the first one.</summary>
    long Relists { get; }

    /// <summary>Whether the list, the watch or the wait that it is in has lasted longer than any of these may.</summary>
    bool Hangs { get; }

    /// <summary>
    /// Makes it list from etcd as soon as it can. Completes when a list that began after this call is in the store, so that
    /// nothing in the store is older than the call. A list that fails is tried again. Cancelling ends the wait, and not the
    /// list. After the reflector has stopped, this only ends by cancellation.
    /// </summary>
    Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>Somebody has seen that versions went back: what the store holds is of another history, and is listed anew.</summary>
    void Rewound();

    /// <summary>Keeps the store up to date until cancelled; returns then, and throws nothing.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
