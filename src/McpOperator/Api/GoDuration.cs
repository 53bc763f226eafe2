using System.Buffers;
using System.Globalization;

namespace McpOperator.Api;

/// <summary>Go's notation of a duration, as time.ParseDuration reads it: <c>24h</c>, <c>1h30m</c>, <c>1.5s</c>.</summary>
internal static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    /// <summary>False for what Go refuses, and for negative durations. What is finer than 100 ns is cut off.</summary>
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        var rest = text.AsSpan();
        if (rest.StartsWith("+"))
            rest = rest[1..];
        if (rest is "0")
            return true;
        if (rest.IsEmpty)
            return false;

        var nanoseconds = 0m;
        while (!rest.IsEmpty)
        {
            var length = rest.IndexOfAnyExcept(NumberCharacters);
            // decimal holds 28 digits; more than 18 are not a duration that Go could hold either.
            if (length is < 1 or > 18
                || !decimal.TryParse(rest[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[length..];
            var end = rest.IndexOfAny(NumberCharacters);
            if (end < 0)
                end = rest.Length;
            decimal unit = rest[..end] switch
            {
                "ns" => 1,
                "us" or "µs" or "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => 0,
            };
            if (unit == 0)
                return false;
            nanoseconds += number * unit;
            rest = rest[end..];
        }

        if (nanoseconds > long.MaxValue)
            return false;
        value = TimeSpan.FromTicks((long)(nanoseconds / 100));
        return true;
    }
}
