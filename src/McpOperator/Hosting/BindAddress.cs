using System.Globalization;
using System.Net;

namespace McpOperator.Hosting;

/// <summary>Where a listener listens, as Go programs spell it. No address means every interface.</summary>
/// <param name="Address">The interface's address; null for all of them, IPv6 and IPv4.</param>
/// <param name="Port">0 lets the kernel choose.</param>
internal sealed record BindAddress(IPAddress? Address, int Port)
{
    /// <summary>Reads <c>:8080</c>, <c>127.0.0.1:0</c>, <c>[::1]:8080</c> or <c>localhost:8080</c>.</summary>
    public static bool TryParse(string text, out BindAddress? address)
    {
        address = null;
        var colon = text.LastIndexOf(':');
        if (colon < 0 ||
            !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return false;
        var host = text[..colon];
        if (host.Length == 0)
        {
            address = new BindAddress(null, port);
            return true;
        }
        // An IPv6 address contains colons, so it must have brackets to tell where the port begins.
        var bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        if (host.Contains(':') != bracketed)
            return false;
        IPAddress? ip;
        if (host == "localhost")
            ip = IPAddress.Loopback;
        else if (!IPAddress.TryParse(bracketed ? host[1..^1] : host, out ip))
            return false;
        address = new BindAddress(ip, port);
        return true;
    }

    public override string ToString() => Address is null
        ? string.Create(CultureInfo.InvariantCulture, $":{Port}")
        : new IPEndPoint(Address, Port).ToString();
}
