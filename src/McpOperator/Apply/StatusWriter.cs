using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>Writes the status of objects of one kind, when it differs from the one that they carry.</summary>
/// <param name="store">Receives each answer.</param>
/// <param name="predecessorsConditions">
/// Of the statuses of this kind that the predecessor wrote, and that are taken over: conditions which stay for ever otherwise. Null where
/// it wrote none.
/// </param>
internal sealed class StatusWriter<T>(
    ResourceType type, Decoder<T> decode, Store<T> store, ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger,
    IReadOnlyList<string>? predecessorsConditions = null)
    where T : class, IReportedObject
{
    private readonly RecentWrites _recent = new(time);
    private readonly TakeOvers _takeOvers = new(api, counters, logger);
    private readonly UndeclaredFields _undeclared = new(time);

    /// <summary>True when the object carries this status, or what the API server stored when it was written last.</summary>
    public bool IsWritten(ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status, ApplyMemory? memory)
    {
        var (wanted, live) = (OwnedFields.FingerprintOf(Manifest(metadata, status)), FingerprintOf(carried));
        return memory?.IsUpToDate(wanted, live) ?? wanted == live;
    }

    /// <summary>
    /// Writes the status with the resourceVersion of the object that was read, so that it reaches neither another object of this
    /// name nor a newer spec. (A uid is ignored in the status of a custom resource: apiextensions-apiserver
    /// pkg/registry/customresource/status_strategy.go.)
    /// </summary>
    /// <param name="metadata">The object as it was read.</param>
    /// <param name="carried">Its status; null for none.</param>
    /// <param name="status">Writes the new status as a JSON value.</param>
    /// <param name="takesOver">Whether it is taken over from the predecessor: not before all that it tells of is.</param>
    /// <returns>Not written when it is current, or the object is gone.</returns>
    /// <exception cref="ApiException">The API server refused it; a conflict when the object has changed since it was read.</exception>
    public async Task<StatusResult> WriteAsync(
        ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status, ApplyMemory memory, bool takesOver, CancellationToken cancellationToken)
    {
        var key = metadata.Key;
        var manifest = Manifest(metadata, status);
        var wanted = OwnedFields.FingerprintOf(manifest);
        var isAfterPredecessor = takesOver && predecessorsConditions is not null && carried is { IsByPredecessor: true };
        if (!isAfterPredecessor && memory.IsUpToDate(wanted, FingerprintOf(carried)))
            return default;
        var timeless = FingerprintWithoutTimes(manifest);
        if (memory.PauseBefore(timeless, time, Contest.LongestPause) is var pause && pause > TimeSpan.Zero)
            return new StatusResult(IsWritten: false, PutOff: pause);
        T? answer = null;
        store.BeginWrite(key);
        try
        {
            if (isAfterPredecessor
                && await _takeOvers.FromPredecessorAsync(type, key, isStatus: true, decode, cancellationToken).ConfigureAwait(false) is { } migrated)
            {
                Renew(migrated);
                if (StaleConditions(migrated, manifest) is { } removal)
                    Renew(await api.JsonPatchStatusAsync(type, key, removal, decode, cancellationToken).ConfigureAwait(false));
            }

            await TakeOverCopyAsync(carried).ConfigureAwait(false);
            answer = await ApplyAsync().ConfigureAwait(false);
            if (await TakeOverCopyAsync(answer.Reported).ConfigureAwait(false))
                answer = await ApplyAsync().ConfigureAwait(false);
            counters.Status(type.Kind);
            counters.UndeclaredStatusFields(type.Kind, _undeclared.Paths.Count);
            if (_undeclared.IsNews())
                Log.StatusFieldsUndeclared(logger, type.Kind, string.Join(", ", _undeclared.Paths), $"{type}");
            memory.Accepted(wanted, FingerprintOf(answer.Reported));
            memory.Wrote(timeless, isRepair: _recent.Wrote(key, timeless), time);
            return new StatusResult(IsWritten: true);
        }
        catch (ApiException exception) when (_undeclared.Learn(exception))
        {
            // An API server may name one at a time.
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // Deleted: the watch will tell.
            return default;
        }
        finally
        {
            store.EndWrite(key, answer);
        }

        // As far as the CRD goes.
        return await WriteAsync(metadata, carried, status, memory, takesOver, cancellationToken).ConfigureAwait(false);

        Task<T> ApplyAsync() => api.ApplyStatusAsync(type, key, manifest, decode, cancellationToken);

        async Task<bool> TakeOverCopyAsync(LastReport? report)
        {
            if (await _takeOvers.FromCopyAsync(
                type, key, metadata.Uid, report?.CopiedBy, isStatus: true, memory, decode, cancellationToken).ConfigureAwait(false) is not { } taken)
                return false;
            Renew(taken);
            return true;
        }

        // The take-over changed the resourceVersion. If somebody edited the spec before it, the old version makes the write a conflict.
        void Renew(T taken)
        {
            if (taken.Metadata.IsSameButForVersion(metadata))
                manifest = Manifest(taken.Metadata, status);
        }
    }

    /// <summary>
    /// A JSON patch that removes the predecessor's conditions which we do not report. Where its CRD had a plain list, and another one came
    /// since, nobody owns them, and no apply takes them away.
    /// </summary>
    /// <returns>Null when there are none.</returns>
    private byte[]? StaleConditions(T taken, byte[] manifest)
    {
        var reported = JsonNode.Parse(manifest)!["status"]?["conditions"]?.AsArray().Select(condition => (string?)condition!["type"]).ToHashSet() ?? [];
        var patch = new JsonArray(new JsonObject { ["op"] = "replace", ["path"] = "/metadata/resourceVersion", ["value"] = taken.Metadata.ResourceVersion });
        for (var i = (taken.Reported?.Conditions.Count ?? 0) - 1; i >= 0; i--)
        {
            if (taken.Reported!.Conditions[i].Type is { } type && predecessorsConditions!.Contains(type) && !reported.Contains(type))
                patch.Add((JsonNode)new JsonObject { ["op"] = "remove", ["path"] = $"/status/conditions/{i}" });
        }

        return patch.Count == 1 ? null : Encoding.UTF8.GetBytes(patch.ToJsonString());
    }

    private static ulong FingerprintOf(LastReport? carried) => carried?.Fingerprint ?? OwnedFields.None;

    /// <summary>Times depend on what somebody else wrote meanwhile, and make no other status.</summary>
    private static ulong FingerprintWithoutTimes(byte[] manifest)
    {
        var body = JsonNode.Parse(manifest)!;
        foreach (var condition in body["status"]?["conditions"] as JsonArray ?? [])
            condition?.AsObject().Remove("lastTransitionTime");
        return OwnedFields.FingerprintOf(Encoding.UTF8.GetBytes(body.ToJsonString()));
    }

    private byte[] Manifest(ObjectMeta metadata, Action<Utf8JsonWriter> status)
    {
        var whole = WholeManifest(metadata, status);
        if (_undeclared.Paths.Count == 0)
            return whole;
        var body = JsonNode.Parse(whole)!.AsObject();
        _undeclared.RemoveFrom(body);
        return Encoding.UTF8.GetBytes(body.ToJsonString());
    }

    private byte[] WholeManifest(ObjectMeta metadata, Action<Utf8JsonWriter> status) => ApplyBody.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion"u8, type.ApiVersion);
        writer.WriteString("kind"u8, type.Kind);
        writer.WriteStartObject("metadata"u8);
        writer.WriteString("name"u8, metadata.Name);
        writer.WriteString("namespace"u8, metadata.Namespace);
        writer.WriteString("resourceVersion"u8, metadata.ResourceVersion);
        writer.WriteEndObject();
        writer.WritePropertyName("status"u8);
        status(writer);
        writer.WriteEndObject();
    });
}

/// <param name="PutOff">How long until a contested status is written; null when it is not put off.</param>
internal readonly record struct StatusResult(bool IsWritten, TimeSpan? PutOff = null);
