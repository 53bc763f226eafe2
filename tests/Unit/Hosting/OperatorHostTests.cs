using System.Net;
using System.Runtime.InteropServices;
using McpOperator.Api;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Hosting;

public sealed class OperatorHostTests : IDisposable
{
    private static readonly RunOptions Quiet = new() { Metrics = null, Probes = null };

    private readonly FakeTimeProvider _time = new();
    private readonly EventRecorder _log = new();
    private readonly CancellationTokenSource _stop = new();

    public void Dispose()
    {
        _log.Dispose();
        _stop.Dispose();
    }

    private Task<int> RunAsync(Func<RunContext, Task> operate, RunOptions? options = null) =>
        new OperatorHost(_log, _time).RunAsync(operate, options ?? Quiet, new OperatorSettings(), _stop.Token);

    [Fact]
    public async Task AStopThatTheOperatorHonoursIsSuccess()
    {
        var run = RunAsync(context => Task.Delay(Timeout.Infinite, context.Stopping));
        await _stop.CancelAsync();
        Assert.Equal(0, await run);
        Assert.Equal("Stopped", _log.Last);
    }

    [Fact]
    public async Task AFailureEndsTheProcessWithOneCriticalLine()
    {
        Assert.Equal(1, await RunAsync(_ => throw new InvalidOperationException("x")));
        Assert.Equal(["OperatorFailed"], _log.Events);
        Assert.Equal(LogLevel.Critical, _log.LastLevel);
    }

    [Fact]
    public async Task ALostLeaseEndsTheProcessAndHasBeenLoggedAlready()
    {
        Assert.Equal(1, await RunAsync(_ => throw new McpOperator.Controller.LeaseLostException("x")));
        Assert.Empty(_log.Events);
    }

    [Fact]
    public async Task AnEndThatNobodyAskedForIsAFailure()
    {
        Assert.Equal(1, await RunAsync(_ => Task.CompletedTask));
        Assert.Equal("OperatorEnded", _log.Last);
    }

    [Fact]
    public async Task AFailureWhileStoppingIsAFailure()
    {
        var run = RunAsync(async context =>
        {
            await Task.Delay(Timeout.Infinite, context.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new InvalidOperationException("x");
        });
        await _stop.CancelAsync();
        Assert.Equal(1, await run);
    }

    [Fact]
    public async Task StoppingIsBounded()
    {
        var run = RunAsync(_ => new TaskCompletionSource().Task);
        await _stop.CancelAsync();
        Assert.False(run.IsCompleted);
        // The timer of the bound is set on a thread of the pool, soon.
        while (!run.IsCompleted)
        {
            _time.Advance(OperatorHost.StopTimeout);
            await Task.Yield();
        }
        Assert.Equal(1, await run);
        Assert.Equal("StopTimedOut", _log.Last);
    }

    [Fact]
    public async Task ATakenAddressEndsTheProcessBeforeTheOperatorBegins()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = new BindAddress(IPAddress.Loopback, ((IPEndPoint)taken.LocalEndpoint).Port);
        Assert.Equal(1, await RunAsync(_ => throw new InvalidOperationException("begun"), Quiet with { Probes = address }));
        Assert.Equal("BindFailed", _log.Last);
    }

    [Fact]
    public async Task ProbesAnswerWithTheOperatorsChecksAndTurnUnreadyOnStop()
    {
        var options = new RunOptions
        {
            Metrics = new BindAddress(IPAddress.Loopback, 0),
            Probes = new BindAddress(IPAddress.Loopback, 0),
        };
        string? reason = "syncing";
        var end = new TaskCompletionSource();
        var run = RunAsync(context =>
        {
            context.Readiness.Add("caches", () => reason);
            return end.Task;
        }, options);
        var addresses = _log.Values["Address"];
        using var client = new HttpClient();
        var token = TestContext.Current.CancellationToken;

        Assert.Contains("process_cpu_seconds_total",
            await client.GetStringAsync($"http://{addresses[0]}/metrics", token), StringComparison.Ordinal);
        Assert.Equal("ok", await client.GetStringAsync($"http://{addresses[1]}/healthz", token));
        Assert.Equal(HttpStatusCode.InternalServerError, await StatusAsync());
        reason = null;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync());
        await _stop.CancelAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, await StatusAsync());
        Assert.Equal("ok", await client.GetStringAsync($"http://{addresses[1]}/healthz", token));
        end.SetResult();
        Assert.Equal(0, await run);

        async Task<HttpStatusCode> StatusAsync()
        {
            using var response = await client.GetAsync($"http://{addresses[1]}/readyz", token);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData(PosixSignal.SIGTERM, 143)]
    [InlineData(PosixSignal.SIGINT, 130)]
    public async Task TheFirstSignalStopsAndTheSecondEndsTheProcess(PosixSignal second, int expected)
    {
        var exits = new List<int>();
        using var signals = Signals.ForTests(NullLogger.Instance, exits.Add);
        var stopped = new TaskCompletionSource();
        signals.Stopping.Register(stopped.SetResult);

        signals.Receive(PosixSignal.SIGTERM);
        await stopped.Task;
        Assert.Empty(exits);
        signals.Receive(second);
        Assert.Equal([expected], exits);
    }

    /// <summary>Keeps the events' names and values.</summary>
    private sealed class EventRecorder : ILoggerFactory, ILogger
    {
        public List<string> Events { get; } = [];

        public Dictionary<string, List<object?>> Values { get; } = [];

        public string Last => Events[^1];

        public LogLevel LastLevel { get; private set; }

        // The generic host's own events are Debug, and filtered out in the process.
        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? NullLogger.Instance : this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (Events)
            {
                Events.Add(eventId.Name!);
                LastLevel = logLevel;
                foreach (var (key, value) in (IReadOnlyList<KeyValuePair<string, object?>>)state!)
                    (Values.TryGetValue(key, out var all) ? all : Values[key] = []).Add(value);
            }
        }
    }
}
