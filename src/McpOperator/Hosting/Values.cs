using System.Globalization;
using McpOperator.Api;

namespace McpOperator.Hosting;

/// <summary>Reads booleans, numbers and durations of flags and variables. Null when the text is none.</summary>
internal static class Values
{
    public const string DurationRule = "a duration such as 15s or 1m30s, above 0 and at most 24h";

    /// <summary>Accepts what Go's strconv.ParseBool does, in upper or lower case, and yes, no, on and off.</summary>
    public static bool? Boolean(string value) => value.ToLowerInvariant() switch
    {
        "true" or "t" or "1" or "yes" or "on" => true,
        "false" or "f" or "0" or "no" or "off" => false,
        _ => null,
    };

    public static int? WholeNumber(string value, int min = 1, int max = int.MaxValue) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) &&
        number >= min && number <= max
            ? number
            : null;

    /// <summary><see cref="DurationRule"/>; timers overflow at 49 days.</summary>
    public static TimeSpan? Duration(string value) =>
        GoDuration.TryParse(value, out var duration) && duration > TimeSpan.Zero && duration <= TimeSpan.FromDays(1)
            ? duration
            : null;
}
