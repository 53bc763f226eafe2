namespace McpOperator.Bench;

/// <summary>The results as tables.</summary>
internal static class Figures
{
    public static Table OfTargets(BenchResult result)
    {
        var table = new Table("figure", "measured", "at most", "");
        foreach (var target in Targets.Of(result))
            table.Add(target.Figure, target.Measured, target.AtMost, target.IsMet ? "ok" : "OVER");
        return table;
    }

    public static Table BySize(BenchResult result)
    {
        var table = new Table(["servers", .. result.Sizes.Select(size => $"{size.Servers:N0}")]);
        void Row(string figure, Func<SizeResult, string> cell) => table.Add([figure, .. result.Sizes.Select(cell)]);

        Row("start to first apply", size => $"{Median(size, round => round.FirstApplySeconds):0.000} s");
        Row("start to converged", size => $"{Median(size, round => round.ConvergeSeconds):0.00} s");
        Row("the limit for the same writes", size => $"{Median(size, round => round.LimitSeconds):0.00} s");
        Row("converged against the limit", size => $"{Median(size, round => round.Ratio):0.00} ×");
        Row("rounds", size => $"{size.Rounds.Count}");
        Row("CPU until converged", size => $"{Median(size, round => round.CpuSeconds):0.00} s");
        Row("CPU of the API server and etcd meanwhile", size => $"{Median(size, round => round.ControlPlaneCpuSeconds):0.00} s");
        Row("the same for the limit", size => $"{Median(size, round => round.LimitControlPlaneCpuSeconds):0.00} s");
        Row("CPU each, without starting", size => size.Servers < 100 ? "" : $"{CpuEach(size):0.00} ms");
        Row("RSS (private), idle", size => Megabytes(size.Idle!.Memory));
        Row("RSS (private), converged", size => Megabytes(size.Converged!));
        Row("RSS (private), all Ready", size => Megabytes(size.Ready!.Memory));
        Row("RSS (private), after the steady time", size => Megabytes(size.Steady!.End));
        Row("RSS (private), restarted", size => Megabytes(size.Restart!.Memory));
        Row("peak RSS", size => $"{size.Steady!.End.Peak / 1e6:0.0} MB");
        Row("private memory for each more than in the column before", size => Slope(result.Sizes, size));
        Row("last Deployment ready to last server Ready", size => $"{size.Ready!.LagSeconds:0.00} s");
        Row("steady: time", size => $"{size.Steady!.Seconds:0} s");
        Row("steady: requests (writes)", size => $"{size.Steady!.Requests.Total} ({size.Steady.Requests.Writes})");
        Row("steady: CPU of a core", size => $"{size.Steady!.CpuPercent:0.000} %");
        Row("restart: start to synced", size => $"{size.Restart!.SyncedSeconds:0.000} s");
        Row("restart: CPU", size => $"{size.Restart!.CpuSeconds:0.00} s");
        Row("drift: objects edited", size => $"{size.Drift!.Objects}");
        Row("drift: put right, median", size => $"{size.Drift!.MedianRepairSeconds:0.000} s");
        Row("drift: put right, slowest", size => $"{size.Drift!.MaxRepairSeconds:0.000} s");
        Row("one more: requests each", size => size.OneMore is { } more ? $"{more.RequestsEach:0.00}" : "");
        Row("one more: CPU each", size => size.OneMore is { } more ? $"{more.CpuMillisecondsEach:0.00} ms" : "");
        return table;
    }

    /// <summary>Requests by verb and resource, for each of the sizes.</summary>
    public static Table Requests(BenchResult result)
    {
        var table = new Table(["request", .. result.Sizes.Select(size => $"{size.Servers:N0}")]);
        Section("cold", size => size.Cold!);
        Section("Ingresses get addresses", size => size.Ready!.AfterAddress);
        Section("Deployments get ready", size => size.Ready!.AfterRollOut);
        Section("restart", size => size.Restart!.Requests);
        Section("drift of 5 %", size => size.Drift!.Requests);
        return table;

        void Section(string phase, Func<SizeResult, Tally> tally)
        {
            foreach (var kind in result.Sizes.SelectMany(size => tally(size).ByKind.Keys).Distinct().Order(StringComparer.Ordinal))
                table.Add([$"{phase}: {kind}", .. result.Sizes.Select(size => $"{tally(size).ByKind.GetValueOrDefault(kind):N0}")]);
            table.Add([$"{phase}: refused", .. result.Sizes.Select(size => $"{tally(size).Refused:N0}")]);
        }
    }

    /// <summary>What is measured at one size only.</summary>
    public static Table Once(BenchResult result)
    {
        var table = new Table("figure", "measured");
        if (result.Sweep is { } sweep)
        {
            foreach (var (inFlight, writes) in sweep.WritesPerSecond)
                table.Add($"the API server's limit with {inFlight} servers in flight", $"{writes:0} writes/s");
            var main = result.Sizes.First(size => size.Storm is not null);
            var best = main.Servers * result.Recorded.Writes / sweep.WritesPerSecond.Values.Max();
            table.Add($"{main.Servers:N0} servers converged against the best of these", $"{Median(main, round => round.ConvergeSeconds) / best:0.00} ×");
        }
        if (result.Sizes.FirstOrDefault(size => size.Storm is not null) is { Storm: { } storm } stormy)
        {
            var where = $"{storm.Edits} edits in {storm.Seconds:0} s on {stormy.Servers:N0} servers";
            foreach (var (kind, count) in storm.Requests.ByKind)
                table.Add($"{where}: {kind}", $"{count}");
            table.Add($"{where}: CPU", $"{storm.CpuSeconds:0.00} s, {1000 * storm.CpuSeconds / storm.Edits:0.00} ms each");
            table.Add($"{where}: last edit to last write", $"{storm.LagSeconds:0.000} s");
            table.Add($"{where}: RSS (private) afterwards", Megabytes(storm.Memory));
        }
        if (result.Edit is { } edit)
        {
            var when = $"while {edit.ConvergedBefore:N0} to {edit.ConvergedAfter:N0} of {edit.Servers:N0} servers had converged";
            table.Add($"an edit applied, {when}", Spread(edit.EditSeconds));
            table.Add($"a new server applied, {when}", Spread(edit.NewSeconds));
        }
        foreach (var bound in result.MemoryBounds)
        {
            var where = $"{bound.What} in {bound.Limit >> 20} MiB ({bound.How})";
            table.Add($"{where}: most used", $"{bound.PeakUsage / 1048576.0:0.0} MiB");
            table.Add($"{where}: at the limit", $"{bound.Reclaims} times");
            table.Add($"{where}: killed", $"{bound.OutOfMemoryKills} times");
            table.Add($"{where}: start to converged", bound.ConvergeSeconds is { } seconds ? $"{seconds:0.00} s" : "never");
        }
        return table;
    }

    public static double Median(SizeResult size, Func<ConvergeRound, double> of) => Statistics.Median(size.Rounds.Select(of));

    public static double CpuEach(SizeResult size) =>
        1000 * Math.Max(0, Median(size, round => round.CpuSeconds) - size.Idle!.CpuSeconds) / size.Servers;

    private static string Spread(IReadOnlyList<double> seconds) =>
        $"median {Statistics.Median(seconds):0.00} s, slowest {seconds.Max():0.00} s, of {seconds.Count}";

    private static string Slope(IReadOnlyList<SizeResult> sizes, SizeResult size)
    {
        if (sizes.LastOrDefault(other => other.Servers < size.Servers) is not { } smaller)
            return "";
        var bytes = (double)(size.Converged!.Private - smaller.Converged!.Private) / (size.Servers - smaller.Servers);
        return $"{bytes / 1e3:0.0} kB";
    }

    private static string Megabytes(Memory memory) => $"{memory.Rss / 1e6:0.0} ({memory.Private / 1e6:0.0}) MB";
}
