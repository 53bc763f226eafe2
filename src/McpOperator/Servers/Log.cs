using Microsoft.Extensions.Logging;

namespace McpOperator.Servers;

/// <summary>What becomes of servers; the ids never change their meaning. The server's name is in the scope.</summary>
internal static partial class Log
{
    [LoggerMessage(305, LogLevel.Information, "Wrote the defaults in effect into the spec", EventName = "DefaultsPersisted")]
    public static partial void DefaultsPersisted(ILogger logger);

    [LoggerMessage(EventId = 306, EventName = "DefaultsNotPersisted", Message = "The defaults could not be written into the spec; they are in effect all the same: {Reason}")]
    public static partial void DefaultsNotPersisted(ILogger logger, LogLevel level, string reason);

    [LoggerMessage(307, LogLevel.Information, "Phase {Phase}: {Message}", EventName = "StatusReported")]
    public static partial void StatusReported(ILogger logger, string phase, string message);

    [LoggerMessage(308, LogLevel.Warning, "The spec is invalid, nothing is written for it: {Faults}", EventName = "InvalidSpec")]
    public static partial void InvalidSpec(ILogger logger, string faults);

    [LoggerMessage(312, LogLevel.Information, "Applied the pull secret {Secret}", EventName = "PullSecretApplied")]
    public static partial void PullSecretApplied(ILogger logger, string secret);

    [LoggerMessage(310, LogLevel.Information, "The namespace is being deleted; nothing more is written into it", EventName = "NamespaceTerminating")]
    public static partial void NamespaceTerminating(ILogger logger);

    [LoggerMessage(EventId = 324, EventName = "PodsNotListed", Message = "Pods or their events cannot be listed, so why pods are not ready is not found out: {Reason}")]
    public static partial void PodsNotListed(ILogger logger, LogLevel level, string reason);

    [LoggerMessage(EventId = 326, EventName = "PodsNotListedToAsk", Message = "Pods cannot be listed, so that servers with readiness mcp are not asked: {Reason}")]
    public static partial void PodsNotListedToAsk(ILogger logger, LogLevel level, string reason);

    [LoggerMessage(EventId = 325, EventName = "IngressClassesNotListed", Message = "IngressClasses cannot be listed, so whether that of a server without an address exists is not found out: {Reason}")]
    public static partial void IngressClassesNotListed(ILogger logger, LogLevel level, string reason);
}
