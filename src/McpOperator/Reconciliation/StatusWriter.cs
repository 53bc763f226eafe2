using System.Text.Json;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>Writes the status of objects of one kind, when it differs from the one that they carry.</summary>
/// <param name="type">The kind.</param>
/// <param name="decode">What is kept of it.</param>
/// <param name="store">Where it is kept; takes in each answer.</param>
/// <param name="api">The way to the API server.</param>
/// <param name="counters">Count each write.</param>
/// <param name="takeOver">
/// Called before the first write to a status that is there and none of our writing; says whether it changed the object.
/// </param>
public sealed class StatusWriter<T>(
    ResourceType type, Decoder<T> decode, Store<T> store, ApiClient api, OperatorCounters counters,
    Func<ObjectKey, CancellationToken, Task<bool>>? takeOver = null)
    where T : class, IReportedObject
{
    private readonly WriteGuard _guard = new();

    /// <summary>True when the object carries this status, or what the API server made of it.</summary>
    public bool IsWritten(ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status) =>
        IsSettled(metadata, carried, OwnedFields.FingerprintOfIntent(Body(metadata, isExact: false, status)));

    /// <summary>
    /// Writes it, if the object is still as it was read: a status never gets to another object of the same name, nor to a
    /// spec that it does not speak of. (A uid would be ignored there: apiextensions-apiserver
    /// pkg/registry/customresource/status_strategy.go.)
    /// </summary>
    /// <param name="metadata">Of the object, as it was read.</param>
    /// <param name="carried">The status that it carries; null for none.</param>
    /// <param name="status">Writes the new one, a value.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <returns>True when it was written; false when there was no need, or the object is gone and nobody is left to be told.</returns>
    /// <exception cref="ApiException">The API server refused it; a conflict when the object has changed since.</exception>
    public async Task<bool> WriteAsync(
        ObjectMeta metadata, LastReport? carried, Action<Utf8JsonWriter> status, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(metadata.Namespace, metadata.Name);
        var body = Body(metadata, isExact: true, status);
        var intent = OwnedFields.FingerprintOfIntent(body);
        if (IsSettled(metadata, carried, intent))
            return false;
        T? answer = null;
        store.BeginWrite(key);
        try
        {
            if (carried is { Fingerprint: OwnedFields.None } && takeOver is not null
                && await takeOver(key, cancellationToken).ConfigureAwait(false))
                body = Body(metadata, isExact: false, status); // it is another version now
            answer = await api.ApplyStatusAsync(type, key, body, decode, cancellationToken).ConfigureAwait(false);
            counters.WriteStatus(type.Kind);
            _guard.Note(key, intent, answer.Reported?.Fingerprint ?? OwnedFields.None);
            return true;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // Deleted since it was read: the watch brings the news.
            return false;
        }
        finally
        {
            store.EndWrite(key, answer);
            // Deleted while it was reported, it has been forgotten already, and nobody would do so again.
            if (store.Get(key) is null)
                Forget(key);
        }
    }

    /// <summary>The object is gone.</summary>
    public void Forget(ObjectKey key) => _guard.Forget(key);

    private bool IsSettled(ObjectMeta metadata, LastReport? carried, ulong intent) => _guard.IsSettled(
        new ObjectKey(metadata.Namespace, metadata.Name), intent, carried?.Fingerprint ?? OwnedFields.None);

    private byte[] Body(ObjectMeta metadata, bool isExact, Action<Utf8JsonWriter> status) => ApplyBody.Write(writer =>
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
