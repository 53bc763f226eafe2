using System.Runtime.CompilerServices;

namespace McpOperator.Kubernetes;

/// <summary>Lists and watches one kind at the API server, in one namespace or in all, limited by a label selector.</summary>
public sealed class ListWatch<T>(ApiClient api, ResourceType type, string? ns, string? labelSelector, Decoder<T> decode)
    : IListWatch<T>
    where T : class, IKubernetesObject
{
    private const int PageSize = 500;

    /// <summary>As long as the API server itself gives a request; a list may be megabytes.</summary>
    private static readonly TimeSpan ListDeadline = TimeSpan.FromSeconds(60);

    private readonly string _selector = labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}";

    public string Name { get; } = ns is null ? type.ToString() : $"{type} in {ns}";

    public string? Namespace => ns;

    /// <inheritdoc/>
    /// <remarks>
    /// Items can be handed over twice: when the token of a page expires halfway (410, after some five minutes), and
    /// when a connection breaks, the list starts again. The caller keeps the last one of each key.
    /// </remarks>
    public async Task<string> ListAsync(string resourceVersion, Action<T> onItem, CancellationToken cancellationToken)
    {
        // With a resource version the server answers from its cache in one go; a limit would make it go to etcd
        // (client-go tools/cache/reflector.go). Only a list from etcd itself is worth pages.
        if (resourceVersion.Length > 0)
        {
            var query = $"?resourceVersion={Uri.EscapeDataString(resourceVersion)}";
            var whole = await ListPageAsync(query, onItem, cancellationToken).ConfigureAwait(false);
            return whole.ResourceVersion;
        }

        ListStream page;
        string? next = null;
        do
        {
            var pageQuery = next is null ? $"?limit={PageSize}" : $"?limit={PageSize}&continue={Uri.EscapeDataString(next)}";
            try
            {
                page = await ListPageAsync(pageQuery, onItem, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsExpired && next is not null)
            {
                page = await ListPageAsync("?resourceVersion=", onItem, cancellationToken).ConfigureAwait(false);
            }
            next = page.Continue;
        }
        while (next is not null);
        return page.ResourceVersion;
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

    private Task<ListStream> ListPageAsync(string query, Action<T> onItem, CancellationToken cancellationToken) =>
        api.Requester.SendAsync(
            new(HttpMethod.Get, type.CollectionPath(ns), query + _selector),
            ListDeadline,
            (stream, token) => ListStream.ReadAsync(stream, decode, onItem, token),
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
