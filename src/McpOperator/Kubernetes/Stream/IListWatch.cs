using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Turns an object's JSON into the small type that is kept of it. The element is only valid during the call. Must not
/// throw for anything that a user can store in the API server.
/// </summary>
public delegate T Decoder<out T>(JsonElement json);

/// <summary>What a watch delivers.</summary>
public enum WatchEventType
{
    Added,
    Modified,
    Deleted,

    /// <summary>Carries a resource version and nothing else.</summary>
    Bookmark,

    /// <summary>Carries a <see cref="Status"/>; the stream is of no more use.</summary>
    Error,
}

/// <summary>One line of a watch. <paramref name="Object"/> is set for Added, Modified and Deleted.</summary>
public readonly record struct WatchEvent<T>(WatchEventType Type, T? Object, string? ResourceVersion, Status? Error);

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
