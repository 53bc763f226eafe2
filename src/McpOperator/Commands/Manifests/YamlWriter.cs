using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// JSON as YAML, in the order that it has, the same bytes for the same JSON, and laid out as kubectl does. Text has quotes exactly
/// where a reader of YAML 1.1 or 1.2 could take it for something else.
/// </summary>
internal static class YamlWriter
{
    /// <summary>Of a key that stands on one line with its value, YAML allows 1024 characters.</summary>
    private const int LongestKey = 1000;

    private static readonly SearchValues<char> OfHexadecimal = SearchValues.Create("0123456789abcdefABCDEF_");
    private static readonly SearchValues<char> OfMantissa = SearchValues.Create("0123456789_.,:");
    private static readonly SearchValues<char> OfExponent = SearchValues.Create("0123456789_");

    /// <summary>One document, ended by a line break, without a <c>---</c> before it.</summary>
    public static string Document(JsonElement value)
    {
        var yaml = new StringBuilder();
        Value(yaml, value, indent: 0, Place.Line);
        return yaml.Append('\n').ToString();
    }

    /// <summary>Where a value begins.</summary>
    private enum Place
    {
        /// <summary>At the beginning of a line, or behind the dash of an item.</summary>
        Line,

        /// <summary>Behind the colon of a key.</summary>
        Key,
    }

    private static void Value(StringBuilder yaml, JsonElement value, int indent, Place place)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when value.EnumerateObject().MoveNext():
                Map(yaml, value, indent, place);
                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                List(yaml, value, place == Place.Key ? indent - 2 : indent, place);
                break;
            default:
                if (place == Place.Key)
                    yaml.Append(' ');
                Scalar(yaml, value, indent);
                break;
        }
    }

    private static void Map(StringBuilder yaml, JsonElement map, int indent, Place place)
    {
        var first = place == Place.Line;
        foreach (var member in map.EnumerateObject())
        {
            if (!first)
                NewLine(yaml, indent);
            first = false;
            var name = member.Name;
            var isLong = name.Length > LongestKey;
            yaml.Append(isLong ? "? " : "");
            // Without quotes a long one might go on in the next line.
            yaml.Append(!isLong && IsPlain(name) ? name : Quoted(name));
            if (isLong)
                NewLine(yaml, indent);
            yaml.Append(':');
            Value(yaml, member.Value, indent + 2, Place.Key);
        }
    }

    private static void List(StringBuilder yaml, JsonElement list, int indent, Place place)
    {
        var first = place == Place.Line;
        foreach (var item in list.EnumerateArray())
        {
            if (!first)
                NewLine(yaml, indent);
            first = false;
            yaml.Append("- ");
            Value(yaml, item, indent + 2, Place.Line);
        }
    }

    private static void Scalar(StringBuilder yaml, JsonElement value, int indent)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                yaml.Append("{}");
                break;
            case JsonValueKind.Array:
                yaml.Append("[]");
                break;
            case JsonValueKind.Number:
                yaml.Append(Number(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value))));
                break;
            case JsonValueKind.String:
                Text(yaml, value.GetString()!, indent);
                break;
            default:
                yaml.Append(value.ValueKind switch { JsonValueKind.True => "true", JsonValueKind.False => "false", _ => "null" });
                break;
        }
    }

    /// <summary>To readers of YAML 1.1, <c>1e3</c> is text: a number with an exponent has a point, and the exponent a sign.</summary>
    private static string Number(string json)
    {
        var e = json.AsSpan().IndexOfAny('e', 'E');
        if (e < 0)
            return json;
        var sign = json[e + 1] is '+' or '-' ? "" : "+";
        var point = json.AsSpan(0, e).Contains('.') ? "" : ".0";
        return $"{json[..e]}{point}e{sign}{json[(e + 1)..]}";
    }

    private static void Text(StringBuilder yaml, string text, int indent)
    {
        if (IsPlain(text))
            yaml.Append(text);
        else if (!IsBlock(text))
            yaml.Append(Quoted(text));
        else
        {
            yaml.Append(text[^1] == '\n' ? "|" : "|-");
            foreach (var line in text.TrimEnd('\n').Split('\n'))
            {
                if (line.Length == 0)
                    yaml.Append('\n');
                else
                    NewLine(yaml, Math.Max(indent, 2)).Append(line);
            }
        }
    }

    private static StringBuilder NewLine(StringBuilder yaml, int indent) => yaml.Append('\n').Append(' ', indent);

    /// <summary>More than one line, each of which is what it looks like: nothing invisible in it, no blanks at its end.</summary>
    private static bool IsBlock(string text)
    {
        if (!text.Contains('\n', StringComparison.Ordinal))
            return false;
        var lines = text.AsSpan(0, text[^1] == '\n' ? text.Length - 1 : text.Length);
        if (lines.IsEmpty || lines[0] is ' ' or '\t' or '\n' || lines[^1] == '\n')
            return false;
        foreach (var range in lines.Split('\n'))
        {
            var line = lines[range];
            if (!IsPrintable(line) || line is [.., ' ' or '\t'])
                return false;
        }

        return true;
    }

    internal static bool IsPlain(string text)
    {
        if (text.Length == 0 || text[0] is ' ' or '\t' || text[^1] is ' ' or '\t' or ':' || text.Contains('\t', StringComparison.Ordinal))
            return false;
        if ("-?:,[]{}#&*!|>'\"%@`=<".Contains(text[0], StringComparison.Ordinal) || text.StartsWith("...", StringComparison.Ordinal))
            return false;
        // The last one is YamlDotNet's own: it does not find the end of a key with an asterisk in it.
        if (text.Contains(": ", StringComparison.Ordinal) || text.Contains(" #", StringComparison.Ordinal) || text.Contains(" *", StringComparison.Ordinal))
            return false;
        return IsPrintable(text) && YamlScalar.Literal(text) is null && !IsPerhapsNumber(text);
    }

    /// <summary>
    /// What other readers take for a number, or a time: more than go-yaml does (<c>12:30:45</c> in base 60, a date), and what it
    /// finds too large.
    /// </summary>
    private static bool IsPerhapsNumber(ReadOnlySpan<char> text)
    {
        if (text[0] is '+' or '-')
            text = text[1..];
        if (text.IsEmpty)
            return true;
        if (text[0] == '.' && (text.Equals(".inf", StringComparison.OrdinalIgnoreCase) || text.Equals(".nan", StringComparison.OrdinalIgnoreCase)))
            return true;
        if (text is not [(>= '0' and <= '9'), ..] && text is not ['.', (>= '0' and <= '9') or '_', ..])
            return false;
        // 0x1F, 0o17, 0b1
        if (text is ['0', 'x' or 'X' or 'o' or 'O' or 'b' or 'B', ..])
            return !text[2..].ContainsAnyExcept(OfHexadecimal);
        // 2001-12-14, and what follows a day
        if (text.Length >= 8 && IsDigits(text[..4]) && text[4] == '-')
            return true;
        // 1.5e+3, 1_000, and in base 60 190:20:30.15
        var mantissa = text.IndexOfAnyExcept(OfMantissa);
        if (mantissa < 0)
            return text.Count('.') < 2; // 1.4.2 is a version
        if (text[mantissa] is not ('e' or 'E'))
            return false;
        var exponent = text[(mantissa + 1)..].TrimStart("+-");
        return !exponent.ContainsAnyExcept(OfExponent);

        static bool IsDigits(ReadOnlySpan<char> digits) => !digits.ContainsAnyExceptInRange('0', '9');
    }

    private static bool IsPrintable(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value != '\t' && IsInvisible(rune))
                return false;
        }

        return true;
    }

    /// <summary>What YAML lets nobody write as it is, what ends a line for YAML 1.1, and what turns the writing direction.</summary>
    internal static bool IsInvisible(Rune rune) => rune.Value is 0xfeff or 0xfffe or 0xffff
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                > 0xffff when IsInvisible(rune) => quoted.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"),
                var code when IsInvisible(rune) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{code:x4}"),
                _ => quoted.Append(rune),
            };
        }

        return quoted.Append('"').ToString();
    }
}
