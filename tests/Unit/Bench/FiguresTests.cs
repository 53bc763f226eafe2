using McpOperator.Bench;

namespace McpOperator.Unit.Bench;

public sealed class FiguresTests
{
    private static readonly DateTimeOffset Then = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(new[] { 3.0 }, 3)]
    [InlineData(new[] { 9.0, 1.0, 2.0 }, 2)]
    [InlineData(new[] { 4.0, 1.0, 2.0, 9.0 }, 3)]
    public void Median(double[] values, double expected) => Assert.Equal(expected, Statistics.Median(values));

    [Fact]
    public void TheMedianOfNothingIsAMistake() => Assert.Throws<ArgumentException>(() => Statistics.Median([]));

    [Fact]
    public void ATallyTellsWritesCachedReadsAndRefusalsApart()
    {
        var tally = Tally.Of(
        [
            Request("list services", 200), Request("watch services", 0),
            Request("get(cached) services", 404), Request("get(cached) services", 200), Request("get services", 403),
            Request("patch services", 200, isWrite: true), Request("patch services", 409, isWrite: true),
            Request("patch deployments", 404, isWrite: true),
        ]);

        Assert.Equal((8, 3, 2, 3), (tally.Total, tally.Writes, tally.CachedReads, tally.Refused));
        Assert.Equal(2, tally.ByKind["patch services"]);
    }

    [Fact]
    public void ATableIsAlignedMarkdown()
    {
        var table = new Table("figure", "measured");
        table.Add("RSS", "1.5 MB");

        Assert.Equal("| figure | measured |\n|--------|----------|\n| RSS    | 1.5 MB   |\n", table.ToString());
        Assert.Throws<ArgumentException>(() => table.Add("RSS"));
    }

    [Fact]
    public void AProcessIsReadWhateverItsNameIs()
    {
        // proc(5): utime and stime are the 14th and 15th field.
        var sample = ProcessSample.Parse(
            "4711 (a ) b) S 1 4711 4711 0 -1 4194560 2105 0 0 0 250 31 0 0 20 0 9 0 123 1000 500 18446744073709551615\n",
            ["Name:\ta ) b", "VmHWM:\t   22176 kB", "VmRSS:\t   21000 kB", "RssAnon:\t    8000 kB", "RssFile:\t   13000 kB"]);

        Assert.Equal(new ProcessSample(2.81, 21000 * 1024, 8000 * 1024, 22176 * 1024), sample);
    }

    private static Request Request(string what, int code, bool isWrite = false) =>
        new("operator", what, "ns/web", isWrite, code, Then, Then);
}
