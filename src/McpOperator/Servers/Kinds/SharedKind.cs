using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// An object that the servers of a namespace share, without an owner, so that it outlives each of them. The operator may write
/// but not read it, so it writes it once per namespace and process, and again after the namespace's last server is gone: the
/// namespace may have been deleted.
/// </summary>
internal abstract class SharedKind(ResourceType type) : OwnedKind(type)
{
    private readonly Lock _lock = new();
    private readonly KeyMap<Run> _runs = new();
    private readonly KeyMap<ApplyMemory> _memories = new();

    public override bool IsShared => true;

    public override async Task<ApplyResult> CarryOutAsync(
        Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken)
    {
        if (desired is not DesiredState.Apply { Body: var body })
            return default;
        var key = KeyOf(pass.Server.Metadata.Namespace);
        if (IsGone(pass))
            _runs.Remove(key);
        var memory = _memories.Get(key) ?? new ApplyMemory();
        _memories.Set(key, memory);
        return new(null, await OnceAsync(key, () => WriteAsync(applier, pass, body(), memory, cancellationToken)).ConfigureAwait(false));
    }

    public override void ForgetNamespace(string ns)
    {
        _runs.Remove(KeyOf(ns));
        _memories.Remove(KeyOf(ns));
    }

    /// <summary>Whether it is known to have been deleted since.</summary>
    protected virtual bool IsGone(Pass pass) => false;

    /// <summary>True while a write is running, and after one failed.</summary>
    protected bool IsPending(string ns) => _runs.Get(KeyOf(ns)) is { IsDone: false };

    /// <returns>Why it could not be written; null when it exists.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    protected abstract Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] body, ApplyMemory memory, CancellationToken cancellationToken);

    protected static ObjectKey KeyOf(string ns) => new(ns, "");

    /// <summary>
    /// One worker writes; others wait for its result. A write that is running when the namespace is forgotten goes on, and the
    /// next caller starts another.
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
            _ = run.Outcome.Task.Exception; // observed, or it would count as unobserved when nobody waits
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
