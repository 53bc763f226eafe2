using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace McpOperator.Bench;

/// <summary>The figures that depend on the number of servers, drawn over it.</summary>
internal static class Plots
{
    private static readonly SvgExporter Svg = new()
    {
        Width = 720,
        Height = 420,
        UseVerticalTextAlignmentWorkaround = true,
        TextMeasurer = new WideText(),
    };

    /// <summary>SVG by file name.</summary>
    public static IEnumerable<(string File, string Svg)> Of(BenchResult result)
    {
        var sizes = result.Sizes;
        yield return ("memory.svg", Draw(
            "Memory", Linear("MB"),
            Line(sizes, "RSS, converged", size => size.Converged!.Rss / 1e6),
            Line(sizes, "private, converged", size => size.Converged!.Private / 1e6),
            Line(sizes, "RSS, restarted", size => size.Restart!.Memory.Rss / 1e6),
            Line(sizes, "RSS, idle", size => size.Idle!.Memory.Rss / 1e6)));
        yield return ("converge.svg", Draw(
            "All servers converged", Logarithmic("seconds"),
            Line(sizes, "operator, from its start", size => Figures.Median(size, round => round.ConvergeSeconds)),
            Line(sizes, "limit: the same writes, sent bare", size => Figures.Median(size, round => round.LimitSeconds))));
        yield return ("cpu.svg", Draw(
            "CPU time of the operator, each server", Linear("milliseconds"),
            Line(sizes, "to converge, without starting", size => size.Servers < 100 ? null : Figures.CpuEach(size)),
            Line(sizes, "one more", size => size.OneMore?.CpuMillisecondsEach)));
        yield return ("requests.svg", Draw(
            "Requests of the operator, each server", Linear("requests"),
            Line(sizes, "writes, cold", size => (double)size.Cold!.Writes / size.Servers),
            Line(sizes, "cached reads, cold", size => (double)size.Cold!.CachedReads / size.Servers),
            Line(sizes, "writes, Deployment gets ready", size => (double)size.Ready!.AfterRollOut.Writes / size.Servers),
            Line(sizes, "all, restart", size => (double)size.Restart!.Requests.Total / size.Servers)));
    }

    private static string Draw(string title, Axis vertical, params IEnumerable<LineSeries> lines)
    {
        var model = new PlotModel { Title = title, TitleFontSize = 15, DefaultFont = "sans-serif", Background = OxyColors.White };
        model.Axes.Add(new LogarithmicAxis { Title = "MCPServers", Position = AxisPosition.Bottom, MajorGridlineStyle = LineStyle.Dot });
        model.Axes.Add(vertical);
        model.Legends.Add(new Legend
        {
            LegendPlacement = LegendPlacement.Outside,
            LegendPosition = LegendPosition.BottomCenter,
            LegendOrientation = LegendOrientation.Horizontal,
        });
        foreach (var line in lines)
            model.Series.Add(line);
        return Svg.ExportToString(model);
    }

    private static LinearAxis Linear(string unit) =>
        new() { Title = unit, Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Dot, Minimum = 0, MaximumPadding = 0.1 };

    private static LogarithmicAxis Logarithmic(string unit) =>
        new() { Title = unit, Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Dot };

    private static LineSeries Line(IEnumerable<SizeResult> sizes, string name, Func<SizeResult, double?> value)
    {
        var series = new LineSeries { Title = name, MarkerType = MarkerType.Circle };
        foreach (var size in sizes)
            if (value(size) is { } known)
                series.Points.Add(new(size.Servers, known));
        return series;
    }

    /// <summary>The exporter measures with the narrowest of fonts; a viewer's sans-serif is wider, and would be cut off.</summary>
    private sealed class WideText() : PdfRenderContext(1, 1, OxyColors.White)
    {
        public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight)
        {
            var size = base.MeasureText(text, fontFamily, fontSize, fontWeight);
            return new(size.Width * 1.5, size.Height * 1.4);
        }
    }
}
