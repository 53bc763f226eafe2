namespace McpOperator.Kubernetes;

/// <summary>All objects as they were at one resource version.</summary>
/// <param name="Print">
/// A hash of the newest one's metadata: after etcd was put back to a snapshot, an object may come to a version a second time, and be another.
/// </param>
internal sealed record ListResult(IReadOnlyList<IKubernetesObject> Items, string ResourceVersion, ulong Print = 0);

/// <summary>Lists and watches the objects of one kind in one scope: what a reflector needs of the API server.</summary>
internal interface IListWatch
{
    /// <summary>For log lines: <c>deployments.apps</c>, with the namespace when it is limited to one.</summary>
    string Name { get; }

    /// <summary>The namespace it is limited to; null for the whole cluster.</summary>
    string? Namespace { get; }

    /// <summary>
    /// Lists the objects at this resource version or a later one: "0" is whatever the API server's cache holds, "" the latest
    /// of etcd.
    /// </summary>
    /// <exception cref="ApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached, or takes longer than <see cref="ListLimits.Longest"/>.</exception>
    Task<ListResult> ListAsync(string resourceVersion, CancellationToken cancellationToken);

    /// <summary>The object of this name, if there was one, as it was at a version.</summary>
    /// <param name="resourceVersion">Asked of etcd, exactly; one that it has not come to yet is refused (<see cref="ApiException.IsFutureVersion"/>).</param>
    /// <param name="key">Null to ask whether there was such a version; what is listed then is any object.</param>
    /// <inheritdoc cref="ListAsync"/>
    Task<ListResult> LookBackAsync(string resourceVersion, ObjectKey? key, CancellationToken cancellationToken);

    /// <summary>Streams what changed since <paramref name="resourceVersion"/> until the server ends the watch.</summary>
    /// <param name="resourceVersion">The first event is the one after it.</param>
    /// <param name="timeout">After this time the server ends the watch.</param>
    /// <exception cref="ApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached, or the stream broke.</exception>
    IAsyncEnumerable<WatchEvent> WatchAsync(string resourceVersion, TimeSpan timeout, CancellationToken cancellationToken);
}

internal static class ListLimits
{
    /// <summary>For one page; the limit that the API server itself sets for a request. A list may be megabytes.</summary>
    public static readonly TimeSpan Page = TimeSpan.FromSeconds(60);

    /// <summary>For all pages of a list, with all that is sent again: what takes longer has broken off.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>No page is begun later than this.</summary>
    public static readonly TimeSpan LastPage = Longest - (4 * Page);
}
