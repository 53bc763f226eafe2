using System.Net;

namespace McpOperator.Controller;

/// <summary>Why a list or a watch ended, as far as it matters for the next step.</summary>
internal enum WatchFault
{
    /// <summary>No fault: the list was complete, or the server ended the watch at its time-out.</summary>
    None,

    /// <summary>410: the version asked for is no longer in the server's history.</summary>
    Expired,

    /// <summary>The server's cache has not reached the version asked for.</summary>
    TooLargeVersion,

    /// <summary>
    /// Versions have gone back: etcd was put back to a snapshot. A watch at a version from before would wait for the future
    /// without a word.
    /// </summary>
    Rewound,

    /// <summary>No connection, or it broke.</summary>
    Unreachable,

    /// <summary>429.</summary>
    TooManyRequests,

    /// <summary>5xx, or InternalError in the stream.</summary>
    ServerError,

    /// <summary>Any other 4xx: not allowed, not served.</summary>
    Refused,

    /// <summary>404 for a list of an optional kind.</summary>
    NotInstalled,

    /// <summary>The server did not end the watch at its time-out: the connection must be dead.</summary>
    Overdue,

    /// <summary>No fault of the watch: it was ended for a list from etcd that somebody has asked for.</summary>
    RefreshWanted,

    /// <summary>A fault of this program: in the change handler or the decoder.</summary>
    Unexpected,
}

/// <summary>The API server's history is not the one in which this version was seen.</summary>
internal sealed class HistoryRewoundException(string seen, Exception? inner = null)
    : Exception($"version {seen} is not in the API server's history any more: etcd was put back to a snapshot", inner);

/// <summary>Sorts exceptions into <see cref="WatchFault"/>s.</summary>
internal static class WatchFaults
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
        HistoryRewoundException => WatchFault.Rewound,
        // A request that exceeds its deadline may end as a cancellation.
        HttpRequestException or IOException or OperationCanceledException => WatchFault.Unreachable,
        _ => WatchFault.Unexpected,
    };
}
