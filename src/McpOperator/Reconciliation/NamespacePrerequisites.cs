using System.Collections.Concurrent;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Resources;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>
/// The objects that the servers of a namespace share. The operator may create and patch them but not read them, so it
/// remembers where it has seen to them: once a namespace and process, and again after the last server of the namespace
/// went, for the namespace may have gone with it.
/// </summary>
public sealed class NamespacePrerequisites(
    ApiClient api, OperatorSettings settings, OperatorCounters counters, ILogger logger)
{
    private readonly OncePerNamespace _serviceAccounts = new();
    private readonly OncePerNamespace _pullSecrets = new();
    private readonly Refusals _accountRefusals = new(logger, Kinds.ServiceAccount.Kind);
    private readonly Refusals _secretRefusals = new(logger, Kinds.Secret.Kind);

    /// <summary>Creates the ServiceAccount where there is none. One that somebody else made stays as it is.</summary>
    /// <returns>What kept it from being created; null when it is there.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    public Task<Problem?> EnsureServiceAccountAsync(string ns, CancellationToken cancellationToken) =>
        _serviceAccounts.RunAsync(ns, () => CreateServiceAccountAsync(ns, cancellationToken));

    /// <summary>
    /// Keeps the pull secret in the namespace. Without a read nobody can tell whether it still has the credentials of
    /// today, so it is applied once a process: that is how a new password reaches the namespaces. One that somebody else made,
    /// or changed, is left alone.
    /// </summary>
    /// <returns>What kept it from being applied; null when it is there.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    public Task<Problem?> EnsurePullSecretAsync(string ns, CancellationToken cancellationToken) =>
        _pullSecrets.RunAsync(ns, () => ApplyPullSecretAsync(ns, cancellationToken));

    /// <summary>True when the last attempt to create it failed.</summary>
    public bool OwesServiceAccount(string ns) => _serviceAccounts.HasFailed(ns);

    /// <summary>It is gone: look again.</summary>
    public void ForgetServiceAccount(string ns) => _serviceAccounts.Forget(ns);

    /// <summary>The namespace may be gone: look again before the next server needs something of it.</summary>
    public void Forget(string ns)
    {
        _serviceAccounts.Forget(ns);
        _pullSecrets.Forget(ns);
        _accountRefusals.Forget(One(ns));
        _secretRefusals.Forget(One(ns));
    }

    private async Task<Problem?> CreateServiceAccountAsync(string ns, CancellationToken cancellationToken)
    {
        var account = NamespaceObjects.ServiceAccount(ns);
        var body = Intent.Of(account);
        try
        {
            await api.CreateAsync(Kinds.ServiceAccount, ns, body, cancellationToken).ConfigureAwait(false);
            counters.Write(account.Kind, Change.Created);
            Log.ObjectCreated(logger, account.Kind);
        }
        catch (ApiException exception) when (exception.IsAlreadyExists)
        {
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return _accountRefusals.Note(One(ns), exception);
        }

        _accountRefusals.Forget(One(ns));
        return null;
    }

    private async Task<Problem?> ApplyPullSecretAsync(string ns, CancellationToken cancellationToken)
    {
        var secret = NamespaceObjects.PullSecret(ns, settings.ProvisionedRegistry);
        var key = new ObjectKey(ns, secret.Metadata.Name);
        var body = Intent.Of(secret);
        try
        {
            try
            {
                await ApplyAsync(force: false).ConfigureAwait(false);
            }
            catch (ApiException exception) when (exception.IsFieldManagerConflict && exception.Status.IsConflictWith(Takeover.Predecessor))
            {
                await ApplyAsync(force: true).ConfigureAwait(false);
            }

            counters.Write(secret.Kind, Change.Updated);
            Log.PullSecretApplied(logger, key.Name);
        }
        catch (ApiException exception) when (exception.IsFieldManagerConflict)
        {
            _secretRefusals.Note(One(ns), exception);
            return new Problem(
                Reasons.NameConflict,
                $"Secret {key} holds what somebody else wrote; it is left alone: delete it, or have PROVISIONED_REGISTRY_SECRET_NAME name another one");
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return _secretRefusals.Note(One(ns), exception);
        }

        _secretRefusals.Forget(One(ns));
        return null;

        Task ApplyAsync(bool force) => api.ApplyAsync(Kinds.Secret, key, body, force, static _ => true, cancellationToken: cancellationToken);
    }

    /// <summary>There is one of each kind in a namespace.</summary>
    private static ObjectKey One(string ns) => new(ns, "");

    /// <summary>However many workers need it at the same time: one does it, the others wait for what comes of it.</summary>
    private sealed class OncePerNamespace
    {
        private readonly ConcurrentDictionary<string, Task<Problem?>> _runs = new();
        private readonly ConcurrentDictionary<string, bool> _failed = new();

        public bool HasFailed(string ns) => _failed.ContainsKey(ns);

        public async Task<Problem?> RunAsync(string ns, Func<Task<Problem?>> run)
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
        public void Forget(string ns)
        {
            _runs.TryRemove(ns, out _);
            _failed.TryRemove(ns, out _);
        }
    }
}
