using System.Globalization;
using System.Text;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Text of others (a registry, a kubelet, a container) for a status: one line, printable, and not long.</summary>
internal static class ForeignText
{
    private const int Longest = 300;

    /// <summary>Empty for none.</summary>
    public static string Clean(string? text)
    {
        var clean = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            // Bidirectional overrides are of the category Format.
            var isVisible = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned) && !Rune.IsWhiteSpace(rune);
            if (isVisible)
                clean.Append(rune.ToString());
            else if (clean.Length > 0 && clean[^1] != ' ')
                clean.Append(' ');
            if (clean.Length > Longest)
                return $"{clean.ToString(0, Longest).TrimEnd()}…";
        }

        return clean.ToString().TrimEnd(' ', '.');
    }
}
