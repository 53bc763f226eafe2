using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>What is done to objects; the ids never change their meaning. The owner's name is in the scope.</summary>
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

    [LoggerMessage(311, LogLevel.Information, "Took fields of the {Kind} over from others: they cannot stand beside ours ({Reason})", EventName = "FieldsTakenOver")]
    public static partial void FieldsTakenOver(ILogger logger, string kind, string reason);

    [LoggerMessage(319, LogLevel.Warning, "Contested: {Message}", EventName = "ObjectContested")]
    public static partial void ObjectContested(ILogger logger, string message);

    [LoggerMessage(314, LogLevel.Information, "Took the {Kind} over from the operator before this one: what that one wrote is this one's now", EventName = "ObjectMigrated")]
    public static partial void ObjectMigrated(ILogger logger, string kind);

    [LoggerMessage(320, LogLevel.Information, "Took over what {Manager} had copied of the {Kind}: it owned all that this operator owns", EventName = "CopyTakenOver")]
    public static partial void CopyTakenOver(ILogger logger, string manager, string kind);

    [LoggerMessage(322, LogLevel.Warning, "The CRD of {Kind} lacks fields, and statuses are written without them ({Fields}): install the CustomResourceDefinition {Definition} of this version", EventName = "StatusFieldsUndeclared")]
    public static partial void StatusFieldsUndeclared(ILogger logger, string kind, string fields, string definition);

    [LoggerMessage(321, LogLevel.Information, "Left the {Kind} alone, which is not wanted: nothing shows that this operator made it", EventName = "CopyLeft")]
    public static partial void CopyLeft(ILogger logger, string kind);
}
