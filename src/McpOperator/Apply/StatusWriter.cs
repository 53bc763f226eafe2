using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>Writes the status of objects of one kind, when it differs from the one that they carry.</summary>
/// <param name="store">Where it is kept; takes in each answer.</param>
/// <param name="hasPredecessor">Whether that one wrote statuses of this kind: its conditions must not stay for ever.</param>
internal sealed class StatusWriter<T>(
    ResourceType type, Decoder<T> decode, Store<T> store, ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger,
    bool hasPredecessor = false)
    where T : class, IReportedObject
{
    private readonly RecentWrites _recent = new(time);
    private readonly TakeOvers _takeOvers = new(api, counters, logger);

    /// <summary>True when the object carries this status, or what the API server made of it.</summary>
    public bool IsWritten(ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status, ApplyMemory? memory)
    {
        var (wanted, live) = (OwnedFields.FingerprintOf(Manifest(metadata, isExact: false, status)), FingerprintOf(carried));
        return memory?.IsSettled(wanted, live) ?? wanted == live;
    }

    /// <summary>
    /// Writes it, if the object is still as it was read: a status never gets to another object of the same name, nor to a
    /// spec that it does not speak of. (A uid would be ignored there: apiextensions-apiserver
    /// pkg/registry/customresource/status_strategy.go.)
    /// </summary>
    /// <param name="metadata">Of the object, as it was read.</param>
    /// <param name="carried">The status that it carries; null for none.</param>
    /// <param name="status">Writes the new one, a value.</param>
    /// <returns>Whether it was written: not when there was no need, or the object is gone and nobody is left to be told.</returns>
    /// <exception cref="ApiException">The API server refused it; a conflict when the object has changed since.</exception>
    public async Task<StatusResult> WriteAsync(
        ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status, ApplyMemory memory, CancellationToken cancellationToken)
    {
        var key = metadata.Key;
        var manifest = Manifest(metadata, isExact: true, status);
        var wanted = OwnedFields.FingerprintOf(manifest);
        if (memory.IsSettled(wanted, FingerprintOf(carried)))
            return default;
        var timeless = FingerprintWithoutTimes(manifest);
        if (memory.PauseBefore(timeless, time, Contest.LongestPause) is var pause && pause > TimeSpan.Zero)
            return new StatusResult(IsWritten: false, PutOff: pause);
        T? answer = null;
        store.BeginWrite(key);
        try
        {
            if (hasPredecessor && carried is { Fingerprint: OwnedFields.None }
                && await _takeOvers.FromPredecessorAsync(type, key, isStatus: true, cancellationToken).ConfigureAwait(false))
                Renew();

            await TakeOverCopyAsync(carried).ConfigureAwait(false);
            answer = await ApplyAsync().ConfigureAwait(false);
            if (await TakeOverCopyAsync(answer.Reported).ConfigureAwait(false))
                answer = await ApplyAsync().ConfigureAwait(false);
            counters.Status(type.Kind);
            memory.Taken(wanted, FingerprintOf(answer.Reported));
            memory.Wrote(timeless, isRepair: _recent.Wrote(key, timeless), time);
            return new StatusResult(IsWritten: true);
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // Deleted since it was read: the watch brings the news.
            return default;
        }
        finally
        {
            store.EndWrite(key, answer);
        }

        Task<T> ApplyAsync() => api.ApplyStatusAsync(type, key, manifest, decode, cancellationToken);

        async Task<bool> TakeOverCopyAsync(LastReport? report)
        {
            if (!await _takeOvers.FromCopyAsync(type, key, metadata.Uid, report?.CopiedBy, isStatus: true, memory, cancellationToken).ConfigureAwait(false))
                return false;
            Renew();
            return true;
        }

        // It is another version now.
        void Renew() => manifest = Manifest(metadata, isExact: false, status);
    }

    private static ulong FingerprintOf(LastReport? carried) => carried?.Fingerprint ?? OwnedFields.None;

    /// <summary>When a condition changed depends on what somebody else wrote meanwhile, and makes no other status of it.</summary>
    private static ulong FingerprintWithoutTimes(byte[] manifest)
    {
        var body = JsonNode.Parse(manifest)!;
        foreach (var condition in body["status"]?["conditions"] as JsonArray ?? [])
            condition?.AsObject().Remove("lastTransitionTime");
        return OwnedFields.FingerprintOf(Encoding.UTF8.GetBytes(body.ToJsonString()));
    }

    private byte[] Manifest(ObjectMeta metadata, bool isExact, Action<Utf8JsonWriter> status) => ApplyBody.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion"u8, type.ApiVersion);
        writer.WriteString("kind"u8, type.Kind);
        writer.WriteStartObject("metadata"u8);
        writer.WriteString("name"u8, metadata.Name);
        writer.WriteString("namespace"u8, metadata.Namespace);
        if (isExact)
            writer.WriteString("resourceVersion"u8, metadata.ResourceVersion);
        writer.WriteEndObject();
        writer.WritePropertyName("status"u8);
        status(writer);
        writer.WriteEndObject();
    });
}

/// <summary>What came of writing a status.</summary>
/// <param name="PutOff">How long until it is written, for somebody else keeps writing another one; null when it is not put off.</param>
internal readonly record struct StatusResult(bool IsWritten, TimeSpan? PutOff = null);
