using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace McpOperator.Hosting;

/// <summary>Makes the loggers. They write to stderr, so that stdout is for the output of a command.</summary>
internal static class Logging
{
    /// <summary>Dispose of the factory to flush: the console provider writes from a thread of its own.</summary>
    public static ILoggerFactory CreateFactory(LogLevel level, LogFormat format, TimeProvider time)
    {
        // NO_COLOR: set and not empty (no-color.org).
        var colour = !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var formatter = Formatter(format, time, colour);
        // Made by hand, as AddConsole() would bring configuration binding and three unused formatters into the binary.
        var provider = new ConsoleLoggerProvider(new FixedOptions(new ConsoleLoggerOptions
        {
            FormatterName = formatter.Name,
            LogToStandardErrorThreshold = LogLevel.Trace,
            // A full queue drops lines. If logging waited, a log collector that hangs would stop all work.
            QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite,
        }), [formatter]);
        var filter = new LoggerFilterOptions { MinLevel = level };
        filter.Rules.Add(new LoggerFilterRule(
            null, "Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning, null));
        var factory = new LoggerFactory([], filter);
        // Not through the constructor: the factory disposes, and so flushes, only the providers that were added to it.
        factory.AddProvider(provider);
        return factory;
    }

    public static ConsoleFormatter Formatter(LogFormat format, TimeProvider time, bool colour) =>
        format == LogFormat.Json ? new JsonLogFormatter(time) : new ConsoleLogFormatter(time, colour);

    private sealed class FixedOptions(ConsoleLoggerOptions options) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => options;

        public ConsoleLoggerOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}
