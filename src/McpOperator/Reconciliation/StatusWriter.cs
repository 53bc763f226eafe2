using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>Writes the status of objects of one kind, when it differs from the one that they carry.</summary>
/// <param name="type">The kind.</param>
/// <param name="decode">What is kept of it.</param>
/// <param name="reports">Told of each write before it is sent.</param>
/// <param name="observe">
/// Takes in the answer, and the metadata that the report went by: the answer may hold an edit that was made since, and the
/// edit's own event will be too old to be told when it comes.
/// </param>
/// <param name="api">The way to the API server.</param>
/// <param name="counters">Count each write.</param>
/// <param name="takeOver">Called before the first write to a status that is there and none of our writing.</param>
public sealed class StatusWriter<T>(
    ResourceType type, Decoder<T> decode, OwnReports reports, Action<T, ObjectMeta> observe, ApiClient api,
    OperatorCounters counters, Func<ObjectKey, CancellationToken, Task>? takeOver = null)
    where T : class, IReportedObject
{
    private readonly WriteGuard _guard = new();

    /// <param name="metadata">Of the object.</param>
    /// <param name="carried">The status that it carries; null for none.</param>
    /// <param name="status">Writes the new one, a value.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <returns>True when it was written; false when there was no need, or the object is gone and nobody is left to be told.</returns>
    /// <exception cref="ApiException">The API server refused it.</exception>
    public async Task<bool> WriteAsync(
        ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(metadata.Namespace, metadata.Name);
        var body = ApplyBody.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("apiVersion"u8, type.ApiVersion);
            writer.WriteString("kind"u8, type.Kind);
            writer.WriteStartObject("metadata"u8);
            writer.WriteString("name"u8, metadata.Name);
            writer.WriteString("namespace"u8, metadata.Namespace);
            writer.WriteEndObject();
            writer.WritePropertyName("status"u8);
            status(writer);
            writer.WriteEndObject();
        });
        var intent = OwnedFields.FingerprintOfIntent(body);
        if (_guard.IsSettled(key, intent, carried?.Fingerprint ?? OwnedFields.None))
            return false;
        reports.Writing(key, intent);
        try
        {
            if (carried is { Fingerprint: OwnedFields.None } && takeOver is not null)
                await takeOver(key, cancellationToken).ConfigureAwait(false);
            var answer = await api.ApplyStatusAsync(type, key, body, decode, cancellationToken).ConfigureAwait(false);
            counters.WriteStatus(type.Kind);
            _guard.Note(key, intent, answer.Reported?.Fingerprint ?? OwnedFields.None);
            observe(answer, metadata);
            return true;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // Deleted since it was read: the watch brings the news.
            return false;
        }
    }

    /// <summary>The object is gone.</summary>
    public void Forget(ObjectKey key)
    {
        _guard.Forget(key);
        reports.Forget(key);
    }
}
