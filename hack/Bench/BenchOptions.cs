using System.Globalization;

namespace McpOperator.Bench;

/// <param name="Servers">The sizes, ascending.</param>
/// <param name="Steady">How long nothing happens, at the main size.</param>
/// <param name="Storm">How long ten edits a second last.</param>
/// <param name="OnlyLarge">Nothing but <see cref="MemoryBound.LargeAsync"/>.</param>
/// <param name="OnlyReadiness">Nothing but <see cref="Readiness"/>.</param>
/// <param name="Output">Where results go; null: docs/bench after the full set, else nowhere.</param>
internal sealed record BenchOptions(IReadOnlyList<int> Servers, TimeSpan Steady, TimeSpan Storm, string? Output, bool OnlyLarge = false, bool OnlyReadiness = false)
{
    public const string Usage = """
        usage: Bench [--servers 1,100,1000,5000] [--steady 10m] [--storm 60s] [--only large|readiness] [--output DIRECTORY]
          --servers  how many MCPServers there are; one measurement for each number
          --steady   how long nothing happens with 1,000 servers (or the most, where that is not among them); a tenth of it else
          --storm    how long ten edits a second last
          --only     large: nothing but few servers with large specs in a small container; readiness: nothing but the servers (the most) with
                     readiness mcp being asked, for the time of --steady
          --output   writes results.json, the plots and README.md there; the default is docs/bench after a full run, and
                     nowhere after any other
        """;

    private static readonly BenchOptions Full = new([1, 100, 1000, 5000], TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(60), null);

    /// <summary>The size at which everything is measured that is measured once.</summary>
    public int Main => Servers.Contains(1000) ? 1000 : Servers.Max();

    public bool IsFull => this with { Servers = Full.Servers, Output = null } == Full && Servers.SequenceEqual(Full.Servers);

    public TimeSpan SteadyOf(int servers) => servers == Main ? Steady : Steady / 10;

    /// <summary>A median where it says something and is cheap.</summary>
    public static int RoundsOf(int servers) => servers is >= 100 and <= 1000 ? 3 : 1;

    /// <summary>Null when an argument cannot be read.</summary>
    public static BenchOptions? Parse(IReadOnlyList<string> arguments)
    {
        var options = Full;
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            BenchOptions? next = arguments[i] switch
            {
                "--servers" when Numbers(value) is { Count: > 0 } sizes => options with { Servers = sizes },
                "--steady" when Time(value) is { } time => options with { Steady = time },
                "--storm" when Time(value) is { } time => options with { Storm = time },
                "--only" when value == "large" => options with { OnlyLarge = true },
                "--only" when value == "readiness" => options with { OnlyReadiness = true },
                "--output" when value.Length > 0 => options with { Output = value },
                _ => null,
            };
            if (next is null)
                return null;
            options = next;
        }
        return options;
    }

    private static List<int>? Numbers(string text)
    {
        var numbers = new List<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
                return null;
            numbers.Add(number);
        }
        return [.. numbers.Distinct().Order()];
    }

    private static TimeSpan? Time(string text)
    {
        if (text.Length < 2
            || !double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number == 0)
            return null;
        return text[^1] switch { 's' => TimeSpan.FromSeconds(number), 'm' => TimeSpan.FromMinutes(number), _ => null };
    }
}
