using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// The requests that an operator makes of the API server, and no others. All of them throw <see cref="ApiException"/>
/// when the server refuses and <see cref="HttpRequestException"/> when it gives no whole answer within
/// <see cref="Deadline"/>.
/// </summary>
public sealed class ApiClient : IDisposable
{
    /// <summary>Our name in <c>metadata.managedFields</c>. Changing it orphans every field ever written.</summary>
    public const string FieldManager = "mcp-runtime-operator";

    private const string ManagerQuery = $"?fieldManager={FieldManager}";
    private const string ApplyPatch = "application/apply-patch+yaml";
    private const string MergePatch = "application/merge-patch+json";
    private const string StrategicMergePatch = "application/strategic-merge-patch+json";
    private const string JsonPatch = "application/json-patch+json";
    private const string Json = "application/json";

    private readonly Requester _requester;

    /// <param name="transport">The way to the server, credentials and all: a <see cref="Connection"/>. Not disposed.</param>
    /// <param name="server">Where it is; may have a path, as behind Rancher's proxy.</param>
    /// <param name="time">For deadlines and for waiting as long as the server asks.</param>
    /// <param name="requests">Counts the requests, perhaps those of others as well.</param>
    /// <param name="mayWrite">
    /// Asked right before the body of a write goes out, each time that it does (<see cref="FencedContent"/>). A write that
    /// must not be sent fails with an <see cref="HttpRequestException"/>.
    /// </param>
    public ApiClient(
        HttpMessageHandler transport, Uri server, TimeProvider time,
        RequestCounter? requests = null, Func<bool>? mayWrite = null) =>
        _requester = new(transport, server, time, requests ?? new(), mayWrite);

    public ApiClient(
        Connection connection, TimeProvider time, RequestCounter? requests = null, Func<bool>? mayWrite = null)
        : this(connection, connection.Server, time, requests, mayWrite)
    {
    }

    /// <summary>Of a read: from the first byte sent to the last received; of each attempt when the server asks for another.</summary>
    public static TimeSpan Deadline { get; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The same of a write. Longer than the API server itself takes at most (34 s: apiserver, endpoints/handlers/rest.go), and
    /// than an admission webhook may (30 s), so that one which hangs is a refusal that names it and not a server out of reach.
    /// </summary>
    public static TimeSpan WriteDeadline { get; } = TimeSpan.FromSeconds(40);

    public RequestCounter Requests => _requester.Requests;

    internal Requester Requester => _requester;

    /// <summary>Null when there is no such object.</summary>
    /// <param name="type">The kind of the object.</param>
    /// <param name="key">The name of the object.</param>
    /// <param name="decode">Makes the result of it.</param>
    /// <param name="resourceVersion">"0" asks the server's cache, null etcd.</param>
    /// <param name="cancellationToken">Ends it now.</param>
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
    /// Server-side apply: <paramref name="body"/> (JSON) is the whole list of fields that we want to own, and those
    /// that we owned and that it leaves out are removed. Creates the object when there is none.
    /// </summary>
    /// <param name="type">The kind of the object.</param>
    /// <param name="key">The name of the object.</param>
    /// <param name="body">With apiVersion, kind and metadata.name; without managedFields and status.</param>
    /// <param name="force">Takes over fields of other managers; without it they are a conflict.</param>
    /// <param name="decode">Makes the result of the object as it is now stored.</param>
    /// <param name="mayWait">Whether it is sent again, as it is, when the server asks to come back later.</param>
    /// <param name="cancellationToken">Ends it now.</param>
    public Task<T> ApplyAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        bool force,
        Decoder<T> decode,
        bool mayWait = true,
        CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Patch, type.ObjectPath(key), force ? $"{ManagerQuery}&force=true" : ManagerQuery, body, ApplyPatch) { MayWait = mayWait },
            decode,
            cancellationToken);

    /// <summary>Server-side apply of the status subresource, forced. Does not create the object (404).</summary>
    public Task<T> ApplyStatusAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(
            new(HttpMethod.Patch, type.ObjectPath(key, "status"), $"{ManagerQuery}&force=true", body, ApplyPatch),
            decode,
            cancellationToken);

    /// <summary>JSON merge patch (RFC 7386).</summary>
    public Task<T> MergePatchAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key), ManagerQuery, body, MergePatch), decode, cancellationToken);

    /// <summary>JSON patch (RFC 6902).</summary>
    public Task JsonPatchAsync(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key), ManagerQuery, body, JsonPatch), cancellationToken);

    /// <summary>Strategic merge patch: knows the keys of lists, and can delete items. Built-in kinds only.</summary>
    public Task StrategicPatchAsync(
        ResourceType type, ObjectKey key, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Patch, type.ObjectPath(key), ManagerQuery, body, StrategicMergePatch), cancellationToken);

    /// <exception cref="ApiException">Among others with <see cref="ApiException.IsAlreadyExists"/>.</exception>
    public Task CreateAsync(
        ResourceType type, string ns, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Post, type.CollectionPath(ns), ManagerQuery, body, Json), cancellationToken);

    /// <inheritdoc cref="CreateAsync(ResourceType, string, ReadOnlyMemory{byte}, CancellationToken)"/>
    public Task<T> CreateAsync<T>(
        ResourceType type,
        string ns,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Post, type.CollectionPath(ns), ManagerQuery, body, Json), decode, cancellationToken);

    /// <summary>Replaces the whole object. With a resource version in it, only the object that was seen: else a conflict.</summary>
    public Task<T> UpdateAsync<T>(
        ResourceType type,
        ObjectKey key,
        ReadOnlyMemory<byte> body,
        Decoder<T> decode,
        CancellationToken cancellationToken = default) =>
        SendAsync(new(HttpMethod.Put, type.ObjectPath(key), ManagerQuery, body, Json), decode, cancellationToken);

    /// <summary>
    /// Deletes the object that was seen, and what it owns after it. False when it is gone already, or another one has
    /// taken its name.
    /// </summary>
    public async Task<bool> DeleteAsync(
        ResourceType type, ObjectKey key, string uid, CancellationToken cancellationToken = default)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, "v1"u8);
            json.WriteString("kind"u8, "DeleteOptions"u8);
            json.WriteString("propagationPolicy"u8, "Background"u8);
            json.WriteStartObject("preconditions"u8);
            json.WriteString("uid"u8, uid);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        try
        {
            await SendAsync(
                new(HttpMethod.Delete, type.ObjectPath(key), "", body.ToArray(), Json), cancellationToken).ConfigureAwait(false);
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
                using var document = await JsonDocument.ParseAsync(stream, JsonLimits.Document, token).ConfigureAwait(false);
                try
                {
                    return document.RootElement.IsObject()
                        ? decode(document.RootElement)
                        : throw new HttpRequestException(HttpRequestError.InvalidResponse, "the answer is no object");
                }
                catch (InvalidOperationException e)
                {
                    // What the parser says of text that is no UTF-8, when it is read.
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
