using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>An apply, with whatever helps after the API server has found it invalid.</summary>
internal sealed class RemediedApply(ApiClient api, ILogger logger)
{
    // A kind that this API server does not create by an apply that names a version: Service, before it was created like the others.
    private volatile ResourceType? _readFirst;

    /// <summary>
    /// Creates an object, and never touches one that is there: its other fields may go well with ours, so that an apply which is merely
    /// not forced would be taken.
    /// </summary>
    /// <param name="readFirst">Whether the name was taken before: then nobody is bothered with a write that is refused.</param>
    /// <returns>One of the two; neither when it was gone again.</returns>
    public async Task<(T? Created, T? Found)> CreateOrFindAsync<T>(
        OwnedObjects<T> objects, ObjectKey key, byte[] manifest, bool readFirst, Recovery? recover, CancellationToken cancellationToken)
        where T : Observed
    {
        var (type, decode) = (objects.Type, objects.Decode);
        if ((readFirst || _readFirst == type) && await FindAsync("0").ConfigureAwait(false) is { } other)
            return (null, other);
        if (_readFirst != type)
        {
            try
            {
                return (await ApplyAsync(objects, key, manifest, Existing.Conflict, recover, cancellationToken).ConfigureAwait(false), null);
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

        return (await ApplyAsync(objects, key, manifest, Existing.Unforced, recover, cancellationToken).ConfigureAwait(false), null);

        // What the API server's cache ("0") shows may be gone, and is applied to all the same.
        Task<T?> FindAsync(string? version) => api.FindAsync(type, key, decode, version, cancellationToken);
    }

    /// <summary>Applies to an object that is there, or creates it where it has just gone, and takes fields from other managers.</summary>
    public Task<T> ForceAsync<T>(
        OwnedObjects<T> objects, ObjectKey key, byte[] manifest, Recovery? recover, CancellationToken cancellationToken)
        where T : Observed =>
        ApplyAsync(objects, key, manifest, Existing.Forced, recover, cancellationToken);

    private async Task<T> ApplyAsync<T>(
        OwnedObjects<T> objects, ObjectKey key, byte[] manifest, Existing existing, Recovery? recover, CancellationToken cancellationToken)
        where T : Observed
    {
        var type = objects.Type;
        var isNew = existing != Existing.Forced;
        var tried = new List<Remedy>();
        while (true)
        {
            ApiException refusal;
            try
            {
                return await SendAsync(manifest).ConfigureAwait(false);
            }
            catch (ApiException exception) when (
                exception.IsInvalid && recover?.Invoke(new Attempt(isNew, tried, exception)) is { } remedy)
            {
                tried.Add(remedy);
                refusal = exception;
            }

            switch (tried[^1])
            {
                case Remedy.Apply { Manifest: var first }:
                    await SendAsync(first).ConfigureAwait(false);
                    existing = Existing.Forced;
                    break;
                case Remedy.Patch { Body: var body }:
                    await api.StrategicPatchAsync(type, key, body, cancellationToken).ConfigureAwait(false);
                    break;
                case Remedy.TakeOver { Places: var places }:
                    // What others do not own cannot be what is in the way.
                    if (!await FieldOwnership.TakeOverAsync(api, type, key, places, cancellationToken).ConfigureAwait(false))
                        throw refusal;
                    Log.FieldsTakenOver(logger, type.Kind, refusal.Message);
                    break;
            }
        }

        Task<T> SendAsync(byte[] body) => api.ApplyAsync(
            type, key, existing == Existing.Conflict ? ApplyBody.ForNew(body) : body, existing == Existing.Forced, objects.Decode,
            mayWait: !objects.IsExact, cancellationToken);
    }

    /// <summary>What becomes of an apply where there is an object already.</summary>
    private enum Existing
    {
        /// <summary>It takes fields from other managers.</summary>
        Forced,

        /// <summary>It is refused when another manager has one of its fields.</summary>
        Unforced,

        /// <summary>It is refused in any case.</summary>
        Conflict,
    }
}
