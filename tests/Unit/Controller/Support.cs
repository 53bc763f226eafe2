using System.Runtime.CompilerServices;
using System.Threading.Channels;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Controller;

internal sealed record Thing(ObjectKey Key, string ResourceVersion) : IKubernetesObject
{
    public static Thing At(string name, int version, string ns = "ns") =>
        new(new ObjectKey(ns, name), version.ToString(System.Globalization.CultureInfo.InvariantCulture));
}

internal static class Events
{
    public static WatchEvent Added(Thing thing) => new(WatchEventType.Added, thing, thing.ResourceVersion, null);

    public static WatchEvent Modified(Thing thing) => new(WatchEventType.Modified, thing, thing.ResourceVersion, null);

    public static WatchEvent Deleted(Thing thing) => new(WatchEventType.Deleted, thing, thing.ResourceVersion, null);

    public static WatchEvent Bookmark(string version) => new(WatchEventType.Bookmark, null, version, null);

    public static WatchEvent Error(Status status) => new(WatchEventType.Error, null, null, status);
}

internal static class Refusals
{
    public static readonly Status Expired = new() { Code = 410, Reason = "Expired", Message = "too old resource version" };

    public static readonly Status TooLarge = new()
    {
        Code = 504,
        Reason = "Timeout",
        Message = "Too large resource version",
        Details = new() { Causes = [new() { Reason = "ResourceVersionTooLarge" }] },
    };

    public static readonly Status Future = new() { Code = 500, Message = "etcdserver: mvcc: required revision is a future revision" };

    public static ApiException Of(int code, string? reason = null, string? message = null, int? retryAfter = null) =>
        new(new() { Code = code, Reason = reason, Message = message, Details = new() { RetryAfterSeconds = retryAfter } }, "GET /");
}

/// <summary>A clock whose timers can be awaited, so that a test moves it on only when somebody waits for it.</summary>
internal sealed class Clock : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    /// <summary>
    /// How far somebody has put the wall clock right. The timestamps stay, as they do in life; FakeTimeProvider makes
    /// them of the wall clock, so that AdjustTime moves both.
    /// </summary>
    public TimeSpan Jump { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime != Timeout.InfiniteTimeSpan)
            _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>The due time of the next timer that somebody sets, in the order of setting.</summary>
    public Task<TimeSpan> NextTimer() => _timers.Reader.ReadAsync().AsTask().WaitAsync(Limit.OfATest);
}

internal static class Limit
{
    /// <summary>Never reached by a test that passes.</summary>
    public static readonly TimeSpan OfATest = TimeSpan.FromSeconds(20);
}

/// <summary>An API server that asks the test what to answer, request by request.</summary>
internal sealed class FakeServer(string? ns = null) : IListWatch
{
    private readonly Channel<object> _requests = Channel.CreateUnbounded<object>();

    public string Name => "things.example.org";

    public string? Namespace => ns;

    public sealed record ListRequest(string Version, TaskCompletionSource<(Thing[] Items, string Version)> Answer);

    public sealed record WatchRequest(
        string Version, TimeSpan Timeout, Channel<WatchEvent> Stream, CancellationToken Cancelled)
    {
        public void Send(WatchEvent line) => Stream.Writer.TryWrite(line);

        public void End(Exception? fault = null) => Stream.Writer.TryComplete(fault);
    }

    /// <summary>The version that it is at, for whoever asks.</summary>
    public string Latest { get; set; } = "1000";

    /// <summary>What became of objects since it was listed and watched; null for one that is gone.</summary>
    public Dictionary<ObjectKey, Thing?> Unwatched { get; } = [];

    private readonly Dictionary<ObjectKey, Thing> _held = [];

    public async Task<ListRequest> List() => Assert.IsType<ListRequest>(await Next());

    public async Task<WatchRequest> Watch() => Assert.IsType<WatchRequest>(await Next());

    public bool IsIdle => _requests.Reader.Count == 0;

    public async Task<WatchRequest> ListThenWatch(string version, params Thing[] items)
    {
        (await List()).Answer.SetResult((items, version));
        return await Watch();
    }

    public async Task<ListResult> ListAsync(string resourceVersion, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<(Thing[] Items, string Version)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _requests.Writer.TryWrite(new ListRequest(resourceVersion, answer));
        var (items, version) = await answer.Task.WaitAsync(cancellationToken);
        _held.Clear();
        foreach (var item in items)
            _held[item.Key] = item;
        return new(items, version);
    }

    public Task<ListResult> LookBackAsync(string resourceVersion, ObjectKey? key, CancellationToken cancellationToken)
    {
        if (ResourceVersion.IsNewer(resourceVersion, Latest))
            return Task.FromException<ListResult>(new ApiException(Refusals.Future, "GET /"));
        return Task.FromResult(new ListResult(
            key is { } named && (Unwatched.TryGetValue(named, out var held) || _held.TryGetValue(named, out held)) && held is not null ? [held] : [], Latest));
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = Channel.CreateUnbounded<WatchEvent>();
        _requests.Writer.TryWrite(new WatchRequest(resourceVersion, timeout, stream, cancellationToken));
        await foreach (var line in stream.Reader.ReadAllAsync(cancellationToken))
        {
            if (line is { Type: WatchEventType.Deleted, Object: { } gone })
                _held.Remove(gone.Key);
            else if (line.Object is { } thing)
                _held[thing.Key] = (Thing)thing;
            yield return line;
        }
    }

    private Task<object> Next() => _requests.Reader.ReadAsync().AsTask().WaitAsync(Limit.OfATest);
}

/// <summary>Keeps what is logged, and the scopes it is logged in.</summary>
internal sealed class Lines : ILogger
{
    private readonly AsyncLocal<object?> _scope = new();
    private readonly List<Line> _lines = [];

    public sealed record Line(LogLevel Level, string? Event, string Text, object? Scope, Exception? Exception);

    public IReadOnlyList<Line> All
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public IEnumerable<LogLevel> LevelsOf(string name) => All.Where(line => line.Event == name).Select(line => line.Level);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        _scope.Value = state;
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add(new(logLevel, eventId.Name, formatter(state, exception), _scope.Value, exception));
    }
}

/// <summary>A reflector that is in sync when the test says so.</summary>
internal sealed class FakeReflector(string name) : IReflector
{
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => name;

    public Task Synced => _synced.Task;

    public long WatchRestarts => 0;

    public long Relists => 0;

    public bool Hangs { get; set; }

    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void HasSynced() => _synced.SetResult();

    public Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Rewound()
    {
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Started.SetResult();
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Ended.SetResult();
    }
}
