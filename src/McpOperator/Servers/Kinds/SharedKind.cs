using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// An object that the servers of a namespace share. No server owns it, so that none takes it along when it goes. The operator may
/// write but not read it, so it remembers where it has seen to it: once a namespace and process, and again after the last
/// server of the namespace went, for the namespace may have gone with it.
/// </summary>
internal abstract class SharedKind(ResourceType type) : OwnedKind(type)
{
    private readonly Lock _lock = new();
    private readonly KeyMap<Run> _runs = new();
    private readonly KeyMap<ApplyMemory> _memories = new();

    public override bool IsShared => true;

    public override async Task<ApplyResult<Observed>> ReconcileAsync(
        Applier applier, Pass pass, Wanted wanted, CancellationToken cancellationToken)
    {
        if (wanted is not Wanted.Apply { Manifest: var manifest })
            return default;
        var key = KeyOf(pass.Server.Metadata.Namespace);
        if (IsGone(pass))
            _runs.Remove(key);
        var memory = _memories.Get(key) ?? new ApplyMemory();
        _memories.Set(key, memory);
        return new(null, await OnceAsync(key, () => WriteAsync(applier, pass, manifest(), memory, cancellationToken)).ConfigureAwait(false));
    }

    public override void ForgetNamespace(string ns)
    {
        _runs.Remove(KeyOf(ns));
        _memories.Remove(KeyOf(ns));
    }

    /// <summary>Whether it is seen to be missing where it was written.</summary>
    protected virtual bool IsGone(Pass pass) => false;

    /// <summary>True while it is written, and when the last attempt failed.</summary>
    protected bool IsPending(string ns) => _runs.Get(KeyOf(ns)) is { IsDone: false };

    /// <returns>What kept it from being written; null when it is there.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    protected abstract Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] manifest, ApplyMemory memory, CancellationToken cancellationToken);

    protected static ObjectKey KeyOf(string ns) => new(ns, "");

    /// <summary>
    /// However many workers need it at the same time: one does it, the others wait for what comes of it. What was forgotten meanwhile
    /// goes on, and is done again for whoever asks from then on.
    /// </summary>
    private async Task<Problem?> OnceAsync(ObjectKey key, Func<Task<Problem?>> write)
    {
        var run = new Run();
        Run? other;
        lock (_lock)
        {
            other = _runs.Get(key) is { HasFailed: false } begun ? begun : null;
            if (other is null)
                _runs.Set(key, run);
        }

        if (other is not null)
            return await other.Outcome.Task.ConfigureAwait(false);

        try
        {
            var problem = await write().ConfigureAwait(false);
            run.IsDone = problem is null;
            run.HasFailed = problem is not null;
            run.Outcome.SetResult(problem);
            return problem;
        }
        catch (Exception exception)
        {
            run.HasFailed = true;
            run.Outcome.SetException(exception);
            _ = run.Outcome.Task.Exception; // seen, even when nobody else waits
            throw;
        }
    }

    private sealed class Run
    {
        public TaskCompletionSource<Problem?> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public volatile bool IsDone;

        public volatile bool HasFailed;
    }
}
