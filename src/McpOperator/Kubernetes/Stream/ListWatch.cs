using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>Lists and watches one kind at the API server, in one namespace or in all, limited by selectors.</summary>
internal sealed class ListWatch<T>(ApiClient api, ResourceType type, string? ns, string? labelSelector, Decoder<T> decode, string? fieldSelector = null)
    : IListWatch<T>
    where T : class, IKubernetesObject
{
    /// <summary>
    /// client-go has 500 (tools/pager). Each term of a leader begins with these lists. With 2000 most clusters need one request
    /// for a kind, and in the largest ones the API server need not hold all objects at once.
    /// </summary>
    private const int PageSize = 2000;

    private sealed record Page(List<T> Items, string ResourceVersion, string? Continue);

    private readonly string _selector = (labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}")
        + (fieldSelector is null ? "" : $"&fieldSelector={Uri.EscapeDataString(fieldSelector)}");

    public string Name { get; } = ns is null ? type.ToString() : $"{type} in {ns}";

    public string? Namespace => ns;

    /// <inheritdoc/>
    /// <remarks>
    /// The items of an attempt that failed are dropped: some of them may have been deleted since.
    /// </remarks>
    public async Task<ListResult<T>> ListAsync(string resourceVersion, CancellationToken cancellationToken)
    {
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

        return new(items, page.ResourceVersion);
    }

    /// <inheritdoc/>
    public async Task<ListResult<T>> LookBackAsync(string resourceVersion, ObjectKey? key, CancellationToken cancellationToken)
    {
        // Without the selector where nothing is named: the API server might look through all that there is.
        var what = key is { } named ? $"fieldSelector=metadata.name%3D{Uri.EscapeDataString(named.Name)}{_selector}" : "limit=1";
        var page = await ListPageAsync(
            key is { Namespace.Length: > 0 } inNamespace ? inNamespace.Namespace : ns,
            $"?{what}&resourceVersion={Uri.EscapeDataString(resourceVersion)}&resourceVersionMatch=Exact", cancellationToken).ConfigureAwait(false);
        return new(page.Items, page.ResourceVersion);
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync(
        string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = $"?watch=1&resourceVersion={Uri.EscapeDataString(resourceVersion)}&allowWatchBookmarks=true"
            + $"&timeoutSeconds={(long)timeout.TotalSeconds}{_selector}";
        using var response = await api.Requester
            .OpenAsync(new(HttpMethod.Get, type.CollectionPath(ns), query), ApiClient.Deadline, cancellationToken)
            .ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);

        await using var events = WatchStream.ReadAsync(stream, Decode, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(events).ConfigureAwait(false))
        {
            if (events.Current is { Type: WatchEventType.Deleted, Object: { } gone })
                api.Largest.Note(type, gone.Key, 0);
            yield return events.Current;
        }
    }

    private T Decode(JsonElement json)
    {
        var item = decode(json);
        api.Largest.Note(type, item.Key, JsonMarshal.GetRawUtf8Value(json).Length);
        return item;
    }

    private Task<Page> ListPageAsync(string? within, string query, CancellationToken cancellationToken) =>
        api.Requester.SendAsync(
            new(HttpMethod.Get, type.CollectionPath(within), query),
            ListLimits.Page,
            async (stream, token) =>
            {
                // This runs once for each attempt, and each begins with an empty list.
                var items = new List<T>();
                var list = await ListStream.ReadAsync(stream, Decode, items.Add, token).ConfigureAwait(false);
                return new Page(items, list.ResourceVersion, list.Continue);
            },
            cancellationToken);

    /// <summary>When the connection breaks, the stream throws an IOException.</summary>
    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<WatchEvent<T>> events)
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
