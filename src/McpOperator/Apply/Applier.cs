using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>
/// Applies and deletes objects for their owners, by server-side apply. What already carries the desired state is not written;
/// what belongs to somebody else is never written.
/// </summary>
internal sealed class Applier(ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger)
{
    private readonly RemediedApply _apply = new(api, logger);
    private readonly TakeOvers _takeOvers = new(api, counters, logger);

    /// <summary>Writes objects without an owner.</summary>
    public SharedObjects Shared { get; } = new(api, counters, logger);

    public ILogger Logger => logger;

    /// <exception cref="ApiException">
    /// The namespace is being deleted, or the API server cannot serve the request (<see cref="ApiException.IsTransient"/>). Any
    /// other refusal is in the result.
    /// </exception>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<ApplyResult> ApplyAsync<T>(
        OwnedObjects<T> objects, Owner owner, ObjectKey key, ApplyRequest<T> request, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        var (type, decode, store, _, _, unwatched) = objects;
        if (!store.IsInstalled)
        {
            return ApplyResult.Refused(null, new Problem(
                Problem.NotInstalled, $"the cluster has no {type.Kind} of {type.ApiVersion}: "
                    + (type.IsBuiltIn ? "its API server is too old" : $"install the CustomResourceDefinition {type}")));
        }

        var live = store.Get(key);
        if (request.Removed is { } removed && live?.Uid == removed.Uid)
            live = null;
        if (live is not null && owner.WhyNotOwned(type, live) is { } conflict)
            return ApplyResult.Refused(null, conflict);
        var body = request.Body(live);
        var fingerprint = OwnedFields.FingerprintOf(body);
        var longest = objects.LongestPause ?? Contest.LongestPause;
        var pause = memory.PauseBefore(fingerprint, time, longest);
        // An object that no watch shows may have changed: it is applied in each pass, and those are few.
        if (live is not null && memory.Unwatched is null && !request.IsAfterPredecessor && !memory.MayTakeOver(live.Uid, live.CopiedBy)
            && memory.IsUpToDate(fingerprint, request.Fingerprint(live)))
            return ApplyResult.Unchanged(live, memory.Contested(fingerprint));
        if (memory.IsContestNew(fingerprint))
            memory.SayContested(await ContestedAsync(type, key, body, longest, cancellationToken).ConfigureAwait(false));
        if (pause > TimeSpan.Zero)
            return ApplyResult.Waiting(live, memory.Unwatched ?? memory.Contested(fingerprint), pause);
        objects = objects with { Decode = DecodeAnswer };

        T? answer = null;
        store.BeginWrite(key);
        try
        {
            if (live is null)
            {
                // The watch selects by label: there may be an object of this name that the store does not hold.
                (answer, live) = await _apply.CreateOrFindAsync(objects, key, body, request.HadNameConflict, request.RemedyFor, cancellationToken).ConfigureAwait(false);
                if (answer is not null)
                    return Applied(answer);
                if (live is null)
                    return ApplyResult.Conflict(null);
                // The deleted object, which its finalizers hold.
                if (live.Uid == request.Removed?.Uid)
                    return ApplyResult.Unchanged(live);
                if (owner.WhyNotOwned(type, live) is { } foreign)
                    return ApplyResult.Refused(null, foreign);
                body = request.Body(live);
            }

            var current = await MigrateAsync(type, live, request.IsAfterPredecessor, decode, cancellationToken).ConfigureAwait(false) ?? live;
            current = await ClearAsync(type, current, request, memory, decode, cancellationToken).ConfigureAwait(false) ?? current;
            answer = await ForceAsync(current).ConfigureAwait(false);
            if (await ClearAsync(type, answer, request, memory, decode, cancellationToken).ConfigureAwait(false) is { } cleared)
                answer = await ForceAsync(cleared).ConfigureAwait(false);
            return Applied(answer);
        }
        catch (ApiException exception) when (exception.IsConflict)
        {
            return memory.Conflicted() ? ApplyResult.Conflict(live) : ApplyResult.Refused(live, memory.Refused(logger, type.Kind, exception));
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return ApplyResult.Refused(live, memory.Refused(logger, type.Kind, exception));
        }
        finally
        {
            store.EndWrite(key, answer);
        }

        ApplyResult Applied(T answer)
        {
            var isNew = live is null;
            var answered = request.Fingerprint(answer);
            if (!memory.Accepted(fingerprint, answered))
                Log.AnswerDiffers(logger, type.Kind);
            // The apply changed nothing of ours: API servers of 1.20 keep the order of variables.
            if (live is not null && answered == request.Fingerprint(live))
                return ApplyResult.Unchanged(answer, memory.Unwatched);
            var change = memory.IsRepaired(fingerprint) ? Change.Repaired : request.ChangeOf(isNew);
            Wrote(type, fingerprint, isRepair: change == Change.Repaired, memory);
            counters.Write(type.Kind, change);
            if (isNew)
                Log.ObjectCreated(logger, type.Kind);
            else
                Log.ObjectApplied(logger, type.Kind);
            return ApplyResult.Done(answer, change, memory.Unwatched ?? memory.Contested(fingerprint));
        }

        T DecodeAnswer(JsonElement json)
        {
            memory.Unwatched = unwatched?.Invoke(json);
            return decode(json);
        }

        // With each write of ours the resourceVersion changes, which the body may name.
        Task<T> ForceAsync(T found) => _apply.ForceAsync(
            objects, key, ReferenceEquals(found, live) ? body : request.Body(found), request.RemedyFor, cancellationToken);
    }

    /// <summary>
    /// Deletes the owner's object of this name, if this operator or its predecessor wrote it. One that only has our labels and
    /// owner reference is somebody's copy, and stays.
    /// </summary>
    /// <inheritdoc cref="DeleteAsync{T}(OwnedObjects{T}, T, ApplyMemory, CancellationToken)"/>
    public Task<ApplyResult> DeleteAsync<T>(
        OwnedObjects<T> objects, Owner owner, ObjectKey key, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed =>
        objects.FindOwned(owner, key) is { } live
            ? DeleteIfOursAsync(objects, live, memory, cancellationToken)
            : Task.FromResult<ApplyResult>(default);

    /// <summary>Reads the owner's object of this name, which the watch does not show for want of our label; null for none.</summary>
    public async Task<T?> FindUnwatchedAsync<T>(OwnedObjects<T> objects, Owner owner, ObjectKey key, CancellationToken cancellationToken)
        where T : Observed =>
        await api.FindAsync(objects.Type, key, objects.Decode, cancellationToken: cancellationToken).ConfigureAwait(false) is { } live
        && owner.WhyNotOwned(objects.Type, live) is null
            ? live
            : null;

    /// <inheritdoc cref="DeleteAsync{T}(OwnedObjects{T}, Owner, ObjectKey, ApplyMemory, CancellationToken)"/>
    public async Task<ApplyResult> DeleteIfOursAsync<T>(
        OwnedObjects<T> objects, T live, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        var longest = objects.LongestPause ?? Contest.LongestPause;
        var pause = !live.IsTerminating ? memory.PauseBefore(OwnedFields.None, time, longest) : TimeSpan.Zero;
        if (!live.IsTerminating && memory.IsContestNew(OwnedFields.None))
            memory.SayContested(Contested($"somebody keeps making {objects.Type.Kind} {live.Key.Name} anew", longest));
        if (pause > TimeSpan.Zero)
            return ApplyResult.Waiting(live, memory.Contested(OwnedFields.None), pause);
        try
        {
            if (!await WasWrittenByUsAsync(objects, live, memory, cancellationToken).ConfigureAwait(false))
                return default;
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return ApplyResult.Refused(live, memory.Refused(logger, objects.Type.Kind, exception));
        }

        var deleted = await DeleteAsync(objects, live, memory, cancellationToken).ConfigureAwait(false);
        if (deleted.Change == Change.Deleted)
            Wrote(objects.Type, OwnedFields.None, isRepair: true, memory);
        return deleted;
    }

    /// <summary>Deletes exactly this object (by uid), whoever made it.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<ApplyResult> DeleteAsync<T>(
        OwnedObjects<T> objects, T live, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        var type = objects.Type;
        if (live.IsTerminating)
            return ApplyResult.Unchanged(live);
        try
        {
            if (!await api.DeleteAsync(type, live.Key, live.Uid, cancellationToken).ConfigureAwait(false))
                return default;
            counters.Write(type.Kind, Change.Deleted);
            Log.ObjectDeleted(logger, type.Kind);
            return ApplyResult.Done(null, Change.Deleted);
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            return ApplyResult.Refused(live, memory.Refused(logger, type.Kind, exception));
        }
    }

    private void Wrote(ResourceType type, ulong wanted, bool isRepair, ApplyMemory memory)
    {
        memory.Wrote(wanted, isRepair, time);
        if (memory.Contested(wanted) is not null)
            counters.ContestedRepair(type.Kind);
    }

    /// <summary>Reads the object once, to report who changed which field.</summary>
    private async Task<Problem> ContestedAsync(
        ResourceType type, ObjectKey key, byte[] body, TimeSpan longest, CancellationToken cancellationToken)
    {
        var other = await api.FindAsync(
            type, key, json => OtherWriter.Of(json, body, api.Identity), cancellationToken: cancellationToken).ConfigureAwait(false);
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

    /// <summary>Whether this operator or its predecessor wrote it. The predecessor's fields are taken over by this call.</summary>
    private async Task<bool> WasWrittenByUsAsync<T>(OwnedObjects<T> objects, T live, ApplyMemory memory, CancellationToken cancellationToken)
        where T : Observed
    {
        if (live.Fingerprint != OwnedFields.None)
            return true;
        if (memory.NotOursUid == live.Uid)
            return false;
        if (await MigrateAsync(objects.Type, live, isAfterPredecessor: false, objects.Decode, cancellationToken).ConfigureAwait(false) is not null)
            return true;
        memory.NotOursUid = live.Uid;
        Log.CopyLeft(logger, objects.Type.Kind);
        return false;
    }

    /// <summary>
    /// Removes what an apply cannot: the ownership of whoever copied our fields, and what others put under our names.
    /// </summary>
    /// <returns>The object as it is then; null when there was nothing to remove.</returns>
    private async Task<T?> ClearAsync<T>(
        ResourceType type, T live, ApplyRequest<T> request, ApplyMemory memory, Decoder<T> decode, CancellationToken cancellationToken)
        where T : Observed =>
        await _takeOvers.FromCopyAsync(
            type, live.Key, live.Uid, live.CopiedBy, isStatus: false, memory, decode, cancellationToken).ConfigureAwait(false) is { } taken ? taken
        : request.Removal?.Invoke(live) is { } removal
            ? await api.StrategicPatchAsync(type, live.Key, removal, decode, cancellationToken).ConfigureAwait(false)
            : null;

    /// <summary>Takes over the predecessor's fields, if we own no field of the object yet, or it was at work again.</summary>
    private async Task<T?> MigrateAsync<T>(
        ResourceType type, T live, bool isAfterPredecessor, Decoder<T> decode, CancellationToken cancellationToken)
        where T : Observed =>
        isAfterPredecessor || live.Fingerprint == OwnedFields.None
            ? await _takeOvers.FromPredecessorAsync(type, live.Key, isStatus: false, decode, cancellationToken).ConfigureAwait(false)
            : null;
}
