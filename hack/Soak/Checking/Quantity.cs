using System.Globalization;

namespace McpOperator.Soak.Checking;

/// <summary>An amount of CPU or memory as a number, so that 0.5 is 500m. Of the notations, those that a run uses.</summary>
internal static class Quantity
{
    private static readonly (string Suffix, decimal Factor)[] Suffixes =
        [("Ki", 1024), ("Mi", 1 << 20), ("Gi", 1 << 30), ("m", 0.001m), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000)];

    public static decimal Of(string text)
    {
        foreach (var (suffix, factor) in Suffixes)
            if (text.EndsWith(suffix, StringComparison.Ordinal))
                return factor * Number(text[..^suffix.Length]);
        return Number(text);
    }

    private static decimal Number(string text) => decimal.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
}
