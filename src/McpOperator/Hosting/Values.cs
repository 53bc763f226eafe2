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

    public const string PodSecurityRule = "restricted, baseline or privileged, also as of a version, such as restricted:v1.28";

    public static PodSecurityStandard? PodSecurity(string value)
    {
        var (name, version) = value.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (value[..colon], value[(colon + 1)..]) : (value, "latest");
        var minor = version == "latest" ? int.MaxValue : version.StartsWith("v1.", StringComparison.Ordinal) ? WholeNumber(version[3..], min: 0) : null;
        return (name.ToLowerInvariant(), minor) switch
        {
            ("restricted", { } since) => new(PodSecurityLevel.Restricted, since),
            ("baseline", { } since) => new(PodSecurityLevel.Baseline, since),
            ("privileged", { } since) => new(PodSecurityLevel.Privileged, since),
            _ => null,
        };
    }

    /// <summary>Labels and their values: <c>a=b,c=d</c>.</summary>
    public static IReadOnlyDictionary<string, string>? Labels(string value)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
        {
            // A value is like a name without a prefix.
            if (part.Split('=', StringSplitOptions.TrimEntries) is not [var label, var text] || !Names.IsQualifiedName(label)
                || !Names.IsQualifiedName(text) || text.Contains('/', StringComparison.Ordinal) || !labels.TryAdd(label, text))
                return null;
        }

        return labels;
    }

    /// <summary><see cref="DurationRule"/>; timers overflow at 49 days.</summary>
    public static TimeSpan? Duration(string value) =>
        GoDuration.TryParse(value, out var duration) && duration > TimeSpan.Zero && duration <= TimeSpan.FromDays(1)
            ? duration
            : null;
}
