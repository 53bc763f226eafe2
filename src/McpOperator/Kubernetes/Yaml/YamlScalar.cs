using System.Globalization;
using System.Text;
using YamlDotNet.Core;

namespace McpOperator.Kubernetes;

/// <summary>
/// What a scalar means to kubectl, whose YAML is that of go-yaml v2, which is mostly YAML 1.1: <c>yes</c>, <c>on</c> and <c>y</c>
/// are true, <c>017</c> is 15, <c>1_000</c> is a number, and a date is text.
/// </summary>
internal static class YamlScalar
{
    private const string Tags = "tag:yaml.org,2002:";
    private const string Infinite = ".inf";

    /// <summary>As JSON writes it: a number, <c>true</c>, <c>false</c> or <c>null</c>. Null when it is text.</summary>
    /// <exception cref="YamlException">It is not what its tag says, or no number that JSON knows.</exception>
    public static string? Literal(YamlText scalar)
    {
        var kind = scalar.Tag.StartsWith(Tags, StringComparison.Ordinal) ? scalar.Tag[Tags.Length..] : scalar.Tag;
        if (kind is not ("" or "int" or "float" or "bool" or "null") || (kind.Length == 0 && !scalar.IsPlain))
            return null;
        var literal = Literal(scalar.Text);
        if (literal == Infinite)
            throw Unexpected(scalar, $"{scalar.Text} is no number that JSON knows");
        var fits = kind switch
        {
            "int" => literal is [.., >= '0' and <= '9'] && !literal.AsSpan().ContainsAny('.', 'E'),
            "float" => literal is [.., >= '0' and <= '9'],
            "bool" => literal is "true" or "false",
            "null" => literal is "null",
            _ => true,
        };
        return fits ? literal : throw Unexpected(scalar, $"cannot decode !!str `{scalar.Text}` as a !!{kind}");
    }

    /// <summary>The UTF-8 of what is text. Not a string: YAML can escape half of a pair of UTF-16, which a JSON writer refuses.</summary>
    /// <exception cref="YamlException">It is not what its tag says.</exception>
    public static byte[] Text(YamlText scalar)
    {
        if (scalar.Tag != Tags + "binary")
            return Encoding.UTF8.GetBytes(scalar.Text);
        try
        {
            return Convert.FromBase64String(scalar.Text);
        }
        catch (FormatException)
        {
            throw Unexpected(scalar, "!!binary value contains invalid base64 data");
        }
    }

    /// <summary>What <see cref="Literal(YamlText)"/> says of a text without quotes and tag.</summary>
    internal static string? Literal(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => "null",
        "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => "true",
        "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => "false",
        ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF" or ".nan" or ".NaN" or ".NAN" => Infinite,
        // Underscores go, wherever they stand.
        ['+' or '-' or '.' or (>= '0' and <= '9'), ..] when text.Replace("_", "", StringComparison.Ordinal) is var number =>
            Integer(number) ?? Float(number),
        _ => null,
    };

    private static string? Integer(string text)
    {
        var isNegative = text[0] == '-';
        var digits = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        var (radix, prefix) = digits switch
        {
            ['0', 'x' or 'X', _, ..] => (16, 2),
            ['0', 'o' or 'O', _, ..] => (8, 2),
            ['0', 'b' or 'B', _, ..] => (2, 2),
            ['0', _, ..] => (8, 1),
            _ => (10, 0),
        };
        UInt128 value = 0;
        if (digits.IsEmpty)
            return null;
        foreach (var c in digits[prefix..])
        {
            var digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiHexDigit(c) ? (c | 0x20) - 'a' + 10 : radix;
            if (digit >= radix)
                return null;
            value = (value * (uint)radix) + (uint)digit;
            if (value > ulong.MaxValue)
                return null;
        }

        if (isNegative && value > (ulong)long.MaxValue + 1)
            return null;
        var number = ((ulong)value).ToString(CultureInfo.InvariantCulture);
        return isNegative && value > 0 ? "-" + number : number;
    }

    /// <summary><c>[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?</c>, unless it is too large.</summary>
    private static string? Float(string text)
    {
        var at = text[0] is '+' or '-' ? 1 : 0;
        var digits = Digits();
        if (at < text.Length && text[at] == '.')
        {
            at++;
            digits += Digits();
        }

        if (digits == 0)
            return null;
        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            if (at < text.Length && text[at] is '+' or '-')
                at++;
            if (Digits() == 0)
                return null;
        }

        if (at < text.Length)
            return null;
        var number = double.Parse(text, CultureInfo.InvariantCulture);
        return !double.IsFinite(number) ? null
            // As Go writes them: 1.0 is good for an integer.
            : number == 0 ? "0"
            : double.IsInteger(number) && Math.Abs(number) < 1e21 ? number.ToString("F0", CultureInfo.InvariantCulture)
            : number.ToString("R", CultureInfo.InvariantCulture);

        int Digits()
        {
            var from = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
                at++;
            return at - from;
        }
    }

    private static YamlException Unexpected(YamlText scalar, string message) => new(scalar.Start, scalar.Start, message);
}
