using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Resources;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>What came of bringing an object to its intent.</summary>
/// <param name="Live">The object as last observed, when it is there and ours.</param>
/// <param name="Problem">Why it is not as it should be; null when it is.</param>
/// <param name="IsRaced">Somebody else wrote at the same time: look again, and say nothing of it.</param>
public readonly record struct Ensured<T>(T? Live, Problem? Problem = null, bool IsRaced = false)
    where T : Observed;

/// <summary>
/// Brings the objects of one kind to what their server wants, by server-side apply, and only when they differ. An
/// object that is not the server's is never touched.
/// </summary>
public sealed class OwnedObjects<T>(
    ResourceType type, Decoder<T> decode, Store<T> store, ApiClient api, ILogger logger)
    where T : Observed
{
    private readonly WriteGuard _guard = new();
    private readonly Refusals _refusals = new(logger, type.Kind);

    /// <param name="owner">Whose object it is; they share their name.</param>
    /// <param name="intent">The apply body: every field that we own.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <param name="detour">Asked when the API server finds the intent invalid.</param>
    /// <exception cref="ApiException">
    /// The namespace is being deleted, or the API server has trouble of its own; every other refusal is in the answer.
    /// </exception>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<Ensured<T>> EnsureAsync(
        MCPServer owner, byte[] intent, CancellationToken cancellationToken, Detour? detour = null)
    {
        var key = owner.Key;
        var live = store.Get(key);
        if (live is not null && OthersHold(live, owner) is { } conflict)
            return new Ensured<T>(null, conflict);
        var fingerprint = OwnedFields.FingerprintOfIntent(intent);
        if (live is not null && _guard.IsSettled(key, fingerprint, live.Fingerprint))
            return new Ensured<T>(live);

        try
        {
            var isKnown = live is not null;
            // The watch sees only what carries our label, so an object of this name may exist without the store knowing.
            // One that is found is applied to whatever it looks like: the API server's cache may show what is gone.
            live ??= await api.FindAsync(type, key, decode, resourceVersion: "0", cancellationToken).ConfigureAwait(false);
            if (!isKnown && live is not null && OthersHold(live, owner) is { } foreign)
                return new Ensured<T>(null, foreign);
            var answer = await BringAsync(key, intent, isNew: live is null, detour, cancellationToken).ConfigureAwait(false);
            if (live is null)
                Log.Created(logger, type.Kind);
            else
                Log.Updated(logger, type.Kind);
            if (!_guard.Note(key, fingerprint, answer.Fingerprint))
                Log.AnswerDiffers(logger, type.Kind);
            _refusals.Forget(key);
            store.Observe(answer);
            return new Ensured<T>(answer);
        }
        catch (ApiException exception) when (exception.IsConflict)
        {
            return new Ensured<T>(live, IsRaced: true);
        }
        catch (ApiException exception) when (exception is { IsNamespaceTerminating: false, IsPassing: false })
        {
            return new Ensured<T>(live, _refusals.Note(key, exception));
        }
    }

    private async Task<T> BringAsync(
        ObjectKey key, byte[] intent, bool isNew, Detour? detour, CancellationToken cancellationToken)
    {
        for (var taken = 0; ; taken++)
        {
            var force = !isNew || taken > 0;
            Step step;
            ApiException refusal;
            try
            {
                return await ApplyAsync(key, intent, force, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException exception) when (exception.IsInvalid && detour?.Invoke(isNew, taken, exception) is { } next)
            {
                step = next;
                refusal = exception;
            }

            switch (step)
            {
                case Step.Apply { Body: var body }:
                    await ApplyAsync(key, body, force, cancellationToken).ConfigureAwait(false);
                    break;
                case Step.Patch { Body: var body }:
                    await api.StrategicPatchAsync(type, key, body, cancellationToken).ConfigureAwait(false);
                    break;
                case Step.TakeOver { Places: var places }:
                    // What others do not own cannot be what is in the way.
                    if (!await TakeOverAsync(key, places, cancellationToken).ConfigureAwait(false))
                        throw refusal;
                    Log.TookOver(logger, type.Kind, refusal.Message);
                    break;
            }
        }
    }

    private async Task<bool> TakeOverAsync(
        ObjectKey key, IReadOnlyList<IReadOnlyList<string>> places, CancellationToken cancellationToken)
    {
        var patch = await api.FindAsync(
            type, key, live => Takeover.Patch(live, places) ?? [], cancellationToken: cancellationToken).ConfigureAwait(false);
        if (patch is not { Length: > 0 })
            return false;
        await api.JsonPatchAsync(type, key, patch, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private Task<T> ApplyAsync(ObjectKey key, byte[] body, bool force, CancellationToken cancellationToken) =>
        api.ApplyAsync(type, key, body, force, decode, cancellationToken);

    /// <summary>What is there of it, without changing anything.</summary>
    public Ensured<T> Look(MCPServer owner) =>
        new(store.Get(owner.Key) is { } live && OthersHold(live, owner) is null ? live : null);

    /// <summary>The server is gone.</summary>
    public void Forget(ObjectKey key)
    {
        _guard.Forget(key);
        _refusals.Forget(key);
    }

    /// <summary>Deletes the server's object, when there is one and it is the server's.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<Ensured<T>> RemoveAsync(MCPServer owner, CancellationToken cancellationToken)
    {
        if (Look(owner).Live is not { } live)
            return default;
        try
        {
            if (await api.DeleteAsync(type, owner.Key, live.Uid, cancellationToken).ConfigureAwait(false))
                Log.Deleted(logger, type.Kind);
            return default;
        }
        catch (ApiException exception) when (exception is { IsNamespaceTerminating: false, IsConflict: false, IsPassing: false })
        {
            return new Ensured<T>(live, _refusals.Note(owner.Key, exception));
        }
    }

    /// <summary>Null when the object is the server's, or nobody's but labelled as ours (an orphan is adopted).</summary>
    private Problem? OthersHold(T live, MCPServer owner)
    {
        if (live.ControllerUid == owner.Metadata.Uid || (live.ControllerUid is null && live.IsLabelledOurs))
            return null;
        var holder = live switch
        {
            { ControllerUid: null } => "was not made by this operator",
            { ControllerKind: var kind, ControllerName: var name } when kind == MCPServer.Type.Kind && name == owner.Metadata.Name =>
                "still belongs to a deleted MCPServer of this name: it goes when the garbage collector takes it",
            _ => $"is controlled by {live.ControllerKind} {live.ControllerName}",
        };
        return new Problem(
            Reasons.NameConflict, $"{type.Kind} {owner.Key} {holder}; it is left alone: rename the MCPServer, or delete the {type.Kind}");
    }
}
