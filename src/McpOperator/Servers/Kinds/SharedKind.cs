using McpOperator.Apply;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// An object that the servers of a namespace share, without an owner, so that it outlives each of them. The operator may write
/// but not read it, so it writes it once per namespace and process, and again after the namespace's last server is gone: the
/// namespace may have been deleted.
/// </summary>
internal abstract class SharedKind(ResourceType type) : OwnedKind(type)
{
    private readonly Lock _lock = new();

    // By namespace. The write is null before the first one; it failed when it ended with a problem or an exception.
    private readonly Dictionary<string, (Task<Problem?>? Write, ApplyMemory Memory)> _namespaces = new(StringComparer.Ordinal);

    public override bool IsShared => true;

    public override async Task<ApplyResult> CarryOutAsync(
        Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken)
    {
        if (desired is not DesiredState.Apply { Body: var body })
            return default;
        var ns = pass.Server.Metadata.Namespace;
        var isGone = IsGone(pass);
        Task<Problem?> write;
        // One worker writes; others wait for its result. A write that is running when the namespace is forgotten goes on, and the next
        // caller starts another.
        lock (_lock)
        {
            var (running, memory) = _namespaces.GetValueOrDefault(ns);
            memory ??= new ApplyMemory();
            write = running is null || isGone || (running.IsCompleted && !IsDone(running))
                ? WriteAsync(applier, pass, body(), memory, cancellationToken)
                : running;
            _namespaces[ns] = (write, memory);
        }

        return new(null, await write.ConfigureAwait(false));
    }

    public override void ForgetNamespace(string ns)
    {
        lock (_lock)
            _namespaces.Remove(ns);
    }

    /// <summary>Whether it is known to have been deleted since.</summary>
    protected virtual bool IsGone(Pass pass) => false;

    /// <summary>True while a write is running, and after one failed.</summary>
    protected bool IsPending(string ns)
    {
        lock (_lock)
            return _namespaces.GetValueOrDefault(ns).Write is { } write && !IsDone(write);
    }

    /// <returns>Why it could not be written; null when it exists.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    protected abstract Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] body, ApplyMemory memory, CancellationToken cancellationToken);

    private static bool IsDone(Task<Problem?> write) => write is { IsCompletedSuccessfully: true, Result: null };
}
