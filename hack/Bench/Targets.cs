namespace McpOperator.Bench;

/// <summary>One line of what the operator has promised.</summary>
internal sealed record Target(string Figure, string Measured, string AtMost, bool IsMet);

/// <summary>The figures that the project promises on two cores, beside what was measured. Megabytes are millions of bytes.</summary>
internal static class Targets
{
    private const double FlatMegabytes = 0.5;

    /// <summary>Those that the run has measured.</summary>
    public static IEnumerable<Target> Of(BenchResult result)
    {
        yield return AtMost("static binary", result.Machine.BinaryBytes / 1e6, 15, "MB");
        yield return AtMost("start to first apply (median)", Statistics.Median(result.Start.FirstApplySeconds), 0.15, "s", "0.000");
        if (result.Sizes.Count > 0)
            yield return Resident("idle", [.. result.Sizes.Select(size => size.Idle!.Memory)], 18, 8);
        foreach (var (servers, rss, @private) in new[] { (1000, 28, 18), (5000, 64, 54) })
            if (result.Sizes.FirstOrDefault(size => size.Servers == servers) is { } size)
                yield return Resident($"{servers:N0} servers", [size.Converged!, size.Steady!.End], rss, @private);
        foreach (var bound in result.MemoryBounds)
            yield return new(
                $"{bound.What} converge in {bound.Limit >> 20} MiB ({bound.How})",
                $"{bound.PeakUsage / 1048576.0:0.0} MiB, {bound.OutOfMemoryKills} kills", "no kill", bound.Held);
        foreach (var size in result.Sizes.Where(size => size.Servers >= 100))
            foreach (var target in OfSize(size))
                yield return target;
        if (result.Edit is { } edit)
            yield return AtMost(
                $"a user's edit while {edit.Servers:N0} servers converge", edit.EditSeconds.Concat(edit.NewSeconds).Max(), 1, "s", "0.00");
        var grown = result.Sizes.Where(size => size.OneMore is not null).ToList();
        if (grown.Count < 2)
            yield break;
        var (few, many) = (grown[0], grown[^1]);
        yield return AtMost(
            $"one more at {many.Servers:N0} against {few.Servers:N0}, requests",
            many.OneMore!.RequestsEach / few.OneMore!.RequestsEach, 1.01, "×", "0.00");
        yield return AtMost(
            $"one more at {many.Servers:N0} against {few.Servers:N0}, CPU",
            many.OneMore.CpuMillisecondsEach / few.OneMore.CpuMillisecondsEach, 1.5, "×", "0.00");
    }

    private static IEnumerable<Target> OfSize(SizeResult size)
    {
        var servers = $"{size.Servers:N0} servers";
        if (size.Servers == 1000)
            yield return AtMost($"{servers}: converge against the limit (median)", Figures.Median(size, round => round.Ratio), 1.3, "×", "0.00");
        yield return AtMost($"{servers}: cold, writes each", (double)size.Cold!.Writes / size.Servers, 5.1, "", "0.00");
        yield return AtMost($"{servers}: cold, cached reads each", (double)size.Cold.CachedReads / size.Servers, 1.1, "", "0.00");
        yield return AtMost($"{servers}: to Ready, writes each", (double)size.Ready!.AfterRollOut.Writes / size.Servers, 1.1, "", "0.00");
        yield return AtMost($"{servers}: restart, writes", size.Restart!.Requests.Writes, 0, "");
        yield return AtMost($"{servers}: restart, requests", size.Restart.Requests.Total, 20, "");
        yield return AtMost($"{servers}: steady for {size.Steady!.Seconds:0} s, writes", size.Steady.Requests.Writes, 0, "");
        yield return AtMost($"{servers}: steady, CPU of a core", size.Steady.CpuPercent, 0.2, "%", "0.000");
        yield return AtMost(
            $"{servers}: steady, private memory gained",
            (size.Steady.End.Private - size.Steady.Start.Private) / 1e6, FlatMegabytes, "MB", "0.00");
    }

    private static Target AtMost(string figure, double measured, double atMost, string unit, string format = "0.##") =>
        new(figure, $"{measured.ToString(format, null)} {unit}".Trim(), $"{atMost:0.##} {unit}".Trim(), measured <= atMost);

    /// <summary>The worst of several looks, each of the two numbers on its own.</summary>
    private static Target Resident(string when, IReadOnlyList<Memory> seen, double rss, double @private)
    {
        var (worstRss, worstPrivate) = (seen.Max(memory => memory.Rss) / 1e6, seen.Max(memory => memory.Private) / 1e6);
        return new(
            $"RSS (private), {when}", $"{worstRss:0.0} ({worstPrivate:0.0}) MB", $"{rss} ({@private}) MB",
            worstRss <= rss && worstPrivate <= @private);
    }
}
