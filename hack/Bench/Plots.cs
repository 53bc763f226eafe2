using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace McpOperator.Bench;

/// <summary>The figures that depend on the number of servers, drawn over it.</summary>
internal static class Plots
{
    /// <summary>SVG by file name.</summary>
    public static IEnumerable<(string File, string Svg)> Of(BenchResult result)
    {
        yield return ("memory.svg", Draw(
            "Memory", "MB", result, isLogarithmic: false,
            ("RSS, converged", size => size.Converged!.Rss / 1e6),
            ("private, converged", size => size.Converged!.Private / 1e6),
            ("RSS, restarted", size => size.Restart!.Memory.Rss / 1e6),
            ("RSS, idle", size => size.Idle!.Memory.Rss / 1e6)));
        yield return ("converge.svg", Draw(
            "All servers converged", "seconds", result, isLogarithmic: true,
            ("operator, from its start", size => Figures.Median(size, round => round.ConvergeSeconds)),
            ("limit: the same writes, sent bare", size => Figures.Median(size, round => round.LimitSeconds))));
        yield return ("cpu.svg", Draw(
            "CPU time of the operator, each server", "milliseconds", result, isLogarithmic: false,
            ("to converge, without starting", size => size.Servers < 100 ? null : Figures.CpuEach(size)),
            ("one more", size => size.OneMore?.CpuMillisecondsEach)));
        yield return ("requests.svg", Draw(
            "Requests of the operator, each server", "requests", result, isLogarithmic: false,
            ("writes, cold", size => (double)size.Cold!.Writes / size.Servers),
            ("cached reads, cold", size => (double)size.Cold!.CachedReads / size.Servers),
            ("writes, Deployment gets ready", size => (double)size.Ready!.AfterRollOut.Writes / size.Servers),
            ("all, restart", size => (double)size.Restart!.Requests.Total / size.Servers)));
    }

    private static string Draw(
        string title, string unit, BenchResult result, bool isLogarithmic, params IReadOnlyList<(string Name, Func<SizeResult, double?> Value)> lines)
    {
        var model = new PlotModel { Title = title, TitleFontSize = 15, DefaultFont = "sans-serif", Background = OxyColors.White };
        model.Axes.Add(new LogarithmicAxis { Position = AxisPosition.Bottom, Title = "MCPServers", MajorGridlineStyle = LineStyle.Dot, AbsoluteMinimum = 0.8 });
        model.Axes.Add(isLogarithmic
            ? new LogarithmicAxis { Position = AxisPosition.Left, Title = unit, MajorGridlineStyle = LineStyle.Dot }
            : new LinearAxis { Position = AxisPosition.Left, Title = unit, Minimum = 0, MajorGridlineStyle = LineStyle.Dot, MaximumPadding = 0.1 });
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.TopLeft });
        foreach (var (name, value) in lines)
        {
            var series = new LineSeries { Title = name, MarkerType = MarkerType.Circle };
            series.Points.AddRange(result.Sizes.Where(size => value(size) is not null).Select(size => new DataPoint(size.Servers, value(size)!.Value)));
            model.Series.Add(series);
        }
        return new SvgExporter { Width = 720, Height = 420 }.ExportToString(model);
    }
}
