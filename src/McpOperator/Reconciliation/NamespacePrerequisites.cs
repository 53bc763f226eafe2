using System.Collections.Concurrent;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Resources;
using McpOperator.Resources.Types;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>
/// The objects that the servers of a namespace share. The operator may create and patch them but not read them, so it
/// remembers where it has seen to them: once a namespace and process, and again after a server went, for the whole
/// namespace may have gone with it.
/// </summary>
public sealed class NamespacePrerequisites(ApiClient api, OperatorSettings settings, ILogger logger)
{
    private readonly ConcurrentDictionary<string, bool> _serviceAccounts = new();
    private readonly ConcurrentDictionary<string, bool> _pullSecrets = new();

    /// <summary>Creates the ServiceAccount where there is none. One that somebody else made stays as it is.</summary>
    /// <returns>What kept it from being created; null when it is there.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    public async Task<Problem?> EnsureServiceAccountAsync(string ns, CancellationToken cancellationToken)
    {
        if (_serviceAccounts.ContainsKey(ns))
            return null;
        var account = NamespaceObjects.ServiceAccount(ns);
        var body = JsonSerializer.SerializeToUtf8Bytes(account, ManifestJsonContext.Default.ServiceAccount);
        try
        {
            await api.CreateAsync(Kinds.ServiceAccount, ns, body, cancellationToken).ConfigureAwait(false);
            Log.Created(logger, account.Kind);
        }
        catch (ApiException exception) when (exception.IsAlreadyExists)
        {
        }
        catch (ApiException exception) when (!exception.IsNamespaceTerminating)
        {
            Log.ApplyFailed(logger, account.Kind, exception.Message);
            return new Problem(Reasons.ApplyFailed, exception.Message);
        }

        _serviceAccounts[ns] = true;
        return null;
    }

    /// <summary>
    /// Keeps the pull secret in the namespace. Without a read nobody can tell whether it still has the credentials of
    /// today, so it is applied once a process: that is how a new password reaches the namespaces.
    /// </summary>
    /// <returns>What kept it from being applied; null when it is there.</returns>
    /// <exception cref="ApiException">The namespace is being deleted.</exception>
    public async Task<Problem?> EnsurePullSecretAsync(string ns, CancellationToken cancellationToken)
    {
        if (_pullSecrets.ContainsKey(ns))
            return null;
        var secret = NamespaceObjects.PullSecret(ns, settings.ProvisionedRegistry);
        var key = new ObjectKey(ns, secret.Metadata.Name);
        var body = JsonSerializer.SerializeToUtf8Bytes(secret, ManifestJsonContext.Default.Secret);
        try
        {
            await api.ApplyAsync(Kinds.Secret, key, body, force: true, static _ => true, cancellationToken).ConfigureAwait(false);
            Log.Updated(logger, secret.Kind);
        }
        catch (ApiException exception) when (!exception.IsNamespaceTerminating)
        {
            Log.ApplyFailed(logger, secret.Kind, exception.Message);
            return new Problem(Reasons.ApplyFailed, exception.Message);
        }

        _pullSecrets[ns] = true;
        return null;
    }

    /// <summary>A server of this namespace went: look again before the next one needs something of it.</summary>
    public void Forget(string ns)
    {
        _serviceAccounts.TryRemove(ns, out _);
        _pullSecrets.TryRemove(ns, out _);
    }
}
