using System.Globalization;
using System.Text;

namespace McpOperator.Api;

/// <summary>Collects what is wrong with a spec, and makes a user's text fit to be quoted.</summary>
internal sealed class SpecFaults
{
    private const int MaxQuoted = 60;

    private readonly List<SpecFault> _faults = [];

    public IReadOnlyList<SpecFault> All => _faults;

    public void Add(string field, string reason) => _faults.Add(new SpecFault(field, reason));

    /// <summary>
    /// A user's text in quotes. It ends up in log lines, events and terminals, so a long text is cut, and control characters,
    /// line separators and characters that change the writing direction are escaped.
    /// </summary>
    public static string Quote(string? text) => $"\"{Plain(text)}\"";

    /// <summary>A URL, a registry or an image in quotes, without the user and password that may stand in it.</summary>
    public static string QuoteAddress(string address)
    {
        var at = address.LastIndexOf('@');
        // What follows the @ is a digest and not a host.
        if (at < 0 || address.AsSpan(at + 1).StartsWith("sha"))
            return Quote(address);
        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        var start = scheme < 0 || scheme > at ? 0 : scheme + 3;
        return Quote(string.Concat(address.AsSpan(0, start), "…", address.AsSpan(at)));
    }

    /// <summary>As <see cref="Quote"/>, without the quotes: for a key inside a field's path.</summary>
    public static string Plain(string? text)
    {
        var result = new StringBuilder();
        var length = 0;
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (length++ == MaxQuoted)
                return result.Append('…').ToString();
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                result.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            else
                result.Append(rune);
        }

        return result.ToString();
    }
}
