using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>The events of the room; ids 300 to 399, which it shares with the servers' room, never change their meaning.</summary>
internal static partial class Log
{
    [LoggerMessage(313, LogLevel.Information, "{Kind} {Member}: {Phase}: {Message}", EventName = "AccessReported")]
    public static partial void AccessReported(ILogger logger, string kind, ObjectKey member, string phase, string message);

    [LoggerMessage(323, LogLevel.Error, "The policy of {Server} cannot be written: whoever was taken access from still has it: {Reason}", EventName = "PolicyNotWritten")]
    public static partial void PolicyNotWritten(ILogger logger, ObjectKey server, string reason);

    [LoggerMessage(EventId = 315, EventName = "RefreshFailed", Message = "The gateways of {Server} get the changed policy when their kubelets next look, which may take more than a minute: {Reason}")]
    public static partial void RefreshFailed(ILogger logger, LogLevel level, ObjectKey server, string reason);
}
