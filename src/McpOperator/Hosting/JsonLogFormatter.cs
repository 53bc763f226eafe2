using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace McpOperator.Hosting;

/// <summary>
/// One flat JSON object for each line, as zap's production encoder writes them. The JSON formatter of the logging package is
/// not used: it nests the values and repeats the template.
/// </summary>
internal sealed class JsonLogFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "mcp-json";

    private static readonly JsonWriterOptions Options = new()
    {
        // "Unsafe" is about HTML, in which no log line is embedded. Control characters are escaped with it as well.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public override void Write<TState>(
        in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
        Write(LogLine.Of(logEntry, scopeProvider), textWriter);

    private void Write(in LogLine line, TextWriter textWriter)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("ts", time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", LogText.Level(line.Level));
            json.WriteString("logger", line.Logger);
            if (line.Event.Id != 0)
                json.WriteNumber("eventId", line.Event.Id);
            if (line.Event.Name is { } name)
                json.WriteString("event", name);
            json.WriteString("msg", line.Message);
            foreach (var (key, value) in line.Fields.Take(line.Fields.Count))
            {
                if (!IsTaken(key, line.Exception))
                    Write(json, key, value);
            }
            if (line.Exception is { } exception)
            {
                json.WriteString("error", LogText.Error(exception));
                json.WriteString("stacktrace", exception.ToString());
            }
            json.WriteEndObject();
        }
        textWriter.Write(Encoding.UTF8.GetString(buffer.Written.Span));
        textWriter.Write('\n');
    }

    // A key that is there twice is valid JSON, but readers differ in what they make of it. The message contains the value.
    private static bool IsTaken(string key, Exception? exception) =>
        key is "ts" or "level" or "logger" or "eventId" or "event" or "msg" ||
        (exception is not null && key is "error" or "stacktrace");

    private static void Write(Utf8JsonWriter json, string key, object? value)
    {
        switch (value)
        {
            case null: json.WriteNull(key); break;
            case bool flag: json.WriteBoolean(key, flag); break;
            case int number: json.WriteNumber(key, number); break;
            case long number: json.WriteNumber(key, number); break;
            case double number when double.IsFinite(number): json.WriteNumber(key, number); break;
            default: json.WriteString(key, LogText.Value(value)); break;
        }
    }
}
