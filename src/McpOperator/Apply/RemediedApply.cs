using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>An apply that tries the remedies of its kind when the API server refuses it as invalid.</summary>
internal sealed class RemediedApply(ApiClient api, ILogger logger)
{
    // The kind that this API server refuses to create by an apply with a resourceVersion (Service before 1.23): it is read first.
    private volatile ResourceType? _readFirst;

    /// <summary>
    /// Creates the object, or returns the one that is there, unchanged. An apply without force is not enough for that: it
    /// succeeds on somebody else's object whose fields do not conflict with ours. (Only the kind that is read first keeps that
    /// gap.)
    /// </summary>
    /// <param name="readFirst">Whether the name was taken at the last report: then no write is sent that would be refused.</param>
    /// <returns>One of the two; neither when an object was in the way and is gone.</returns>
    public async Task<(T? Created, T? Found)> CreateOrFindAsync<T>(
        OwnedObjects<T> objects, ObjectKey key, byte[] body, bool readFirst, Func<RefusedApply, Remedy?>? remedyFor, CancellationToken cancellationToken)
        where T : Observed
    {
        var (type, decode) = (objects.Type, objects.Decode);
        if ((readFirst || _readFirst == type) && await FindAsync("0").ConfigureAwait(false) is { } other)
            return (null, other);
        if (_readFirst != type)
        {
            try
            {
                return (await SendWithRemediesAsync(objects, key, body, ApplyMode.CreateOnly, remedyFor, cancellationToken).ConfigureAwait(false), null);
            }
            catch (ApiException exception) when (exception.IsConflict || exception.IsAlreadyExists)
            {
                return (null, await FindAsync(null).ConfigureAwait(false));
            }
            catch (ApiException exception) when (exception.IsVersionRefused)
            {
                _readFirst = type;
                if (await FindAsync("0").ConfigureAwait(false) is { } found)
                    return (null, found);
            }
        }

        return (await SendWithRemediesAsync(objects, key, body, ApplyMode.NoForce, remedyFor, cancellationToken).ConfigureAwait(false), null);

        // Read from the API server's cache ("0") the object may be gone: then the caller's apply creates it.
        Task<T?> FindAsync(string? version) => api.FindAsync(type, key, decode, version, cancellationToken);
    }

    /// <summary>Applies with force; creates the object if it has just gone.</summary>
    public Task<T> ForceAsync<T>(
        OwnedObjects<T> objects, ObjectKey key, byte[] body, Func<RefusedApply, Remedy?>? remedyFor, CancellationToken cancellationToken)
        where T : Observed =>
        SendWithRemediesAsync(objects, key, body, ApplyMode.Force, remedyFor, cancellationToken);

    private async Task<T> SendWithRemediesAsync<T>(
        OwnedObjects<T> objects, ObjectKey key, byte[] body, ApplyMode mode, Func<RefusedApply, Remedy?>? remedyFor, CancellationToken cancellationToken)
        where T : Observed
    {
        var type = objects.Type;
        var isNew = mode != ApplyMode.Force;
        var tried = new List<Remedy>();
        while (true)
        {
            ApiException refusal;
            try
            {
                return await SendAsync(body).ConfigureAwait(false);
            }
            // No remedy where nothing can help: it would leave an entry of ours on somebody's copy, to which we cannot apply.
            catch (ApiException exception) when (
                (exception.IsInvalid || exception.IsOfStoredDuplicates) && !exception.IsOfImmutableField && remedyFor?.Invoke(new RefusedApply(isNew, tried, exception)) is { } remedy)
            {
                tried.Add(remedy);
                refusal = exception;
            }

            switch (tried[^1])
            {
                case Remedy.Apply { Body: var first }:
                    await SendAsync(first).ConfigureAwait(false);
                    mode = ApplyMode.Force;
                    break;
                case Remedy.Patch { BodyFor: var bodyFor }:
                    if (await api.FindAsync(type, key, json => bodyFor(json), cancellationToken: cancellationToken).ConfigureAwait(false) is { Length: > 0 } patch)
                        await api.StrategicPatchAsync(type, key, patch, objects.Decode, cancellationToken).ConfigureAwait(false);
                    break;
                case Remedy.TakeOver { Paths: var paths }:
                    // Others own nothing at these paths, so they are not the cause.
                    if (await FieldOwnership.TakeOverAsync(api, type, key, paths, objects.Decode, cancellationToken).ConfigureAwait(false) is null)
                        throw refusal;
                    Log.FieldsTakenOver(logger, type.Kind, refusal.Message);
                    break;
            }
        }

        Task<T> SendAsync(byte[] body) => api.ApplyAsync(
            type, key, mode == ApplyMode.CreateOnly ? ApplyBody.ForNew(body) : body, mode == ApplyMode.Force, objects.Decode,
            mayWait: !objects.HasPreconditions, cancellationToken);
    }

    /// <summary>What an apply does when the object exists.</summary>
    private enum ApplyMode
    {
        /// <summary>Takes fields from other managers.</summary>
        Force,

        /// <summary>Is refused when another manager owns one of its fields.</summary>
        NoForce,

        /// <summary>Is refused in any case.</summary>
        CreateOnly,
    }
}
