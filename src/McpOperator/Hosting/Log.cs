using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>What the process logs about itself. Event ids 400 to 499; docs/logging.md lists them.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 400, Level = LogLevel.Information,
        Message = "Starting mcp-operator {Version}, commit {Commit}, on {Runtime}")]
    public static partial void Starting(this ILogger logger, string version, string commit, string runtime);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "Serving {Paths} on {Address}")]
    public static partial void Serving(this ILogger logger, string paths, IPEndPoint address);

    [LoggerMessage(EventId = 402, Level = LogLevel.Warning,
        Message = "{Variable} is \"{Value}\" and must be {Rule}: the default is used, {Default}")]
    public static partial void SettingUnreadable(
        this ILogger logger, string variable, string value, string rule, string @default);

    [LoggerMessage(EventId = 403, Level = LogLevel.Critical, Message = "{Reason}")]
    public static partial void BindFailed(this ILogger logger, string reason);

    [LoggerMessage(EventId = 404, Level = LogLevel.Critical, Message = "The operator failed")]
    public static partial void OperatorFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 405, Level = LogLevel.Critical, Message = "The operator ended without being asked to")]
    public static partial void OperatorEnded(this ILogger logger);

    [LoggerMessage(EventId = 406, Level = LogLevel.Information,
        Message = "Stopping on {Signal}; a second signal ends the process at once")]
    public static partial void Stopping(this ILogger logger, PosixSignal signal);

    [LoggerMessage(EventId = 407, Level = LogLevel.Information, Message = "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(EventId = 408, Level = LogLevel.Error, Message = "Not stopped after {Seconds} s: giving up")]
    public static partial void StopTimedOut(this ILogger logger, double seconds);

    [LoggerMessage(EventId = 409, Level = LogLevel.Warning,
        Message = "Cannot accept connections on {Address}: {Reason}")]
    public static partial void AcceptFailed(this ILogger logger, IPEndPoint address, string reason);

    [LoggerMessage(EventId = 410, Level = LogLevel.Debug, Message = "Lost the client of a probe or scrape: {Reason}")]
    public static partial void ClientLost(this ILogger logger, string reason);

    [LoggerMessage(EventId = 411, Message = "{Endpoint} check {Check} failed: {Reason}")]
    public static partial void CheckFailed(this ILogger logger, LogLevel level, string endpoint, string check, string reason);

    [LoggerMessage(EventId = 412, Level = LogLevel.Error, Message = "Cannot answer {Path}")]
    public static partial void RequestFailed(this ILogger logger, string path, Exception exception);

    [LoggerMessage(EventId = 413, Level = LogLevel.Information,
        Message = "Watching {Namespaces} on {Server}, reached by {Origin}")]
    public static partial void Connecting(this ILogger logger, Uri server, string origin, string namespaces);

    [LoggerMessage(EventId = 414, Level = LogLevel.Critical, Message = "{Reason}")]
    public static partial void NotConnected(this ILogger logger, string reason);

    [LoggerMessage(EventId = 415, Level = LogLevel.Critical,
        Message = "Out of memory: of the container's limit of {Limit} MiB objects may take {Objects} MiB. The largest object that was "
            + "read is {Largest} ({Bytes} bytes). Raise the limit, or make that object smaller (docs/operations.md, Size)")]
    public static partial void OutOfMemory(this ILogger logger, long limit, long objects, string largest, int bytes);
}
