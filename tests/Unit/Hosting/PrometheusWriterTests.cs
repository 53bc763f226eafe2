using System.Text;
using McpOperator.Controller;
using McpOperator.Hosting;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Hosting;

public sealed class PrometheusWriterTests
{
    private static string Written(Action<PrometheusWriter> write)
    {
        using var buffer = new PooledBuffer();
        write(new PrometheusWriter(buffer));
        return Encoding.UTF8.GetString(buffer.Written.Span);
    }

    [Fact]
    public void AFamilyIsDescribedOnceAndThenItsSamplesFollow() => Assert.Equal(
        "# HELP a_total What it counts.\n# TYPE a_total counter\na_total 1\na_total{result=\"error\",x=\"y\"} 2.5\na_total 3\n",
        Written(m =>
        {
            m.Counter("a_total", "What it counts.");
            m.Sample(1);
            m.Sample(2.5, ("result", "error"), ("x", "y"));
            m.Counter("a_total", "What it counts.");
            m.Sample(3);
        }));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\"b", "a\\\"b")]
    [InlineData("a\\b", "a\\\\b")]
    [InlineData("a\nb", "a\\nb")]
    [InlineData("日本", "日本")]
    public void LabelValuesAreEscaped(string value, string expected) => Assert.EndsWith(
        $"g{{l=\"{expected}\"}} 0\n", Written(m =>
        {
            m.Gauge("g", "");
            m.Sample(0, ("l", value));
        }), StringComparison.Ordinal);

    [Fact]
    public void HelpKeepsItsQuotesAndStaysOnOneLine() => Assert.StartsWith(
        "# HELP g a \"b\" \\\\ \\n c\n", Written(m => m.Gauge("g", "a \"b\" \\ \n c")), StringComparison.Ordinal);

    [Theory]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(0.005, "0.005")]
    [InlineData(1234567890123, "1234567890123")]
    public void NumbersAreWhatGoReads(double value, string expected) => Assert.EndsWith(
        $"\ng {expected}\n", Written(m =>
        {
            m.Gauge("g", "");
            m.Sample(value);
        }), StringComparison.Ordinal);

    [Fact]
    public void AHistogramIsCumulative() => Assert.EndsWith(
        "h_bucket{c=\"x\",le=\"1e-08\"} 2\nh_bucket{c=\"x\",le=\"0.1\"} 4\nh_bucket{c=\"x\",le=\"1\"} 5\nh_bucket{c=\"x\",le=\"+Inf\"} 8\n" +
        "h_sum{c=\"x\"} 9.5\nh_count{c=\"x\"} 8\n", Written(m =>
        {
            var histogram = new Histogram(1e-8, 0.1, 1);
            foreach (var seconds in new[] { 0, 0.05, 0.1, 0.25, 2, 3, 4.1, 0 })
                histogram.Observe(TimeSpan.FromSeconds(seconds));
            m.Histogram("h", "");
            m.Sample(histogram, ("c", "x"));
        }), StringComparison.Ordinal);

    [Fact]
    public void APageLargerThanTheFirstBufferIsWhole()
    {
        var text = Written(m =>
        {
            m.Gauge("g", "");
            for (var i = 0; i < 5000; i++)
                m.Sample(i, ("l", new string('x', 100)));
        });
        Assert.Equal(5002, text.Count(c => c == '\n'));
    }

    [Fact]
    public void TheProcessTellsItsMemoryAndStart()
    {
        var text = Written(new ProcessMetrics(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)).Write);
        Assert.Contains("\nprocess_start_time_seconds 1700000000\n", text, StringComparison.Ordinal);
        Assert.Contains("\nprocess_cpu_seconds_total ", text, StringComparison.Ordinal);
        Assert.Contains("\ndotnet_collection_count_total{generation=\"2\"} ", text, StringComparison.Ordinal);
        if (!OperatingSystem.IsLinux())
            return;
        var resident = text.Split('\n').Single(l => l.StartsWith("process_resident_memory_bytes ", StringComparison.Ordinal));
        Assert.InRange(long.Parse(resident.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), 1 << 20, 1L << 40);
        Assert.Contains("\nprocess_virtual_memory_bytes ", text, StringComparison.Ordinal);
        Assert.Contains("\nprocess_open_fds ", text, StringComparison.Ordinal);
    }
}
