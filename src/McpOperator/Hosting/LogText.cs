using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>The texts that both log formats have in common.</summary>
internal static class LogText
{
    public static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "critical",
    };

    /// <summary>The type's name without its namespace.</summary>
    public static string Logger(string category) => category[(category.LastIndexOf('.') + 1)..];

    /// <summary>The message, and those of the inner exceptions that it does not contain.</summary>
    public static string Error(Exception exception)
    {
        var text = new StringBuilder(exception.Message);
        for (var inner = exception.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (!text.ToString().Contains(inner.Message, StringComparison.Ordinal))
                text.Append(": ").Append(inner.Message);
        }
        return text.ToString();
    }

    public static string? Value(object? value) => value switch
    {
        string text => text,
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString(),
    };
}
