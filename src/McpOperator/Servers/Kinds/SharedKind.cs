using System.Collections.Concurrent;
using McpOperator.Apply;
using McpOperator.Kubernetes;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// An object that the servers of a namespace share. No server owns it, so that none takes it along when it goes. The operator may
/// write but not read it, so it remembers where it has seen to it: once a namespace and process, and again after the last
/// server of the namespace went, for the namespace may have gone with it.
/// </summary>
internal abstract class SharedKind(ResourceType type) : OwnedKind(type)
{
    private readonly ConcurrentDictionary<string, Task<Problem?>> _runs = new();
    private readonly ConcurrentDictionary<string, ApplyMemory> _memories = new();
    private readonly ConcurrentDictionary<string, bool> _failed = new();

    public override bool IsShared => true;

    public override async Task<ApplyResult<Observed>> BringAsync(
        Applier applier, Pass pass, Wanted wanted, CancellationToken cancellationToken)
    {
        if (wanted is not Wanted.Apply { Manifest: var manifest })
            return default;
        var ns = pass.Server.Metadata.Namespace;
        if (IsGone(pass))
            Forget(ns);
        return new(null, await OnceAsync(
            ns, () => WriteAsync(applier, pass, manifest(), _memories.GetOrAdd(ns, _ => new ApplyMemory()), cancellationToken)).ConfigureAwait(false));
    }

    public override void ForgetNamespace(string ns)
    {
        Forget(ns);
        _memories.TryRemove(ns, out _);
    }

    /// <summary>Whether it is seen to be missing where it was written.</summary>
    protected virtual bool IsGone(Pass pass) => false;

    /// <summary>True when the last attempt to write it failed.</summary>
    protected bool HasFailed(string ns) => _failed.ContainsKey(ns);

    /// <returns>What kept it from being written; null when it is there.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    protected abstract Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] manifest, ApplyMemory memory, CancellationToken cancellationToken);

    /// <summary>However many workers need it at the same time: one does it, the others wait for what comes of it.</summary>
    private async Task<Problem?> OnceAsync(string ns, Func<Task<Problem?>> run)
    {
        var mine = new TaskCompletionSource<Problem?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = _runs.GetOrAdd(ns, mine.Task);
        if (first != mine.Task)
            return await first.ConfigureAwait(false);
        try
        {
            _failed[ns] = true;
            var problem = await run().ConfigureAwait(false);
            if (problem is not null)
                _runs.TryRemove(new(ns, first));
            else
                _failed.TryRemove(ns, out _);
            mine.SetResult(problem);
            return problem;
        }
        catch (Exception exception)
        {
            _runs.TryRemove(new(ns, first));
            mine.SetException(exception);
            _ = first.Exception; // seen, even when nobody else waits
            throw;
        }
    }

    /// <summary>What is under way goes on, and is done again for whoever asks from now on.</summary>
    private void Forget(string ns)
    {
        _runs.TryRemove(ns, out _);
        _failed.TryRemove(ns, out _);
    }
}
