using System.Globalization;

namespace McpOperator.Kubernetes;

/// <summary>metav1.Time: RFC 3339, UTC, whole seconds; and metav1.MicroTime, to the microsecond.</summary>
internal static class KubernetesTime
{
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>metav1.MicroTime. API servers refuse it with more or fewer than six digits.</summary>
    public static string FormatMicro(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>
    /// Reads what Go's time.Parse(time.RFC3339) reads: date, time and zone. A fraction of a second is cut off, as metav1.Time
    /// does when it is written.
    /// </summary>
    public static bool TryParse(string? text, out DateTimeOffset time)
    {
        time = default;
        if (text is null || text.Length < "2026-01-02T03:04:05Z".Length)
            return false;
        var seconds = text.AsSpan(0, "2026-01-02T03:04:05".Length);
        var zone = text.AsSpan(seconds.Length);
        if (zone[0] == '.')
        {
            var digits = zone[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits < 1)
                return false;
            zone = zone[(digits + 1)..];
        }

        // "zzz" alone would accept "+2:00" as well.
        if (zone is "Z")
            zone = "+00:00";
        return zone.Length == "+00:00".Length && DateTimeOffset.TryParseExact(
            string.Concat(seconds, zone), "yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out time);
    }
}
