using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace McpOperator.Hosting;

/// <summary>Makes the loggers. All of it goes to stderr, so that stdout stays for what a command prints.</summary>
internal static class Logging
{
    /// <summary>Dispose of the factory to flush: the console provider writes from a thread of its own.</summary>
    public static ILoggerFactory CreateFactory(LogLevel level, LogFormat format, TimeProvider time)
    {
        // NO_COLOR: set and not empty (no-color.org).
        var colour = !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        ConsoleFormatter formatter = format == LogFormat.Json
            ? new JsonLogFormatter(time)
            : new ConsoleLogFormatter(time, colour);
        // Built by hand, as AddConsole() brings configuration binding and three formatters that nobody uses.
        var provider = new ConsoleLoggerProvider(new FixedOptions(new ConsoleLoggerOptions
        {
            FormatterName = formatter.Name,
            LogToStandardErrorThreshold = LogLevel.Trace,
            // Who writes a log line must never wait for whoever reads it: a collector that hangs would end all work.
            QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite,
        }), [formatter]);
        var filter = new LoggerFilterOptions { MinLevel = level };
        filter.Rules.Add(new LoggerFilterRule(
            null, "Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning, null));
        var factory = new LoggerFactory([], filter);
        // Not through the constructor: the factory disposes of, and so flushes, only providers that are added to it.
        factory.AddProvider(provider);
        return factory;
    }

    private sealed class FixedOptions(ConsoleLoggerOptions options) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => options;

        public ConsoleLoggerOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}
