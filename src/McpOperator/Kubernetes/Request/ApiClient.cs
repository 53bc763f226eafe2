
namespace McpOperator.Kubernetes;

/// <summary>
/// The requests that an operator needs. All of them throw <see cref="ApiException"/> when the API server refuses, and
/// <see cref="HttpRequestException"/> when no complete answer comes within <see cref="Deadline"/> or <see cref="WriteDeadline"/>.
/// </summary>
internal sealed class ApiClient : IDisposable
{
    private const string ApplyPatch = "application/apply-patch+yaml";
    private const string MergePatch = "application/merge-patch+json";
    private const string StrategicMergePatch = "application/strategic-merge-patch+json";
    private const string JsonPatch = "application/json-patch+json";
    private const string Json = "application/json";

    private readonly string _managerQuery;
    private readonly Requester _requester;

    /// <param name="transport">The way to the server, credentials and all: a <see cref="Connection"/>. Not disposed.</param>
    /// <param name="server">Where it is; may have a path, as behind Rancher's proxy.</param>
    /// <param name="time">For deadlines and for waiting as long as the server asks.</param>
    /// <param name="mayWrite">
    /// Asked each time before the body of a write is sent (<see cref="FencedContent"/>). When it returns false, the write fails with
    /// an <see cref="HttpRequestException"/>.
    /// </param>
    public ApiClient(
        ApiIdentity identity, HttpMessageHandler transport, Uri server, TimeProvider time,
        RequestCounter? requests = null, Func<bool>? mayWrite = null)
    {
        Identity = identity;
        _managerQuery = $"?fieldManager={identity.FieldManager}";
        _requester = new(identity.UserAgent, transport, server, time, requests ?? new(), mayWrite);
    }

    public ApiClient(
        ApiIdentity identity, Connection connection, TimeProvider time, RequestCounter? requests = null, Func<bool>? mayWrite = null)
        : this(identity, connection, connection.Server, time, requests, mayWrite)
    {
    }

    /// <summary>For a read, from the first byte sent to the last one received. Each attempt that the server asks for has it anew.</summary>
    public static TimeSpan Deadline { get; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// For a write. It is longer than the limit of the API server (34 s: apiserver, endpoints/handlers/rest.go) and of an admission
    /// webhook (30 s), so that a webhook that hangs leads to a refusal that names it, and not to a server that cannot be reached.
    /// </summary>
    public static TimeSpan WriteDeadline { get; } = TimeSpan.FromSeconds(40);

    public ApiIdentity Identity { get; }

    public RequestCounter Requests => _requester.Requests;

    internal Requester Requester => _requester;

    /// <summary>Of those that were listed or watched.</summary>
    public LargestObject Largest { get; } = new();

    /// <summary>Null when there is no such object.</summary>
    /// <param name="resourceVersion">"0" is answered from the server's cache, null from etcd.</param>
    public async Task<T?> FindAsync<T>(
        ResourceType type,
        ObjectKey key,
        Decoder<T> decode,
        string? resourceVersion = null,
        CancellationToken cancellationToken = default)
        where T : class
    {
        var query = resourceVersion is null ? "" : $"?resourceVersion={Uri.EscapeDataString(resourceVersion)}";
        try
        {
            return await SendAsync(new(HttpMethod.Get, type.ObjectPath(key), query), decode, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Server-side apply. <paramref name="body"/> (JSON) holds all fields that we want to own: a field that we owned before and that
    /// it does not hold is removed. Creates the object when there is none.
    /// </summary>
    /// <param name="body">With apiVersion, kind and metadata.name; without managedFields and status.</param>
    /// <param name="force">Takes fields from other managers. Without it, a field that another manager owns is a conflict.</param>
    /// <param name="decode">Gets the object as it is stored after the apply.</param>
    /// <param name="mayWait">Whether the same body may be sent again when the server asks to try later.</param>
    public Task<T> ApplyAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        bool force,
        Decoder<T> decode,
        bool mayWait = true,
        CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Patch, type.ObjectPath(key), force ? $"{_managerQuery}&force=true" : _managerQuery, body, ApplyPatch) { MayWait = mayWait },
            decode,
            cancellationToken);

    /// <summary>What an apply, forced, would make of the object; nothing is stored.</summary>
    public Task<T> DryRunAsync<T>(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, Decoder<T> decode, CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Patch, type.ObjectPath(key), $"{_managerQuery}&force=true&dryRun=All", body, ApplyPatch), decode, cancellationToken);

    /// <summary>A JSON patch, or a strategic merge patch, that is not stored.</summary>
    /// <returns>As the object would be.</returns>
    public Task<T> DryRunPatchAsync<T>(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, bool isStrategic, Decoder<T> decode, CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Patch, type.ObjectPath(key), $"{_managerQuery}&dryRun=All", body, isStrategic ? StrategicMergePatch : JsonPatch), decode, cancellationToken);

    /// <summary>Server-side apply of the status subresource, forced. Does not create the object (404).</summary>
    public Task<T> ApplyStatusAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Patch, type.ObjectPath(key, "status"), $"{_managerQuery}&force=true", body, ApplyPatch),
            decode,
            cancellationToken);

    /// <summary>JSON merge patch (RFC 7386).</summary>
    public Task<T> MergePatchAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key), _managerQuery, body, MergePatch), decode, cancellationToken);

    /// <summary>JSON patch (RFC 6902).</summary>
    public Task<T> JsonPatchAsync<T>(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, Decoder<T> decode, CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key), _managerQuery, body, JsonPatch), decode, cancellationToken);

    /// <summary>The same of the status subresource.</summary>
    public Task<T> JsonPatchStatusAsync<T>(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, Decoder<T> decode, CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key, "status"), _managerQuery, body, JsonPatch), decode, cancellationToken);

    /// <summary>Strategic merge patch, which knows the keys of lists and can delete items. For built-in kinds only.</summary>
    public Task<T> StrategicPatchAsync<T>(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, Decoder<T> decode, CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key), _managerQuery, body, StrategicMergePatch), decode, cancellationToken);

    /// <exception cref="ApiException">With <see cref="ApiException.IsAlreadyExists"/> when there is one of that name.</exception>
    public Task CreateAsync(
        ResourceType type, string ns, ReadOnlyMemory<byte> body, bool isDryRun = false, CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Post, type.CollectionPath(ns), isDryRun ? $"{_managerQuery}&dryRun=All" : _managerQuery, body, Json), cancellationToken);

    /// <inheritdoc cref="CreateAsync(ResourceType, string, ReadOnlyMemory{byte}, bool, CancellationToken)"/>
    public Task<T> CreateAsync<T>(
        ResourceType type,
        string ns,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Post, type.CollectionPath(ns), _managerQuery, body, Json), decode, cancellationToken);

    /// <summary>Replaces the whole object. With a resource version in the body, it is a conflict when the object has changed since.</summary>
    public Task<T> UpdateAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Put, type.ObjectPath(key), _managerQuery, body, Json), decode, cancellationToken);

    /// <summary>
    /// Deletes the object with this uid, and in the background what it owns. False when it is gone already, or when another object
    /// has its name.
    /// </summary>
    public async Task<bool> DeleteAsync(
        ResourceType type, ObjectKey key, string uid, CancellationToken cancellationToken = default)
    {
        var body = ApplyBody.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, "v1"u8);
            json.WriteString("kind"u8, "DeleteOptions"u8);
            json.WriteString("propagationPolicy"u8, "Background"u8);
            json.WriteStartObject("preconditions"u8);
            json.WriteString("uid"u8, uid);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        try
        {
            await SendAsync(
                new(HttpMethod.Delete, type.ObjectPath(key), "", body, Json), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            return false;
        }
    }

    public void Dispose() => _requester.Dispose();

    private Task<T> SendAsync<T>(ApiRequest request, Decoder<T> decode, CancellationToken cancellationToken) =>
        _requester.SendAsync(
            request,
            request.Method == HttpMethod.Get ? Deadline : WriteDeadline,
            async (stream, token) =>
            {
                using var answer = new GrowingBuffer();
                while (await answer.FillAsync(stream, token).ConfigureAwait(false))
                {
                }

                using var document = ParsedJson.Of(answer.Unused);
                try
                {
                    return document.Root.IsObject()
                        ? decode(document.Root)
                        : throw new HttpRequestException(HttpRequestError.InvalidResponse, "the answer is no object");
                }
                catch (InvalidOperationException e)
                {
                    // The parser throws this for text that is not UTF-8, when the text is read.
                    throw new HttpRequestException(HttpRequestError.InvalidResponse, "the answer is no text", e);
                }
            },
            cancellationToken);

    /// <summary>Reads the answer to its end, which lets HTTP/1.1 use the connection again, and drops it.</summary>
    private Task<bool> SendAsync(ApiRequest request, CancellationToken cancellationToken) =>
        _requester.SendAsync(
            request,
            WriteDeadline,
            async (stream, token) =>
            {
                await stream.CopyToAsync(Stream.Null, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
}
