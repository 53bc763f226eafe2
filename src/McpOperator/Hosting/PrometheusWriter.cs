using System.Buffers;
using System.Globalization;
using System.Text;
using McpOperator.Controller;

namespace McpOperator.Hosting;

/// <summary>
/// Writes the Prometheus text format 0.0.4. A family must be followed by all its samples, so that only one writer may write it.
/// Names must be valid metric names; label values may be any text.
/// </summary>
internal sealed class PrometheusWriter(IBufferWriter<byte> output)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly HashSet<string> _families = new(StringComparer.Ordinal);
    private string _family = "";

    public void Counter(string name, string help) => Family(name, "counter", help);

    public void Gauge(string name, string help) => Family(name, "gauge", help);

    public void Histogram(string name, string help) => Family(name, "histogram", help);

    /// <summary>A sample of the family begun last.</summary>
    public void Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Line("", labels, null, value);

    /// <summary>One histogram of the family begun last.</summary>
    public void Sample(Histogram histogram, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        var bounds = histogram.Bounds;
        var counts = histogram.Counts;
        long total = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            Line("_bucket", labels, i < bounds.Length ? Number(bounds[i]) : "+Inf", total);
        }
        Line("_sum", labels, null, histogram.Sum);
        Line("_count", labels, null, total);
    }

    private void Family(string name, string type, string help)
    {
        _family = name;
        if (!_families.Add(name))
            return;
        Write("# HELP ");
        Write(name);
        Write(" ");
        WriteEscaped(help, quotes: false);
        Write("\n# TYPE ");
        Write(name);
        Write(" ");
        Write(type);
        Write("\n");
    }

    private void Line(string suffix, ReadOnlySpan<(string Name, string Value)> labels, string? le, double value)
    {
        Write(_family);
        Write(suffix);
        var separator = "{";
        foreach (var (name, text) in labels)
        {
            Label(name, text, separator);
            separator = ",";
        }
        if (le is not null)
        {
            Label("le", le, separator);
            separator = ",";
        }
        if (separator == ",")
            Write("}");
        Write(" ");
        Write(Number(value));
        Write("\n");
    }

    private void Label(string name, string text, string separator)
    {
        Write(separator);
        Write(name);
        Write("=\"");
        WriteEscaped(text, quotes: true);
        Write("\"");
    }

    // As Go writes it, so that the bounds of buckets are the same text as those of other controllers.
    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString(CultureInfo.InvariantCulture).Replace('E', 'e');

    private void WriteEscaped(string text, bool quotes)
    {
        if (text.AsSpan().IndexOfAny('\\', '\n', '"') >= 0)
        {
            text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            if (quotes)
                text = text.Replace("\"", "\\\"", StringComparison.Ordinal);
        }
        Write(text);
    }

    private void Write(string text)
    {
        var span = output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        output.Advance(Encoding.UTF8.GetBytes(text, span));
    }
}
