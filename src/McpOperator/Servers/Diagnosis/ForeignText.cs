using System.Globalization;
using System.Text;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Text of others (a registry, a kubelet, a container) for a status: one line, printable, and not long.</summary>
internal static class ForeignText
{
    private const int Longest = 300;

    /// <summary>A query may take most of it.</summary>
    private const int MostRead = 4096;

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
            if (clean.Length > MostRead)
                break;
        }

        var line = WithoutCredentials(clean).ToString();
        return line.Length > Longest ? $"{line[..Longest].TrimEnd()}…" : line.TrimEnd(' ', '.');
    }

    /// <summary>A URL keeps neither its user and password nor its query: registries sign their links with it.</summary>
    private static StringBuilder WithoutCredentials(StringBuilder text)
    {
        const string Scheme = "://";
        for (var at = 0; at + Scheme.Length <= text.Length; at++)
        {
            if (text[at] != ':' || text[at + 1] != '/' || text[at + 2] != '/')
                continue;
            var (begin, end) = (at + Scheme.Length, at + Scheme.Length);
            while (end < text.Length && text[end] is not (' ' or '"' or '\'' or '<' or '>'))
                end++;
            var url = text.ToString(begin, end - begin);
            if (url.IndexOf('?', StringComparison.Ordinal) is var query and >= 0)
                url = url[..query] + "?…";
            if (url.IndexOf('@', StringComparison.Ordinal) is var user and >= 0 && url.IndexOf('/', StringComparison.Ordinal) is var path && (path < 0 || user < path))
                url = "…" + url[user..];
            text.Remove(begin, end - begin).Insert(begin, url);
            at = begin + url.Length - 1;
        }

        return text;
    }
}
