using System.Globalization;
using System.Text;

namespace McpOperator.Hosting;

/// <summary>
/// Escapes control characters in text that comes from others, so that it can neither forge a second line of the log nor control
/// the terminal that shows it.
/// </summary>
internal static class Printable
{
    public static string Escape(string text)
    {
        if (!text.Any(IsUnsafe))
            return text;
        var result = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\t' => result.Append("\\t"),
                _ when IsUnsafe(c) => result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => result.Append(c),
            };
        }
        return result.ToString();
    }

    // Some readers end a line at line and paragraph separators. The bidirectional overrides are in Format.
    private static bool IsUnsafe(char c) => c >= 0x7f || c < ' '
        ? char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        : false;
}
