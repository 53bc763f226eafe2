using System.Globalization;
using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>
/// Writes events (events.k8s.io/v1) without holding up the work: recording only puts an event into a queue, from which one
/// request at a time is sent. What cannot be written is dropped. Repetitions are one event with a count, by the rules of
/// client-go (tools/events/event_broadcaster.go): the first one is created, the second one makes it a series, further ones are
/// counted here, and the count is written from time to time and when the series is over. Safe for any number of threads.
/// </summary>
/// <param name="reporter">Who reports; a qualified name.</param>
/// <param name="ending">Where no event can be created.</param>
/// <param name="logger">Gets one warning when events cannot be written, and the next one only after one could be.</param>
internal sealed class EventRecorder(ApiClient api, string reporter, string instance, EndingNamespaces ending, TimeProvider time, ILogger logger) : IDisposable
{
    public static readonly ResourceType Type = new("events.k8s.io", "v1", "events", "Event");

    /// <summary>When so many wait, newer ones are dropped: a mass of events says no more than the objects do.</summary>
    public const int Capacity = 1000;

    /// <summary>
    /// The pause after each request, so that the events of a thousand new servers do not slow down their creation.
    /// </summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);

    /// <summary>A series that nothing was added to for this time is over.</summary>
    public static readonly TimeSpan SeriesEnd = TimeSpan.FromMinutes(6);

    /// <summary>How often the count of a series that goes on is written.</summary>
    public static readonly TimeSpan SeriesRefresh = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan Sweep = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);
    private const int Attempts = 12;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, EventSeries> _series = new(StringComparer.Ordinal);
    private readonly Queue<EventSeries> _queue = new();
    private readonly CancellationTokenSource _end = new();
    private ITimer? _sweeper;
    private bool _isSending;
    private bool _isFailing;
    private long _dropped;
    private long _names;

    /// <summary>Events that were never written, for whatever reason.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Complete while there is nothing to be written.</summary>
    internal Task Sending { get; private set; } = Task.CompletedTask;

    /// <summary>Never waits, and never throws.</summary>
    public void Record(ClusterEvent recorded)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (_end.IsCancellationRequested)
                return;
            // Without the note, as in client-go: a note with a number that grows would be another event each time. With it for a
            // warning, whose note says what somebody has to do.
            var note = recorded.IsWarning ? recorded.Note : "";
            var key = $"{recorded.Type.Plural}/{recorded.Object}/{recorded.Uid}/{recorded.IsWarning}/{recorded.Reason}/{recorded.Action}/{note}";
            if (!_series.TryGetValue(key, out var series))
            {
                if (_queue.Count >= Capacity || ending.Contains(recorded.Object.Namespace))
                {
                    Interlocked.Increment(ref _dropped);
                    return;
                }

                series = new EventSeries(key, recorded, $"{recorded.Object.Name}.{NextName(now)}", now);
                _series.Add(key, series);
                _sweeper ??= time.CreateTimer(
                    static recorder => ((EventRecorder)recorder!).SweepSeries(), this, Sweep, Sweep);
                Enqueue(series);
                return;
            }

            series.Count++;
            series.Last = now;
            if (series is { Written: 1, IsQueued: false })
                Enqueue(series);
        }
    }

    /// <summary>Begins no further request. One that was sent may still be carried out.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _end.Cancel();
            _sweeper?.Dispose();
        }
    }

    private void Enqueue(EventSeries series)
    {
        series.IsQueued = true;
        _queue.Enqueue(series);
        if (_isSending)
            return;
        _isSending = true;
        // Without the log scope of the reconcile that happens to record the first event.
        using var _ = ExecutionContext.SuppressFlow();
        Sending = Task.Run(SendAllAsync, CancellationToken.None);
    }

    private async Task SendAllAsync()
    {
        while (Next() is { } series)
        {
            await SendAsync(series).ConfigureAwait(false);
            await Task.Delay(Pace, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private EventSeries? Next()
    {
        lock (_lock)
        {
            while (!_end.IsCancellationRequested && _queue.TryDequeue(out var series))
            {
                if (!ending.Contains(series.EventKey.Namespace))
                    return series;
                Drop(series);
            }

            _isSending = false;
            return null;
        }
    }

    private async Task SendAsync(EventSeries series)
    {
        for (var attempt = 1; ; attempt++)
        {
            long count;
            lock (_lock)
                count = series.Count;
            try
            {
                await WriteAsync(series, count).ConfigureAwait(false);
                Wrote(series, count);
                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (ApiException exception) when (exception.IsNamespaceTerminating)
            {
                DropAll(series.EventKey.Namespace);
                return;
            }
            catch (ApiException exception) when (exception.IsAlreadyExists)
            {
                Drop(series);
                return;
            }
            catch (ApiException exception)
            {
                // Another try would get the same answer; the next event may not.
                Fail(exception.Message);
                Drop(series);
                return;
            }
            catch (HttpRequestException exception)
            {
                Fail(exception.Message);
                if (attempt >= Attempts)
                {
                    Drop(series);
                    return;
                }
            }

            await Task.Delay(Retry, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Wrote(EventSeries series, long count)
    {
        lock (_lock)
        {
            _isFailing = false;
            series.Written = count;
            series.WrittenAt = time.GetUtcNow();
            series.IsQueued = false;
            // Recorded again while it was on its way.
            if (count == 1 && series.Count > 1)
                Enqueue(series);
        }
    }

    private async Task WriteAsync(EventSeries series, long count)
    {
        var key = series.EventKey;
        if (series.Written > 0)
        {
            try
            {
                await api.MergePatchAsync(Type, key, series.Patch(count), static _ => true, _end.Token).ConfigureAwait(false);
                return;
            }
            catch (ApiException exception) when (exception.IsNotFound)
            {
                // The API server deletes events after about an hour. It is created again.
            }
        }

        await api.CreateAsync(Type, key.Namespace, series.Body(reporter, instance), cancellationToken: _end.Token).ConfigureAwait(false);
    }

    /// <summary>Has the counts of series written that are due, and forgets the series that are over.</summary>
    private void SweepSeries()
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            List<EventSeries> over = [];
            foreach (var series in _series.Values)
            {
                var isOver = now - series.Last >= SeriesEnd;
                if (series is { IsQueued: false, Written: > 0 } && series.Count > series.Written
                    && (isOver || now - series.WrittenAt >= SeriesRefresh))
                    Enqueue(series);
                else if (isOver && !series.IsQueued)
                    over.Add(series);
            }

            foreach (var series in over)
                _series.Remove(series.Key);
            if (_series.Count > 0)
                return;
            _sweeper?.Dispose();
            _sweeper = null;
        }
    }

    private void Drop(EventSeries series)
    {
        Interlocked.Increment(ref _dropped);
        lock (_lock)
            _series.Remove(series.Key);
    }

    /// <summary>Of a namespace that is being deleted. Its servers may have gone first, so that nobody else knows of it.</summary>
    private void DropAll(string ns)
    {
        lock (_lock)
        {
            foreach (var series in _series.Values.Where(series => series.EventKey.Namespace == ns).ToList())
                Drop(series);
            var others = _queue.Where(series => series.EventKey.Namespace != ns).ToList();
            _queue.Clear();
            others.ForEach(_queue.Enqueue);
        }
    }

    private void Fail(string message)
    {
        lock (_lock)
        {
            var level = _isFailing ? LogLevel.Debug : LogLevel.Warning;
            _isFailing = true;
            Log.EventNotWritten(logger, level, message);
        }
    }

    /// <summary>A suffix as client-go makes it, which no other event of the object has.</summary>
    private string NextName(DateTimeOffset now) =>
        (((now - DateTimeOffset.UnixEpoch).Ticks * 100) + _names++).ToString("x", CultureInfo.InvariantCulture);
}
