using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace McpOperator.Hosting;

/// <summary>
/// A line for people: time, level, logger, message, then the fields of the scopes (the message contains its own values). The
/// stack trace of an exception follows, indented.
/// </summary>
internal sealed class ConsoleLogFormatter(TimeProvider time, bool colour) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "mcp-console";

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
        Write(LogLine.Of(logEntry, scopeProvider), textWriter);

    private void Write(in LogLine line, TextWriter textWriter)
    {
        textWriter.Write(time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        textWriter.Write(' ');
        WriteLevel(textWriter, line.Level);
        textWriter.Write($" {line.Logger,-15}  ");
        textWriter.Write(Printable.Escape(line.Message));

        var fields = line.Fields;
        var separator = "  ";
        foreach (var (key, value) in fields.Take(fields.HasTemplate ? fields.FromScopes : fields.Count))
        {
            textWriter.Write($"{separator}{key}={Quote(LogText.Value(value) ?? "null")}");
            separator = " ";
        }
        textWriter.Write('\n');

        if (line.Exception is { } exception)
        {
            foreach (var frame in exception.ToString().Split('\n'))
                textWriter.Write($"    {Printable.Escape(frame.TrimEnd('\r'))}\n");
        }
    }

    private void WriteLevel(TextWriter textWriter, LogLevel level)
    {
        var name = level == LogLevel.Critical ? "CRIT" : LogText.Level(level).ToUpperInvariant();
        if (!colour)
        {
            textWriter.Write($"{name,-5}");
            return;
        }
        var code = level switch
        {
            LogLevel.Trace or LogLevel.Debug => "90",
            LogLevel.Information => "32",
            LogLevel.Warning => "33",
            _ => "31",
        };
        textWriter.Write($"\e[{code}m{name,-5}\e[0m");
    }

    private static string Quote(string value)
    {
        value = Printable.Escape(value);
        return value.Length == 0 || value.AsSpan().IndexOfAny(" \"=") >= 0
            ? $"\"{value.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            : value;
    }
}
