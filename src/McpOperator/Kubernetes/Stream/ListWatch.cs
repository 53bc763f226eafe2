using System.Runtime.CompilerServices;

namespace McpOperator.Kubernetes;

/// <summary>Lists and watches one kind at the API server, in one namespace or in all, limited by a label selector.</summary>
public sealed class ListWatch<T>(ApiClient api, ResourceType type, string? ns, string? labelSelector, Decoder<T> decode)
    : IListWatch<T>
    where T : class, IKubernetesObject
{
    /// <summary>
    /// client-go has 500 (tools/pager). Each term of a leader begins with such lists: most clusters should need one request a kind,
    /// and the API server not hold the objects of the largest ones at once.
    /// </summary>
    private const int PageSize = 2000;

    /// <summary>As long as the API server itself gives a request; a list may be megabytes.</summary>
    private static readonly TimeSpan ListDeadline = TimeSpan.FromSeconds(60);

    private sealed record Page(List<T> Items, string ResourceVersion, string? Continue);

    private readonly string _selector = labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}";

    public string Name { get; } = ns is null ? type.ToString() : $"{type} in {ns}";

    public string? Namespace => ns;

    /// <inheritdoc/>
    /// <remarks>
    /// What an attempt got that did not come to its end is dropped: what was deleted since would come back with it.
    /// </remarks>
    public async Task<ListResult<T>> ListAsync(string resourceVersion, CancellationToken cancellationToken)
    {
        // With a resource version the server answers from its cache in one go; a limit would make it go to etcd
        // (client-go tools/cache/reflector.go). Only a list from etcd itself is worth pages.
        var query = resourceVersion.Length > 0 ? $"?resourceVersion={Uri.EscapeDataString(resourceVersion)}" : $"?limit={PageSize}";
        var page = await ListPageAsync(query, cancellationToken).ConfigureAwait(false);
        var items = page.Items;
        while (page.Continue is { } next)
        {
            try
            {
                page = await ListPageAsync($"?limit={PageSize}&continue={Uri.EscapeDataString(next)}", cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsExpired)
            {
                // etcd has forgotten the moment that the pages before are of (after some five minutes).
                items.Clear();
                page = await ListPageAsync("?resourceVersion=", cancellationToken).ConfigureAwait(false);
            }

            items.AddRange(page.Items);
        }

        return new(items, page.ResourceVersion);
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

        await using var events = WatchStream.ReadAsync(stream, decode, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(events).ConfigureAwait(false))
            yield return events.Current;
    }

    private Task<Page> ListPageAsync(string query, CancellationToken cancellationToken) =>
        api.Requester.SendAsync(
            new(HttpMethod.Get, type.CollectionPath(ns), query + _selector),
            ListDeadline,
            async (stream, token) =>
            {
                // Read anew by each attempt, so it begins with nothing.
                var items = new List<T>();
                var list = await ListStream.ReadAsync(stream, decode, items.Add, token).ConfigureAwait(false);
                return new Page(items, list.ResourceVersion, list.Continue);
            },
            cancellationToken);

    /// <summary>A connection that breaks shows as an IOException of the stream.</summary>
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
