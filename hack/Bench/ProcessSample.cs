using System.Globalization;

namespace McpOperator.Bench;

/// <summary>What /proc says of a process.</summary>
/// <param name="CpuSeconds">User and system time of all its threads since its start, to a hundredth.</param>
/// <param name="Rss">VmRSS in bytes: with the pages of the binary, which its other instances share.</param>
/// <param name="Private">RssAnon in bytes.</param>
/// <param name="Peak">VmHWM in bytes: the most that VmRSS ever was.</param>
internal sealed record ProcessSample(double CpuSeconds, long Rss, long Private, long Peak)
{
    public static ProcessSample Of(int id) =>
        Parse(File.ReadAllText($"/proc/{id}/stat"), File.ReadAllLines($"/proc/{id}/status"));

    internal static ProcessSample Parse(string stat, IReadOnlyList<string> status)
    {
        // The second field is the name in parentheses, and may hold spaces and parentheses itself.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return new(
            // utime and stime, fields 14 and 15 of proc(5), in USER_HZ, which is 100 on every architecture that .NET runs on.
            (Number(fields[11]) + Number(fields[12])) / 100.0,
            Bytes("VmRSS"), Bytes("RssAnon"), Bytes("VmHWM"));

        // VmRSS:	   21000 kB
        long Bytes(string name) => 1024 * Number(
            status.First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split(':', ' ')[^2]);
    }

    private static long Number(string text) => long.Parse(text.AsSpan().Trim(), CultureInfo.InvariantCulture);
}
