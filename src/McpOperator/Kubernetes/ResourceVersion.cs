namespace McpOperator.Kubernetes;

/// <summary>
/// Orders the resource versions of one resource. They are decimal integers that only grow, as the API promises since
/// Kubernetes 1.35 and etcd has always given (apimachinery pkg/util/resourceversion).
/// </summary>
internal static class ResourceVersion
{
    /// <summary>True when both are decimal integers and <paramref name="left"/> is the later one.</summary>
    public static bool IsNewer(string left, string right) =>
        TryParse(left, out var l) && TryParse(right, out var r) && l > r;

    /// <summary>False for the empty string, "0" (which means "any") and whatever is no decimal integer.</summary>
    public static bool TryParse(string? value, out ulong version) =>
        ulong.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out version)
        && version > 0;
}
