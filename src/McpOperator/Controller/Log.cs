using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>What the controller logs. Event ids 200 to 299. Users rely on ids and names: none may change.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 200, EventName = "Listed", Level = LogLevel.Debug,
        Message = "Listed {Count} {Resource} at version {ResourceVersion}")]
    public static partial void Listed(ILogger logger, string resource, int count, string resourceVersion);

    [LoggerMessage(EventId = 201, EventName = "WatchEnded", Level = LogLevel.Debug,
        Message = "The watch of {Resource} ended at version {ResourceVersion} after {Seconds:0.0} s")]
    public static partial void WatchEnded(ILogger logger, string resource, string resourceVersion, double seconds);

    [LoggerMessage(EventId = 202, EventName = "WatchInterrupted", Level = LogLevel.Debug,
        Message = "The watch of {Resource} was interrupted ({Fault}) and goes on: {Error}")]
    public static partial void WatchInterrupted(ILogger logger, string resource, WatchFault fault, string error);

    [LoggerMessage(EventId = 203, EventName = "ReflectorFailed",
        Message = "Cannot {Verb} {Resource}, next try in {Seconds:0.0##} s: {Error}")]
    public static partial void ReflectorFailed(
        ILogger logger, LogLevel level, string verb, string resource, double seconds, string error, Exception? exception);

    [LoggerMessage(EventId = 204, EventName = "NotAllowed",
        Message = "Not allowed to {Verb} {Resource}; grant it in the operator's ClusterRole or Role. "
            + "Next try in {Seconds:0.0##} s: {Error}")]
    public static partial void NotAllowed(
        ILogger logger, LogLevel level, string verb, string resource, double seconds, string error);

    [LoggerMessage(EventId = 205, EventName = "NotServed",
        Message = "Cannot {Verb} {Resource}: the API server does not serve them. Is the CRD installed? "
            + "Next try in {Seconds:0.0##} s: {Error}")]
    public static partial void NotServed(
        ILogger logger, LogLevel level, string verb, string resource, double seconds, string error);

    [LoggerMessage(EventId = 206, EventName = "ReflectorRecovered", Level = LogLevel.Information,
        Message = "Watching {Resource} works again")]
    public static partial void ReflectorRecovered(ILogger logger, string resource);

    [LoggerMessage(EventId = 207, EventName = "ChangeHandlerFailed", Level = LogLevel.Error,
        Message = "A change of {Resource} could not be handled; the others were")]
    public static partial void ChangeHandlerFailed(ILogger logger, string resource, Exception exception);

    [LoggerMessage(EventId = 208, EventName = "NotInstalled",
        Message = "The cluster has no {Resource}, and nothing waits for them. The next look is in {Seconds:0.0##} s")]
    public static partial void NotInstalled(ILogger logger, LogLevel level, string resource, double seconds);

    [LoggerMessage(EventId = 209, EventName = "HistoryRewound", Level = LogLevel.Warning,
        Message = "What was seen of {Resource} at version {Reached} is not in the history that the API server has at version {Version}: etcd was put back to a snapshot, and all is read anew")]
    public static partial void HistoryRewound(ILogger logger, string resource, string reached, string version);

    [LoggerMessage(EventId = 210, EventName = "WaitingForSync", Level = LogLevel.Warning,
        Message = "Nothing is reconciled before the first lists; still missing: {Missing}")]
    public static partial void WaitingForSync(ILogger logger, string missing);

    [LoggerMessage(EventId = 211, EventName = "Synced", Level = LogLevel.Information,
        Message = "All {Count} stores are filled")]
    public static partial void Synced(ILogger logger, int count);

    [LoggerMessage(EventId = 212, EventName = "WorkersStarted", Level = LogLevel.Information,
        Message = "Reconciling with {Workers} workers")]
    public static partial void WorkersStarted(ILogger logger, int workers);

    [LoggerMessage(EventId = 213, EventName = "ReconcileFailed",
        Message = "Reconciling {Key} failed, next try in {Seconds:0.0##} s")]
    public static partial void ReconcileFailed(
        ILogger logger, LogLevel level, ObjectKey key, double seconds, Exception exception);

    [LoggerMessage(EventId = 214, EventName = "Conflict", Level = LogLevel.Debug,
        Message = "Reconciling {Key} met a conflict, and is tried again: {Error}")]
    public static partial void Conflict(ILogger logger, ObjectKey key, string error);

    [LoggerMessage(EventId = 215, EventName = "CancellingReconciles", Level = LogLevel.Warning,
        Message = "{Active} reconciles did not finish in the shutdown's grace and are cancelled")]
    public static partial void CancellingReconciles(ILogger logger, int active);

    [LoggerMessage(EventId = 216, EventName = "AbandoningReconciles", Level = LogLevel.Warning,
        Message = "{Active} reconciles ignore their cancellation and are left behind")]
    public static partial void AbandoningReconciles(ILogger logger, int active);

    [LoggerMessage(EventId = 217, EventName = "NotReached",
        Message = "Reconciling {Key} did not reach the API server, next try in {Seconds:0.0##} s: {Error}")]
    public static partial void NotReached(
        ILogger logger, LogLevel level, ObjectKey key, double seconds, string error);

    [LoggerMessage(EventId = 220, EventName = "StandingBy", Level = LogLevel.Information,
        Message = "Standing by: the lease {Lease} is held by {Holder}")]
    public static partial void StandingBy(ILogger logger, string lease, string holder);

    [LoggerMessage(EventId = 221, EventName = "LeaseAcquired", Level = LogLevel.Information,
        Message = "Leading: the lease {Lease} is ours, {Identity}")]
    public static partial void LeaseAcquired(ILogger logger, string lease, string identity);

    [LoggerMessage(EventId = 222, EventName = "LeaseFailed", Level = LogLevel.Warning,
        Message = "Cannot read or write the lease {Lease}, and try again: {Error}")]
    public static partial void LeaseFailed(ILogger logger, string lease, string error);

    [LoggerMessage(EventId = 223, EventName = "LeaseLost", Level = LogLevel.Critical,
        Message = "Lost the lease {Lease}: {Reason}. The process ends, and writes nothing any more")]
    public static partial void LeaseLost(ILogger logger, string lease, string reason);

    [LoggerMessage(EventId = 224, EventName = "LeaseReleased", Level = LogLevel.Information,
        Message = "Released the lease {Lease}")]
    public static partial void LeaseReleased(ILogger logger, string lease);

    [LoggerMessage(EventId = 225, EventName = "LeaseNotReleased", Level = LogLevel.Warning,
        Message = "Could not release the lease {Lease}, which expires by itself: {Error}")]
    public static partial void LeaseNotReleased(ILogger logger, string lease, string error);

    [LoggerMessage(EventId = 226, EventName = "LeaseContested", Level = LogLevel.Debug,
        Message = "Another look at the lease {Lease} is needed: {Error}")]
    public static partial void LeaseContested(ILogger logger, string lease, string error);

    [LoggerMessage(EventId = 230, EventName = "EventNotWritten", Message = "An event could not be written: {Error}")]
    public static partial void EventNotWritten(ILogger logger, LogLevel level, string error);
}
