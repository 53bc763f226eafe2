using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>The events of the room; ids 300 to 399 never change their meaning. The server's name is in the scope.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "Created the {Kind}", EventName = "ObjectCreated")]
    public static partial void ObjectCreated(ILogger logger, string kind);

    [LoggerMessage(301, LogLevel.Information, "Applied the {Kind}: it differed from what is wanted", EventName = "ObjectApplied")]
    public static partial void ObjectApplied(ILogger logger, string kind);

    [LoggerMessage(302, LogLevel.Information, "Deleted the {Kind}", EventName = "ObjectDeleted")]
    public static partial void ObjectDeleted(ILogger logger, string kind);

    [LoggerMessage(EventId = 303, EventName = "ObjectRefused", Message = "The API server refused the {Kind}: {Reason}")]
    public static partial void ObjectRefused(ILogger logger, LogLevel level, string kind, string reason);

    [LoggerMessage(304, LogLevel.Debug, "The API server made something else of the {Kind} than was applied; it is not applied again until it changes", EventName = "AnswerDiffers")]
    public static partial void AnswerDiffers(ILogger logger, string kind);

    [LoggerMessage(305, LogLevel.Information, "Wrote the defaults in effect into the spec", EventName = "DefaultsPersisted")]
    public static partial void DefaultsPersisted(ILogger logger);

    [LoggerMessage(EventId = 306, EventName = "DefaultsNotPersisted", Message = "The defaults could not be written into the spec; they are in effect all the same: {Reason}")]
    public static partial void DefaultsNotPersisted(ILogger logger, LogLevel level, string reason);

    [LoggerMessage(307, LogLevel.Information, "Phase {Phase}: {Message}", EventName = "StatusReported")]
    public static partial void StatusReported(ILogger logger, string phase, string message);

    [LoggerMessage(308, LogLevel.Warning, "The spec is invalid, nothing is written for it: {Faults}", EventName = "InvalidSpec")]
    public static partial void InvalidSpec(ILogger logger, string faults);

    [LoggerMessage(310, LogLevel.Information, "The namespace is being deleted; nothing is created in it", EventName = "NamespaceTerminating")]
    public static partial void NamespaceTerminating(ILogger logger);

    [LoggerMessage(311, LogLevel.Information, "Took fields of the {Kind} over from others: they cannot stand beside ours ({Reason})", EventName = "FieldsTakenOver")]
    public static partial void FieldsTakenOver(ILogger logger, string kind, string reason);

    [LoggerMessage(312, LogLevel.Information, "Applied the pull secret {Secret}", EventName = "PullSecretApplied")]
    public static partial void PullSecretApplied(ILogger logger, string secret);

    [LoggerMessage(314, LogLevel.Information, "Took the {Kind} over from the operator before this one: what that one wrote is this one's now", EventName = "ObjectMigrated")]
    public static partial void ObjectMigrated(ILogger logger, string kind);
}
