using System.Globalization;
using System.Net;

namespace McpOperator.Kubernetes;

/// <summary>
/// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, read as Go and so kubectl read them (golang.org/x/net/http/httpproxy). .NET's own
/// reading ignores networks in NO_PROXY, which clusters need, and takes a domain only with a dot before it.
/// </summary>
internal static class ProxyEnvironment
{
    private static readonly string[] Schemes = ["http", "https", "socks5"];

    /// <summary>The proxy on the way to the server; null when there is none.</summary>
    /// <exception cref="ConnectionException">The variable is no address. The message does not quote it, as it may hold a password.</exception>
    public static Uri? For(Uri server, Func<string, string?> variable)
    {
        var name = server.Scheme == Uri.UriSchemeHttps ? "HTTPS_PROXY" : "HTTP_PROXY";
        if (Value(name, variable) is not { } text || !UsesProxy(server, Value("NO_PROXY", variable) ?? ""))
            return null;
        if (!text.Contains("://", StringComparison.Ordinal))
            text = $"http://{text}";
        // With .NET's socks5 the proxy resolves names, which in other programs is socks5h.
        if (text.StartsWith("socks5h:", StringComparison.OrdinalIgnoreCase))
            text = $"socks5{text["socks5h".Length..]}";
        return Uri.TryCreate(text, UriKind.Absolute, out var proxy) && Schemes.Contains(proxy.Scheme) && proxy.Host.Length > 0
            ? proxy
            : throw new ConnectionException($"${name} is no address of a proxy");
    }

    /// <summary>The name in capitals first, as in Go.</summary>
    private static string? Value(string name, Func<string, string?> variable) =>
        variable(name) is { Length: > 0 } value ? value
        : variable(name.ToLowerInvariant()) is { Length: > 0 } lower ? lower
        : null;

    private static bool UsesProxy(Uri server, string exceptions)
    {
        var host = server.IdnHost.ToLowerInvariant();
        var port = server.Port.ToString(CultureInfo.InvariantCulture);
        var address = Address(host);
        if (host == "localhost" || (address is not null && IPAddress.IsLoopback(address)))
            return false;
        return !exceptions
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Any(exception => Covers(exception.ToLowerInvariant(), host, port, address));
    }

    private static bool Covers(string exception, string host, string port, IPAddress? address)
    {
        if (exception == "*")
            return true;
        if (exception.IndexOf('/') is > 0 and var slash && Address(exception[..slash]) is { } network
            && int.TryParse(exception[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
            && bits <= network.GetAddressBytes().Length * 8)
        {
            return address is not null && IsWithin(address, network, bits);
        }

        var (name, onlyPort) = SplitPort(exception);
        if (name.Length == 0 || (onlyPort is not null && onlyPort != port))
            return false;
        if (Address(name) is { } one)
            return one.Equals(address);
        // "example.org" covers itself and its subdomains; ".example.org" and "*.example.org" only the subdomains.
        if (name.StartsWith("*.", StringComparison.Ordinal))
            name = name[1..];
        return address is null
            && (name[0] == '.' ? host.EndsWith(name, StringComparison.Ordinal)
                : host == name || host.EndsWith($".{name}", StringComparison.Ordinal));
    }

    private static (string Name, string? Port) SplitPort(string text)
    {
        var colon = text.LastIndexOf(':');
        if (text.StartsWith('['))
            return text.EndsWith(']') ? (text[1..^1], null) : colon > 0 && text[colon - 1] == ']' ? (text[1..(colon - 1)], text[(colon + 1)..]) : ("", null);
        // With more than one colon it is an IPv6 address.
        return colon >= 0 && text.IndexOf(':') == colon ? (text[..colon], NullIfEmpty(text[(colon + 1)..])) : (text, null);
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    /// <summary>Null for a name. .NET would take "10" for an address as well.</summary>
    private static IPAddress? Address(string text)
    {
        if ((!text.Contains(':') && text.Count(c => c == '.') != 3) || !IPAddress.TryParse(text, out var address))
            return null;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static bool IsWithin(IPAddress address, IPAddress network, int bits)
    {
        var (a, n) = (address.GetAddressBytes(), network.GetAddressBytes());
        if (a.Length != n.Length)
            return false;
        for (var i = 0; bits > 0; i++, bits -= 8)
        {
            var mask = bits >= 8 ? 0xFF : 0xFF << (8 - bits);
            if (((a[i] ^ n[i]) & mask) != 0)
                return false;
        }
        return true;
    }
}

/// <summary>
/// One proxy for all requests, with the user and password of its address. .NET's WebProxy would bring regular expressions into
/// the binary.
/// </summary>
internal sealed class FixedProxy(Uri proxy) : IWebProxy, ICredentials
{
    /// <summary>Never set: the interface wants a setter.</summary>
    public ICredentials? Credentials
    {
        get => proxy.UserInfo.Length > 0 ? this : null;
        set => throw new NotSupportedException();
    }

    public Uri? GetProxy(Uri destination) => proxy;

    public bool IsBypassed(Uri host) => false;

    /// <summary>Only for Basic and for SOCKS, as in Go. Null for the other schemes that a proxy may offer.</summary>
    public NetworkCredential? GetCredential(Uri uri, string authType)
    {
        if (!authType.Equals("Basic", StringComparison.OrdinalIgnoreCase) && proxy.Scheme != "socks5")
            return null;
        var parts = proxy.UserInfo.Split(':', 2);
        return new NetworkCredential(Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
    }
}
