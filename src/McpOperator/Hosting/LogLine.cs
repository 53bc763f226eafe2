using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Hosting;

/// <summary>
/// A log entry without the type of its state. Each message has its own state type, and code that is generic over it is compiled
/// once for each of them. So the formatters make this first, and are not generic after it.
/// </summary>
internal readonly struct LogLine
{
    public required LogLevel Level { get; init; }

    public required string Logger { get; init; }

    public required EventId Event { get; init; }

    public required string Message { get; init; }

    public required Exception? Exception { get; init; }

    public required LogFields Fields { get; init; }

    public static LogLine Of<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes) => new()
    {
        Level = entry.LogLevel,
        Logger = LogText.Logger(entry.Category),
        Event = entry.EventId,
        Message = entry.Formatter(entry.State, entry.Exception),
        Exception = entry.Exception,
        Fields = LogFields.Of(entry.State, scopes),
    };
}
