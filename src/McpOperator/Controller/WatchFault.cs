using System.Net;
using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>Why a list or a watch failed, as far as it matters for what to do next.</summary>
public enum WatchFault
{
    /// <summary>It went well: a list was complete, a watch was ended by the server in its time.</summary>
    None,

    /// <summary>410: the version asked for is no longer in the server's history.</summary>
    Expired,

    /// <summary>The server's cache has not come to the version asked for.</summary>
    TooLargeVersion,

    /// <summary>No connection, or it broke.</summary>
    Unreachable,

    /// <summary>429.</summary>
    TooManyRequests,

    /// <summary>5xx, or InternalError in the stream.</summary>
    ServerError,

    /// <summary>Any other 4xx: not allowed, not served.</summary>
    Refused,

    /// <summary>The server did not end the watch in its time: the connection is dead, and nobody noticed.</summary>
    Overdue,

    /// <summary>Nobody's: the watch was ended for a list from etcd that somebody wants now.</summary>
    RefreshWanted,

    /// <summary>Our own: the change handler or the decoder.</summary>
    Unexpected,
}

/// <summary>Sorts exceptions into <see cref="WatchFault"/>s.</summary>
public static class WatchFaults
{
    public static WatchFault Of(Exception exception) => exception switch
    {
        ApiException { IsExpired: true } => WatchFault.Expired,
        // Comes as a 504, so before the other 5xx.
        ApiException { IsTooLargeResourceVersion: true } => WatchFault.TooLargeVersion,
        ApiException { Code: HttpStatusCode.TooManyRequests } => WatchFault.TooManyRequests,
        ApiException { Code: >= HttpStatusCode.InternalServerError } => WatchFault.ServerError,
        ApiException { Status.Reason: "InternalError" } => WatchFault.ServerError,
        ApiException => WatchFault.Refused,
        // A request that ran into its own deadline is cancelled by HttpClient.
        HttpRequestException or IOException or OperationCanceledException => WatchFault.Unreachable,
        _ => WatchFault.Unexpected,
    };
}
