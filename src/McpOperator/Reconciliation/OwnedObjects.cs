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
/// <param name="Change">What was done.</param>
public readonly record struct Ensured<T>(T? Live, Problem? Problem = null, bool IsRaced = false, Change Change = Change.None)
    where T : Observed;

/// <summary>
/// Brings one object of each server to what the server wants, by server-side apply, and only when it differs. An
/// object that is not the server's is never touched.
/// </summary>
/// <param name="type">Its kind.</param>
/// <param name="condition">Which of <see cref="ConditionTypes"/> tells of it.</param>
/// <param name="decode">What is kept of it.</param>
/// <param name="store">Where it is kept.</param>
/// <param name="api">The way to the API server.</param>
/// <param name="counters">Count each write.</param>
/// <param name="logger">Told of each write.</param>
/// <param name="nameOf">The object's name, of the server's; null when they are the same.</param>
/// <param name="isExact">
/// Whether an apply is for what was read, by preconditions in its body, and for this moment: it is not sent again, as it is, when the
/// API server asks to come back later.
/// </param>
public sealed class OwnedObjects<T>(
    ResourceType type, string condition, Decoder<T> decode, Store<T> store, ApiClient api, OperatorCounters counters, ILogger logger,
    Func<string, string>? nameOf = null, bool isExact = false)
    where T : Observed
{
    private readonly WriteGuard _guard = new();
    private readonly Refusals _refusals = new(logger, type.Kind);

    /// <param name="owner">Whose object it is.</param>
    /// <param name="intent">The apply body: every field that we own.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <param name="detour">Asked when the API server finds the intent invalid.</param>
    /// <param name="isRepair">
    /// Whether nothing else is wanted than before, so that a difference is somebody else's doing. Null: so it is when the
    /// generation of the spec has been reported on before.
    /// </param>
    /// <exception cref="ApiException">
    /// The namespace is being deleted, or the API server has trouble of its own; every other refusal is in the answer.
    /// </exception>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public Task<Ensured<T>> EnsureAsync(
        MCPServer owner, byte[] intent, CancellationToken cancellationToken, Detour? detour = null, bool? isRepair = null) =>
        EnsureAsync(owner, _ => intent, cancellationToken, detour, isRepair);

    /// <inheritdoc cref="EnsureAsync(MCPServer, byte[], CancellationToken, Detour?, bool?)"/>
    /// <param name="owner">Whose object it is.</param>
    /// <param name="intentFor">Makes the apply body for what was found; preconditions in it make no difference to what is wanted.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <param name="detour">Asked when the API server finds the intent invalid.</param>
    /// <param name="isRepair">Whether a difference is somebody else's doing.</param>
    /// <param name="removed">What was just deleted, and may be held still.</param>
    public async Task<Ensured<T>> EnsureAsync(
        MCPServer owner, Func<T?, byte[]> intentFor, CancellationToken cancellationToken, Detour? detour = null, bool? isRepair = null,
        T? removed = null)
    {
        var key = KeyOf(owner.Key);
        var live = store.Get(key);
        if (removed is not null && live?.Uid == removed.Uid)
            live = null;
        if (live is not null && OthersHold(live, owner) is { } conflict)
            return new Ensured<T>(null, conflict);
        var intent = intentFor(live);
        var fingerprint = OwnedFields.FingerprintOfIntent(intent);
        if (live is not null && _guard.IsSettled(key, fingerprint, live.Fingerprint))
            return new Ensured<T>(live);

        try
        {
            var isKnown = live is not null;
            // The watch sees only what carries our label, so an object of this name may exist without the store knowing.
            // One that is found is applied to whatever it looks like: the API server's cache may show what is gone.
            if (!isKnown && removed is null)
                live = await api.FindAsync(type, key, decode, resourceVersion: "0", cancellationToken).ConfigureAwait(false);
            if (!isKnown && live is not null)
            {
                if (OthersHold(live, owner) is { } foreign)
                    return new Ensured<T>(null, foreign);
                intent = intentFor(live);
            }

            // Of the objects that are there and ours, just those of the operator before us are none of our writing.
            if (live is { Fingerprint: OwnedFields.None } && await Takeover.RunAsync(
                api, type, key, static json => Takeover.PatchOfPredecessor(json, isStatus: false) ?? [], cancellationToken).ConfigureAwait(false))
            {
                counters.Migrate(type.Kind);
                Log.ObjectMigrated(logger, type.Kind);
                if (isExact && await api.FindAsync(type, key, decode, cancellationToken: cancellationToken).ConfigureAwait(false) is { } migrated)
                    intent = intentFor(migrated); // another version
            }

            var answer = await BringAsync(key, intent, isNew: live is null, detour, cancellationToken).ConfigureAwait(false);
            _refusals.Forget(key);
            store.Observe(answer);
            if (!_guard.Note(key, fingerprint, answer.Fingerprint))
                Log.AnswerDiffers(logger, type.Kind);
            // Nothing came of it: an old API server does not put variables into another order, whatever is applied.
            if (answer.Fingerprint == live?.Fingerprint)
                return new Ensured<T>(answer);
            var change = live is null && !WasThere(owner) ? Change.Created
                : (isRepair ?? owner.Reported?.ObservedGeneration == owner.Metadata.Generation) ? Change.Repaired
                : live is null ? Change.Created
                : Change.Updated;
            counters.Write(type.Kind, change);
            if (live is null)
                Log.ObjectCreated(logger, type.Kind);
            else
                Log.ObjectApplied(logger, type.Kind);
            return new Ensured<T>(answer, Change: change);
        }
        catch (ApiException exception) when (exception.IsConflict)
        {
            return new Ensured<T>(live, IsRaced: true);
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return new Ensured<T>(live, _refusals.Note(key, exception));
        }
    }

    /// <summary>Whether the last report knew of it. Until a conflict or a refusal is over nobody deletes what is made after it.</summary>
    private bool WasThere(MCPServer owner) => owner.Reported?.Find(condition) is
    {
        Reason: not (Reasons.NotCreated or Reasons.RouteConflict or Reasons.NameConflict or Reasons.ApplyFailed or Reasons.PolicyTooLarge),
    };

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
                    if (!await Takeover.RunAsync(
                        api, type, key, live => Takeover.Patch(live, places) ?? [], cancellationToken).ConfigureAwait(false))
                    {
                        throw refusal;
                    }

                    Log.FieldsTakenOver(logger, type.Kind, refusal.Message);
                    break;
            }
        }
    }

    private Task<T> ApplyAsync(ObjectKey key, byte[] body, bool force, CancellationToken cancellationToken) =>
        api.ApplyAsync(type, key, body, force, decode, mayWait: !isExact, cancellationToken);

    /// <summary>What is there of it, without changing anything.</summary>
    public Ensured<T> Look(MCPServer owner) =>
        new(Get(owner.Key) is { } live && OthersHold(live, owner) is null ? live : null);

    /// <summary>What is there under its name, whoever's it is.</summary>
    /// <param name="owner">The server's key.</param>
    public T? Get(ObjectKey owner) => store.Get(KeyOf(owner));

    /// <summary>The server is gone.</summary>
    public void Forget(ObjectKey owner)
    {
        _guard.Forget(KeyOf(owner));
        _refusals.Forget(KeyOf(owner));
    }

    /// <summary>Deletes the server's object, when there is one and it is the server's.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public Task<Ensured<T>> RemoveAsync(MCPServer owner, CancellationToken cancellationToken) =>
        Look(owner).Live is { } live ? RemoveAsync(live, cancellationToken) : Task.FromResult<Ensured<T>>(default);

    /// <summary>Deletes this object, and no other of its name.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<Ensured<T>> RemoveAsync(T live, CancellationToken cancellationToken)
    {
        try
        {
            if (!await api.DeleteAsync(type, live.Key, live.Uid, cancellationToken).ConfigureAwait(false))
                return default;
            counters.Write(type.Kind, Change.Deleted);
            Log.ObjectDeleted(logger, type.Kind);
            return new Ensured<T>(null, Change: Change.Deleted);
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return new Ensured<T>(live, _refusals.Note(live.Key, exception));
        }
    }

    private ObjectKey KeyOf(ObjectKey owner) => nameOf is null ? owner : owner with { Name = nameOf(owner.Name) };

    /// <summary>Null when the object is the server's, or nobody's but labelled as the server's (an orphan is adopted).</summary>
    private Problem? OthersHold(T live, MCPServer owner)
    {
        if (live.ControllerUid == owner.Metadata.Uid
            || (live.ControllerUid is null && (live.LabelledServer == owner.Metadata.Name || live.IsProvablyOurs)))
            return null;
        var holder = live switch
        {
            { ControllerUid: null } => "was not made by this operator",
            { ControllerKind: var kind, ControllerName: var name } when kind == MCPServer.Type.Kind && name == owner.Metadata.Name =>
                "still belongs to a deleted MCPServer of this name: it goes when the garbage collector takes it",
            _ => $"is controlled by {live.ControllerKind} {live.ControllerName}",
        };
        return new Problem(
            Reasons.NameConflict, $"{type.Kind} {live.Key} {holder}; it is left alone: rename the MCPServer, or delete the {type.Kind}");
    }
}
