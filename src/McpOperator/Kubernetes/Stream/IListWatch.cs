namespace McpOperator.Kubernetes;

/// <summary>All that was there at one moment, and which.</summary>
public sealed record ListResult<T>(IReadOnlyList<T> Items, string ResourceVersion);

/// <summary>Lists and watches the objects of one kind in one scope: what a reflector needs of the API server.</summary>
public interface IListWatch<T>
    where T : class, IKubernetesObject
{
    /// <summary>For log lines: <c>deployments.apps</c>, with the namespace when it is limited to one.</summary>
    string Name { get; }

    /// <summary>The namespace it is limited to; null for the whole cluster.</summary>
    string? Namespace { get; }

    /// <summary>
    /// What the API server has at a resource version or later: "0" is whatever its cache holds, "" the latest in etcd.
    /// </summary>
    /// <exception cref="ApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached.</exception>
    Task<ListResult<T>> ListAsync(string resourceVersion, CancellationToken cancellationToken);

    /// <summary>Streams what changed since <paramref name="resourceVersion"/> until the server ends the watch.</summary>
    /// <param name="resourceVersion">Where to begin; exclusive.</param>
    /// <param name="timeout">When the server shall end the watch.</param>
    /// <param name="cancellationToken">Ends it now.</param>
    /// <exception cref="ApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached, or the stream broke.</exception>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync(string resourceVersion, TimeSpan timeout, CancellationToken cancellationToken);
}
