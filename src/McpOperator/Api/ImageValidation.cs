using System.Globalization;
using System.Net;

namespace McpOperator.Api;

/// <summary>Whether a text is an image reference. A container runtime refuses it late, as InvalidImageName of a pod.</summary>
internal static class ImageValidation
{
    public static void Check(SpecFaults faults, string field, string image)
    {
        if (Names.HasSpaceOrControl(image))
            faults.Add(field, $"{SpecFaults.QuoteAddress(image)} must not contain white space");
        else if (image.Contains("://", StringComparison.Ordinal))
            faults.Add(field, $"{SpecFaults.QuoteAddress(image)} must not have a scheme: write registry.example.com/name, without http:// or https://");
        else if (!IsImage(image))
        {
            faults.Add(field, $"{SpecFaults.QuoteAddress(image)} is no image reference: write [registry[:port]/]name[:tag][@digest], the name in lower case, " +
                "such as ghcr.io/acme/tools:1.4");
        }
    }

    /// <summary>Whether it can stand before an image's name, once <see cref="ImageReference.NormalizeRegistry"/> took away a scheme and slashes at the end.</summary>
    public static bool IsRegistry(string text) =>
        ImageReference.NormalizeRegistry(text) is { } registry && IsRepository(registry, registry: true);

    public static bool IsImage(ReadOnlySpan<char> image)
    {
        var at = image.IndexOf('@');
        if (at >= 0)
        {
            if (!IsDigest(image[(at + 1)..]))
                return false;
            image = image[..at];
        }

        var colon = image.LastIndexOf(':');
        if (colon > image.LastIndexOf('/'))
        {
            if (!Names.IsImageTag(image[(colon + 1)..]))
                return false;
            image = image[..colon];
        }

        return IsRepository(image, registry: false);
    }

    /// <summary>
    /// Segments between slashes, the first of which may be a registry: host, port, and capitals allowed. With
    /// <paramref name="registry"/> it must be one.
    /// </summary>
    private static bool IsRepository(ReadOnlySpan<char> name, bool registry)
    {
        var first = true;
        foreach (var range in name.Split('/'))
        {
            var segment = name[range];
            var host = first && (registry || (segment.Length < name.Length && ImageReference.LooksLikeRegistry(segment)));
            if (!(host ? IsHostAndPort(segment) : IsPathSegment(segment)))
                return false;
            first = false;
        }

        return true;
    }

    private static bool IsHostAndPort(ReadOnlySpan<char> text)
    {
        var colon = text.LastIndexOf(':');
        if (colon >= 0)
        {
            if (!ushort.TryParse(text[(colon + 1)..], NumberStyles.None,
                CultureInfo.InvariantCulture, out var port) || port == 0)
                return false;
            text = text[..colon];
        }

        // An IPv6 address stands in brackets.
        if (text.StartsWith("[") && text.EndsWith("]"))
            return IPAddress.TryParse(text[1..^1], out _);
        return Names.IsDns1123Subdomain(text.ToString().ToLowerInvariant());
    }

    private static bool IsPathSegment(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !IsLowerOrDigit(text[0]) || !IsLowerOrDigit(text[^1]))
            return false;
        foreach (var c in text)
        {
            if (!IsLowerOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }

        return true;
    }

    /// <summary><c>sha256:0123…</c>: an algorithm, and at least 32 hexadecimal digits.</summary>
    private static bool IsDigest(ReadOnlySpan<char> text)
    {
        var colon = text.IndexOf(':');
        if (colon < 1 || text.Length - colon - 1 < 32)
            return false;
        foreach (var c in text[..colon])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '.' or '_' or '-'))
                return false;
        }

        foreach (var c in text[(colon + 1)..])
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
        }

        return true;
    }

    private static bool IsLowerOrDigit(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
}
