using System.Text.Json;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Time.Testing;

#pragma warning disable CA1873 // The recorder logs everything: nothing is evaluated in vain.

namespace McpOperator.Unit.Hosting;

public sealed class LogFormatterTests
{
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero));

    /// <summary>A logger whose lines a test can read.</summary>
    private sealed class Recorder(ConsoleFormatter formatter, string category) : ILogger
    {
        private readonly LoggerExternalScopeProvider _scopes = new();

        public StringWriter Output { get; } = new();

        public IDisposable BeginScope<TState>(TState state)
            where TState : notnull => _scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter1) => formatter.Write(
                new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter1), _scopes, Output);
    }

    private static JsonElement Json(Action<ILogger> log)
    {
        var recorder = new Recorder(new JsonLogFormatter(Time), "McpOperator.Controller.Controller");
        log(recorder);
        var text = recorder.Output.ToString();
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
        Assert.Equal(1, text.Count(c => c == '\n'));
        var json = JsonDocument.Parse(text).RootElement;
        Assert.Equal(json.EnumerateObject().Count(), json.EnumerateObject().Select(p => p.Name).Distinct().Count());
        return json;
    }

    private static string Console(Action<ILogger> log, bool colour = false)
    {
        var recorder = new Recorder(new ConsoleLogFormatter(Time, colour), "McpOperator.Reconciliation.Reconciler");
        log(recorder);
        return recorder.Output.ToString();
    }

    [Fact]
    public void AJsonLineIsFlatAndHasTheScopesFields()
    {
        var json = Json(logger =>
        {
            using (logger.BeginScope(new Dictionary<string, object?> { ["x"] = 1 }.ToList()))
            using (logger.BeginScope("{Namespace} {Name} {ReconcileId}", "shop", "search", "r-1"))
                logger.Log(LogLevel.Information, new EventId(203, "Applied"), "Applied {Kind} in {Count} of {Most}", "Service", 2, 3L);
        });
        Assert.Equal(
            """
            {"ts":"2026-01-02T03:04:05.678Z","level":"info","logger":"Controller","eventId":203,"event":"Applied","msg":"Applied Service in 2 of 3","x":1,"namespace":"shop","name":"search","reconcileId":"r-1","kind":"Service","count":2,"most":3}
            """, json.GetRawText());
    }

    [Fact]
    public void OfARepeatedKeyTheInnermostCounts()
    {
        var json = Json(logger =>
        {
            using (logger.BeginScope("{Name}", "outer"))
            using (logger.BeginScope("{Name}", "inner"))
                logger.LogInformation("{Name} {Level}", "own", "mine");
        });
        Assert.Equal("own", json.GetProperty("name").GetString());
        Assert.Equal("info", json.GetProperty("level").GetString());
    }

    [Fact]
    public void AnExceptionBringsItsCauseAndItsStack()
    {
        var json = Json(logger => logger.LogError(
            new InvalidOperationException("outer", new IOException("inner")), "Failed: {Error}", "shadowed"));
        Assert.Equal("outer: inner", json.GetProperty("error").GetString());
        Assert.Contains("System.IO.IOException: inner", json.GetProperty("stacktrace").GetString(), StringComparison.Ordinal);
        Assert.Equal("error", json.GetProperty("level").GetString());
    }

    [Theory]
    [InlineData(LogLevel.Trace, "trace")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Warning, "warn")]
    [InlineData(LogLevel.Critical, "critical")]
    public void LevelsHaveShortNames(LogLevel level, string expected) =>
        Assert.Equal(expected, Json(logger => logger.Log(level, "x")).GetProperty("level").GetString());

    [Theory]
    [InlineData("a\nb")]
    [InlineData("\u001b[31mred")]
    [InlineData("\u0085\u2028\u2029")]
    [InlineData("\u007f")]
    public void ControlCharactersOfAValueCannotForgeALine(string value)
    {
        // Json() counts the lines, and parsing gives the value back whole.
        Assert.Equal(value, Json(logger => logger.LogInformation("{Value}", value)).GetProperty("value").GetString());

        var text = Console(logger =>
        {
            using (logger.BeginScope("{Value}", value))
                logger.LogInformation("{Value}", value);
        });
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(text[..^1], c => char.IsControl(c) || c is '\u2028' or '\u2029');
    }

    [Fact]
    public void HalfASurrogatePairDoesNotLoseTheLine() =>
        Assert.Equal("\ufffd", Json(logger => logger.LogInformation("{Value}", "\ud800")).GetProperty("value").GetString());

    [Fact]
    public void JsonKeepsTypesAndPlainCharacters()
    {
        var json = Json(logger => logger.LogInformation("{A} {B} {C} {D} {E} {F}", null, true, 1.5, double.NaN,
            TimeSpan.FromSeconds(90), "<'+&é"));
        Assert.Equal(JsonValueKind.Null, json.GetProperty("a").ValueKind);
        Assert.True(json.GetProperty("b").GetBoolean());
        Assert.Equal(1.5, json.GetProperty("c").GetDouble());
        Assert.Equal("NaN", json.GetProperty("d").GetString());
        Assert.Equal("00:01:30", json.GetProperty("e").GetString());
        Assert.Contains("<'+&é", json.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void AConsoleLineIsAlignedAndAddsTheScopes() => Assert.Equal(
        "2026-01-02T03:04:05Z INFO  Reconciler       Applied Service  namespace=shop name=\"a b\"\n",
        Console(logger =>
        {
            using (logger.BeginScope("{Namespace} {Name}", "shop", "a b"))
                logger.LogInformation("Applied {Kind}", "Service");
        }));

    [Fact]
    public void AConsoleStackTraceIsIndented() => Assert.Equal(
        "2026-01-02T03:04:05Z ERROR Reconciler       Failed\n    System.IO.IOException: one\n    two\n",
        Console(logger => logger.LogError(new IOException("one\ntwo"), "Failed")));

    [Fact]
    public void ColourIsOnlyForTerminals()
    {
        Assert.Contains("\e[33mWARN \e[0m", Console(logger => logger.LogWarning("x"), colour: true), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', Console(logger => logger.LogWarning("x")));
    }

    [Theory]
    [InlineData(LogLevel.Debug, "Microsoft.Extensions.X", LogLevel.Information, false)]
    [InlineData(LogLevel.Debug, "Microsoft.Extensions.X", LogLevel.Warning, true)]
    [InlineData(LogLevel.Error, "Microsoft.Extensions.X", LogLevel.Warning, false)]
    [InlineData(LogLevel.Debug, "McpOperator.X", LogLevel.Debug, true)]
    [InlineData(LogLevel.Information, "McpOperator.X", LogLevel.Debug, false)]
    public void LibrariesAreQuieter(LogLevel level, string category, LogLevel asked, bool expected)
    {
        using var factory = Logging.CreateFactory(level, LogFormat.Json, Time);
        Assert.Equal(expected, factory.CreateLogger(category).IsEnabled(asked));
    }
}
