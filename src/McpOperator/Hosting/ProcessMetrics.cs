using System.Buffers.Text;

namespace McpOperator.Hosting;

/// <summary>
/// The metrics that dashboards expect of any process. They are read from the kernel and the garbage collector at each scrape;
/// nothing runs in between.
/// </summary>
internal sealed class ProcessMetrics(DateTimeOffset startTime)
{
    public void Write(PrometheusWriter metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        metrics.Counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
        metrics.Sample(Environment.CpuUsage.TotalTime.TotalSeconds);
        metrics.Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
        metrics.Sample(startTime.ToUnixTimeMilliseconds() / 1000.0);
        WriteKernels(metrics);

        // The names of prometheus-net, which existing dashboards for .NET use.
        metrics.Gauge("dotnet_total_memory_bytes", "Bytes on the managed heap, garbage included.");
        metrics.Sample(GC.GetTotalMemory(false));
        metrics.Counter("dotnet_collection_count_total", "Garbage collections, by generation.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            // The runtime counts a collection of a generation for each younger generation as well.
            var older = generation < GC.MaxGeneration ? GC.CollectionCount(generation + 1) : 0;
            metrics.Sample(GC.CollectionCount(generation) - older, ("generation", Generations[generation]));
        }
    }

    private static readonly string[] Generations = ["0", "1", "2"];

    // /proc/self/statm has total and resident size, in pages. On other systems than Linux there are no such samples.
    private static void WriteKernels(PrometheusWriter metrics)
    {
        try
        {
            Span<byte> text = stackalloc byte[128];
            using (var file = File.OpenHandle("/proc/self/statm"))
                text = text[..RandomAccess.Read(file, text, 0)];
            if (!Utf8Parser.TryParse(text, out long size, out var used) ||
                !Utf8Parser.TryParse(text[(used + 1)..], out long resident, out _))
                return;
            metrics.Gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
            metrics.Sample(resident * Environment.SystemPageSize);
            metrics.Gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
            metrics.Sample(size * Environment.SystemPageSize);

            // Without the one that reads the directory.
            var open = Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() - 1;
            metrics.Gauge("process_open_fds", "Number of open file descriptors.");
            metrics.Sample(open);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not on Linux, or not allowed: these metrics are left out.
        }
    }
}
