using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>
/// Brings objects to what their owners want, by server-side apply, and only those that differ. An object that is not the owner's is
/// never touched.
/// </summary>
internal sealed class Applier(ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger)
{
    private readonly RemediedApply _apply = new(api, logger);
    private readonly TakeOvers _takeOvers = new(api, counters, logger);

    /// <summary>For objects that nobody owns.</summary>
    public SharedObjects Shared { get; } = new(api, counters, logger);

    public ILogger Logger => logger;

    /// <param name="wanted">What is wanted of it.</param>
    /// <exception cref="ApiException">
    /// The namespace is being deleted, or the API server has trouble of its own; every other refusal is in the answer.
    /// </exception>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<ApplyResult<T>> ApplyAsync<T>(
        OwnedObjects<T> objects, Owner owner, ObjectKey key, Desired<T> wanted, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        var (type, decode, store, isExact, _, unwatched) = objects;
        if (!store.IsInstalled)
        {
            return new ApplyResult<T>(null, new Problem(
                Problem.NotInstalled, $"the cluster has no {type.Kind} of {type.ApiVersion}: install the CustomResourceDefinition {type}"));
        }

        var live = store.Get(key);
        if (wanted.Removed is { } removed && live?.Uid == removed.Uid)
            live = null;
        if (live is not null && owner.OwnershipConflict(type, live) is { } conflict)
            return new ApplyResult<T>(null, conflict);
        var manifest = wanted.Manifest(live);
        var fingerprint = OwnedFields.FingerprintOf(manifest);
        var longest = objects.LongestPause ?? Contest.LongestPause;
        var pause = memory.PauseBefore(fingerprint, time, longest);
        // What no watch shows may be another by now: it is applied to with each look, of which there are few then.
        if (live is not null && memory.Unwatched is null && !memory.MayTakeOver(live.Uid, live.CopiedBy)
            && memory.IsSettled(fingerprint, wanted.Fingerprint(live)))
            return new ApplyResult<T>(live, memory.Contested(fingerprint));
        if (memory.IsContestNew(fingerprint))
            memory.SayContested(await ContestedAsync(type, key, manifest, longest, cancellationToken).ConfigureAwait(false));
        if (pause > TimeSpan.Zero)
            return new ApplyResult<T>(live, memory.Unwatched ?? memory.Contested(fingerprint), PutOff: pause);
        objects = objects with { Decode = DecodeAnswer };

        T? answer = null;
        store.BeginWrite(key);
        try
        {
            if (live is null)
            {
                // The watch sees only what carries our label, so that there may be one without the store knowing.
                (answer, live) = await _apply.CreateOrFindAsync(objects, key, manifest, wanted.WasTaken, wanted.Recover, cancellationToken).ConfigureAwait(false);
                if (answer is not null)
                    return Applied(answer);
                if (live is null)
                    return new ApplyResult<T>(null, IsRaced: true);
                // Deleted, and held by its finalizers.
                if (live.Uid == wanted.Removed?.Uid)
                    return new ApplyResult<T>(live);
                if (owner.OwnershipConflict(type, live) is { } foreign)
                    return new ApplyResult<T>(null, foreign);
                manifest = wanted.Manifest(live);
            }

            if (await MigrateAsync(type, live, key, cancellationToken).ConfigureAwait(false))
                await RenewAsync().ConfigureAwait(false);
            if (await ClearAsync(type, live, wanted, memory, cancellationToken).ConfigureAwait(false))
                await RenewAsync().ConfigureAwait(false);
            answer = await _apply.ForceAsync(objects, key, manifest, wanted.Recover, cancellationToken).ConfigureAwait(false);
            if (await ClearAsync(type, answer, wanted, memory, cancellationToken).ConfigureAwait(false))
            {
                await RenewAsync().ConfigureAwait(false);
                answer = await _apply.ForceAsync(objects, key, manifest, wanted.Recover, cancellationToken).ConfigureAwait(false);
            }

            return Applied(answer);
        }
        catch (ApiException exception) when (exception.IsConflict)
        {
            return memory.Raced() ? new ApplyResult<T>(live, IsRaced: true) : new ApplyResult<T>(live, memory.Refused(logger, type.Kind, exception));
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return new ApplyResult<T>(live, memory.Refused(logger, type.Kind, exception));
        }
        finally
        {
            store.EndWrite(key, answer);
        }

        ApplyResult<T> Applied(T answer)
        {
            var isNew = live is null;
            var answered = wanted.Fingerprint(answer);
            if (!memory.Taken(fingerprint, answered))
                Log.AnswerDiffers(logger, type.Kind);
            // Nothing came of it: an old API server does not put variables into another order, whatever is applied.
            if (live is not null && answered == wanted.Fingerprint(live))
                return new ApplyResult<T>(answer, memory.Unwatched);
            var change = memory.IsRepaired(fingerprint) ? Change.Repaired : wanted.ChangeOf(isNew);
            Wrote(type, fingerprint, isRepair: change == Change.Repaired, memory);
            counters.Write(type.Kind, change);
            if (isNew)
                Log.ObjectCreated(logger, type.Kind);
            else
                Log.ObjectApplied(logger, type.Kind);
            return new ApplyResult<T>(answer, memory.Unwatched ?? memory.Contested(fingerprint), Change: change);
        }

        T DecodeAnswer(JsonElement json)
        {
            memory.Unwatched = unwatched?.Invoke(json);
            return decode(json);
        }

        // It is another version now.
        async Task RenewAsync()
        {
            if (isExact && await api.FindAsync(type, key, decode, cancellationToken: cancellationToken).ConfigureAwait(false) is { } renewed)
                manifest = wanted.Manifest(renewed);
        }
    }

    /// <summary>
    /// Deletes what is there of the owner's under this name, when this operator or the one before it made it. What merely looks like it,
    /// labels, owner and all, is somebody's copy and stays.
    /// </summary>
    /// <inheritdoc cref="DeleteAsync{T}(OwnedObjects{T}, T, ApplyMemory, CancellationToken)"/>
    public async Task<ApplyResult<T>> DeleteAsync<T>(
        OwnedObjects<T> objects, Owner owner, ObjectKey key, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        if (objects.Find(owner, key) is not { } live)
            return default;
        var longest = objects.LongestPause ?? Contest.LongestPause;
        var pause = live.Terminating is null ? memory.PauseBefore(OwnedFields.None, time, longest) : TimeSpan.Zero;
        if (live.Terminating is null && memory.IsContestNew(OwnedFields.None))
            memory.SayContested(Contested($"somebody keeps making {objects.Type.Kind} {key.Name} anew", longest));
        if (pause > TimeSpan.Zero)
            return new ApplyResult<T>(live, memory.Contested(OwnedFields.None), PutOff: pause);
        try
        {
            if (!await IsOfOurMakingAsync(objects.Type, live, memory, cancellationToken).ConfigureAwait(false))
                return default;
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return new ApplyResult<T>(live, memory.Refused(logger, objects.Type.Kind, exception));
        }

        var deleted = await DeleteAsync(objects, live, memory, cancellationToken).ConfigureAwait(false);
        if (deleted.Change == Change.Deleted)
            Wrote(objects.Type, OwnedFields.None, isRepair: true, memory);
        return deleted;
    }

    /// <summary>Deletes this object, whoever made it, and no other of its name.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<ApplyResult<T>> DeleteAsync<T>(
        OwnedObjects<T> objects, T live, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        var type = objects.Type;
        if (live.Terminating is not null)
            return new ApplyResult<T>(live);
        try
        {
            if (!await api.DeleteAsync(type, live.Key, live.Uid, cancellationToken).ConfigureAwait(false))
                return default;
            counters.Write(type.Kind, Change.Deleted);
            Log.ObjectDeleted(logger, type.Kind);
            return new ApplyResult<T>(null, Change: Change.Deleted);
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return new ApplyResult<T>(live, memory.Refused(logger, type.Kind, exception));
        }
    }

    private void Wrote(ResourceType type, ulong wanted, bool isRepair, ApplyMemory memory)
    {
        memory.Wrote(wanted, isRepair, time);
        if (memory.Contested(wanted) is not null)
            counters.ContestedRepair(type.Kind);
    }

    /// <summary>Reads once who has changed it, and where, to say so.</summary>
    private async Task<Problem> ContestedAsync(
        ResourceType type, ObjectKey key, byte[] manifest, TimeSpan longest, CancellationToken cancellationToken)
    {
        var other = await api.FindAsync(
            type, key, json => OtherWriter.Of(json, manifest, api.Identity), cancellationToken: cancellationToken).ConfigureAwait(false);
        return Contested(
            other is null ? $"somebody keeps deleting {type.Kind} {key.Name}"
                : $"{other.Writer} keeps changing {(other.Field is null ? "" : $"{other.Field} of ")}{type.Kind} {key.Name}",
            longest);
    }

    private Problem Contested(string what, TimeSpan longest)
    {
        var problem = new Problem(
            Problem.Contested, $"{what}: it is put right ever more rarely, in the end every {longest.TotalSeconds:0} s; one of the two has to leave it alone");
        Log.ObjectContested(logger, problem.Message);
        return problem;
    }

    /// <summary>Whether this operator wrote to it, or the one before it, from which it is then taken over.</summary>
    private async Task<bool> IsOfOurMakingAsync(ResourceType type, Observed live, ApplyMemory memory, CancellationToken cancellationToken)
    {
        if (live.Fingerprint != OwnedFields.None)
            return true;
        if (memory.CopyUid == live.Uid)
            return false;
        if (await MigrateAsync(type, live, live.Key, cancellationToken).ConfigureAwait(false))
            return true;
        memory.CopyUid = live.Uid;
        Log.CopyLeft(logger, type.Kind);
        return false;
    }

    /// <summary>Has what is there let go of what our apply cannot take away: a copy's share in ours, and what others put under our names.</summary>
    /// <returns>Whether something has changed.</returns>
    private async Task<bool> ClearAsync<T>(
        ResourceType type, T live, Desired<T> wanted, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        if (await _takeOvers.FromCopyAsync(type, live.Key, live.Uid, live.CopiedBy, isStatus: false, memory, cancellationToken).ConfigureAwait(false))
            return true;
        if (wanted.Removal?.Invoke(live) is not { } removal)
            return false;
        await api.StrategicPatchAsync(type, live.Key, removal, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Takes over what the operator before us wrote, of an object of which we own no field yet. True when there was something.</summary>
    private async Task<bool> MigrateAsync(ResourceType type, Observed? live, ObjectKey key, CancellationToken cancellationToken) =>
        live is { Fingerprint: OwnedFields.None }
        && await _takeOvers.FromPredecessorAsync(type, key, isStatus: false, cancellationToken).ConfigureAwait(false);
}
