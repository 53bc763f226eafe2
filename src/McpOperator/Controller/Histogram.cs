namespace McpOperator.Controller;

/// <summary>
/// Durations, counted in buckets with fixed bounds. Safe for any number of threads, and without allocations. Buckets and sum that
/// are read during an observation may differ by that one, which a rate over minutes does not show.
/// </summary>
/// <param name="bounds">Upper bounds in seconds, ascending. What is above the last one counts for +Inf.</param>
internal sealed class Histogram(params double[] bounds)
{
    private readonly long[] _counts = new long[bounds.Length + 1];
    private long _ticks;

    public ReadOnlySpan<double> Bounds => bounds;

    /// <summary>Observations of each bucket alone (not cumulative). The last bucket is that of +Inf.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>Seconds of all observations together.</summary>
    public double Sum => TimeSpan.FromTicks(Interlocked.Read(ref _ticks)).TotalSeconds;

    public void Observe(TimeSpan duration)
    {
        var seconds = duration.TotalSeconds;
        var bucket = 0;
        while (bucket < bounds.Length && seconds > bounds[bucket])
            bucket++;
        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _ticks, duration.Ticks);
    }

    /// <summary>With controller-runtime's bounds for both durations of a queue (pkg/metrics/workqueue.go).</summary>
    internal static Histogram OfQueue() => new(1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000);

    /// <summary>With controller-runtime's bounds for reconciles (pkg/internal/controller/metrics/metrics.go).</summary>
    internal static Histogram OfReconciles() => new(
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75,
        2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60);
}
