using System.Buffers;

namespace McpOperator.Api;

/// <summary>
/// Kubernetes' rules for names (apimachinery pkg/util/validation), by hand: regular expressions would add their engine
/// to the binary.
/// </summary>
internal static class Names
{
    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>A DNS-1035 label: what a Service may be called.</summary>
    public static bool IsDns1035Label(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= 63 && char.IsAsciiLetterLower(name[0]) && IsDns1123Label(name);

    public static bool IsDns1123Label(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= 63 && !name.ContainsAnyExcept(LabelCharacters) && name[0] != '-' && name[^1] != '-';

    /// <summary>DNS-1123 labels joined by dots, 253 at most. Kubernetes allows its labels to be longer than 63.</summary>
    public static bool IsDns1123Subdomain(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 253)
            return false;
        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.IsEmpty || label.ContainsAnyExcept(LabelCharacters) || label[0] == '-' || label[^1] == '-')
                return false;
        }

        return true;
    }

    /// <summary>
    /// The rule of Kubernetes 1.20 (later versions allow more): letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, no digit first,
    /// and not <c>.</c> or anything that starts with <c>..</c>.
    /// </summary>
    public static bool IsEnvVarName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || char.IsAsciiDigit(name[0]) || name is "." || name.StartsWith(".."))
            return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }

        return true;
    }

    /// <summary>The rule of Kubernetes since 1.34 (since 1.30 behind a feature gate): printable ASCII but <c>=</c>.</summary>
    public static bool MayBeEnvVarName(ReadOnlySpan<char> name) =>
        !name.IsEmpty && !name.ContainsAnyExceptInRange(' ', '~') && !name.Contains('=');

    /// <summary>The key of a Secret or ConfigMap.</summary>
    public static bool IsDataKey(ReadOnlySpan<char> key)
    {
        if (key.Length is 0 or > 253 || key is "." || key.StartsWith(".."))
            return false;
        foreach (var c in key)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }

        return true;
    }

    /// <summary>The key of a label or annotation: <c>name</c> or <c>prefix.example.com/name</c>.</summary>
    public static bool IsQualifiedName(ReadOnlySpan<char> key)
    {
        var slash = key.IndexOf('/');
        if (slash >= 0 && !IsDns1123Subdomain(key[..slash]))
            return false;
        var name = key[(slash + 1)..];
        if (name.Length is 0 or > 63 || !char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1]))
            return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }

        return true;
    }

    public static bool IsImageTag(ReadOnlySpan<char> tag)
    {
        if (tag.Length is 0 or > 128 || tag[0] is '.' or '-')
            return false;
        foreach (var c in tag)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }

        return true;
    }

    /// <summary>The name of an HTTP header: a token of RFC 9110.</summary>
    public static bool IsHeaderName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty)
            return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
                return false;
        }

        return true;
    }

    public static bool HasSpaceOrControl(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c) || char.IsControl(c))
                return true;
        }

        return false;
    }
}
