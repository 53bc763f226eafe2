using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>Writes objects without an owner that we may not read: the servers of a namespace share them.</summary>
internal sealed class SharedObjects(ApiClient api, WriteCounters counters, ILogger logger)
{
    /// <summary>Creates an object. If there is one of this name, it stays as it is.</summary>
    /// <returns>Why it could not be created; null when it exists.</returns>
    /// <exception cref="ApiException">The namespace is being deleted, or the API server cannot serve the request.</exception>
    public async Task<Problem?> CreateAsync(
        ResourceType type, string ns, byte[] body, ApplyMemory memory, CancellationToken cancellationToken)
    {
        try
        {
            await api.CreateAsync(type, ns, body, cancellationToken: cancellationToken).ConfigureAwait(false);
            counters.Write(type.Kind, Change.Created);
            Log.ObjectCreated(logger, type.Kind);
        }
        catch (ApiException exception) when (exception.IsAlreadyExists)
        {
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return memory.Refused(logger, type.Kind, exception);
        }

        memory.ForgetRefusal();
        return null;
    }

    /// <summary>
    /// Applies an object. The predecessor's fields are taken over; when anybody else owns one that we want, nothing is written.
    /// </summary>
    /// <param name="before">The version in which it was last applied; null for none.</param>
    /// <returns>Why it could not be applied (NameConflict: somebody else owns a field), or its version.</returns>
    /// <exception cref="ApiException">The namespace is being deleted, or the API server cannot serve the request.</exception>
    public async Task<(Problem? Problem, string? Version)> ApplyUnreadAsync(
        ResourceType type, ObjectKey key, byte[] body, string? before, ApplyMemory memory, CancellationToken cancellationToken)
    {
        string version;
        try
        {
            try
            {
                version = await SendAsync(force: false).ConfigureAwait(false);
            }
            catch (ApiException exception) when (
                exception.IsFieldManagerConflict && api.Identity.Predecessor is { } predecessor && exception.Status.IsConflictWith(predecessor))
            {
                version = await SendAsync(force: true).ConfigureAwait(false);
            }

            if (version != before)
                counters.Write(type.Kind, Change.Updated);
        }
        catch (ApiException exception) when (exception.IsFieldManagerConflict)
        {
            memory.Refused(logger, type.Kind, exception);
            return (new Problem(Problem.NameConflict, $"{type.Kind} {key} holds what somebody else wrote; it is left alone: delete it"), null);
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return (memory.Refused(logger, type.Kind, exception), null);
        }

        memory.ForgetRefusal();
        return (null, version);

        Task<string> SendAsync(bool force) => api.ApplyAsync(
            type, key, body, force, static json => json.Child("metadata"u8)?.Text("resourceVersion"u8) ?? "", cancellationToken: cancellationToken);
    }
}
