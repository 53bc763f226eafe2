using System.Globalization;

namespace McpOperator.Hosting;

/// <summary>Reads booleans and numbers of flags and variables. Null when the text is none.</summary>
internal static class Values
{
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
}
