using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>Lists and watches one kind at the API server, in one namespace or in all, limited by selectors.</summary>
/// <param name="metadataOnly">Whether the API server leaves out all of an object but its metadata.</param>
internal sealed class ListWatch(
    ApiClient api, ResourceType type, string? ns, string? labelSelector, Decoder<IKubernetesObject> decode, string? fieldSelector = null, bool metadataOnly = false)
    : IListWatch
{
    /// <summary>
    /// client-go has 500 (tools/pager). Each term of a leader begins with these lists. With 2000 most clusters need one request
    /// for a kind, and in the largest ones the API server need not hold all objects at once.
    /// </summary>
    private const int PageSize = 2000;

    private sealed record Page(List<IKubernetesObject> Items, string ResourceVersion, string? Continue);

    private readonly string _selector = (labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}")
        + (fieldSelector is null ? "" : $"&fieldSelector={Uri.EscapeDataString(fieldSelector)}");

    // The newest object that was decoded, and the hash of its metadata. One thread at a time lists or watches.
    private string? _newest;
    private ulong _print;

    /// <summary>Where the API server cannot do that, it answers 406 and not with more.</summary>
    private string Accept(string kind) => metadataOnly ? $"application/json;as={kind};g=meta.k8s.io;v=v1" : "application/json";

    public string Name { get; } = ns is null ? type.ToString() : $"{type} in {ns}";

    public string? Namespace => ns;

    /// <inheritdoc/>
    /// <remarks>
    /// The items of an attempt that failed are dropped: some of them may have been deleted since.
    /// </remarks>
    public async Task<ListResult> ListAsync(string resourceVersion, CancellationToken cancellationToken)
    {
        _newest = null;
        var (time, begun) = (api.Requester.Time, api.Requester.Time.GetTimestamp());
        // With a resource version the server answers from its cache in one go; a limit would make it go to etcd
        // (client-go tools/cache/reflector.go). Only a list from etcd itself is worth pages.
        var query = resourceVersion.Length > 0 ? $"?resourceVersion={Uri.EscapeDataString(resourceVersion)}" : $"?limit={PageSize}";
        var page = await ListPageAsync(ns, query + _selector, cancellationToken).ConfigureAwait(false);
        var items = page.Items;
        while (page.Continue is { } next)
        {
            if (time.GetElapsedTime(begun) > ListLimits.LastPage)
                throw new HttpRequestException(HttpRequestError.ResponseEnded, $"the list of {Name} takes too long: its pages are slow");
            try
            {
                page = await ListPageAsync(ns, $"?limit={PageSize}&continue={Uri.EscapeDataString(next)}{_selector}", cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsExpired)
            {
                // etcd no longer has the version that the pages before belong to (it keeps one for some five minutes).
                items.Clear();
                page = await ListPageAsync(ns, $"?resourceVersion={_selector}", cancellationToken).ConfigureAwait(false);
            }

            items.AddRange(page.Items);
        }

        return new(items, page.ResourceVersion, _print);
    }

    /// <inheritdoc/>
    public async Task<ListResult> LookBackAsync(string resourceVersion, ObjectKey? key, CancellationToken cancellationToken)
    {
        _newest = null;
        // Without the selector where nothing is named: the API server might look through all that there is.
        var what = key is { } named ? $"fieldSelector=metadata.name%3D{Uri.EscapeDataString(named.Name)}{_selector}" : "limit=1";
        var page = await ListPageAsync(
            key is { Namespace.Length: > 0 } inNamespace ? inNamespace.Namespace : ns,
            $"?{what}&resourceVersion={Uri.EscapeDataString(resourceVersion)}&resourceVersionMatch=Exact", cancellationToken).ConfigureAwait(false);
        return new(page.Items, page.ResourceVersion, _print);
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = $"?watch=1&resourceVersion={Uri.EscapeDataString(resourceVersion)}&allowWatchBookmarks=true"
            + $"&timeoutSeconds={(long)timeout.TotalSeconds}{_selector}";
        using var response = await api.Requester
            .OpenAsync(new(HttpMethod.Get, type.CollectionPath(ns), query) { Accept = Accept("PartialObjectMetadata") }, ApiClient.Deadline, cancellationToken)
            .ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        _newest = null;

        await using var events = WatchStream.ReadAsync(stream, Decode, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(events).ConfigureAwait(false))
        {
            if (events.Current is { Type: WatchEventType.Deleted, Object: { } gone })
                api.Largest.Note(type, gone.Key, 0);
            yield return events.Current with { Print = _print };
        }
    }

    private IKubernetesObject Decode(JsonElement json)
    {
        var item = decode(json);
        api.Largest.Note(type, item.Key, JsonMarshal.GetRawUtf8Value(json).Length);
        if (_newest is null || ResourceVersion.IsNewer(item.ResourceVersion, _newest))
            (_newest, _print) = (item.ResourceVersion, json.Child("metadata"u8) is { } metadata ? JsonHash.OfRaw(metadata) : 0);
        return item;
    }

    private Task<Page> ListPageAsync(string? within, string query, CancellationToken cancellationToken) =>
        api.Requester.SendAsync(
            new(HttpMethod.Get, type.CollectionPath(within), query) { Accept = Accept("PartialObjectMetadataList") },
            ListLimits.Page,
            async (stream, token) =>
            {
                // This runs once for each attempt, and each begins with an empty list.
                var items = new List<IKubernetesObject>();
                var list = await ListStream.ReadAsync(stream, Decode, items.Add, token).ConfigureAwait(false);
                return new Page(items, list.ResourceVersion, list.Continue);
            },
            cancellationToken);

    /// <summary>When the connection breaks, the stream throws an IOException.</summary>
    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new HttpRequestException(HttpRequestError.ResponseEnded, $"watch of {Name}: {e.Message}", e);
        }
    }
}
