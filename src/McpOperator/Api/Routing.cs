namespace McpOperator.Api;

/// <summary>
/// Where clients reach a server. A null host takes every host; the path has its leading slash.
/// </summary>
public sealed record Route(string? Host, string Path)
{
    /// <summary>Reads what <see cref="Url"/> wrote; null for anything else.</summary>
    public static Route? FromUrl(string? url)
    {
        if (string.IsNullOrEmpty(url) || url[0] == '/')
            return string.IsNullOrEmpty(url) ? null : new Route(null, url);
        var host = url.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0 ? url[(scheme + 3)..] : "";
        var path = host.IndexOf('/', StringComparison.Ordinal);
        return path > 0 ? new Route(host[..path], host[path..]) : null;
    }

    /// <summary><c>http(s)://host/path</c>, or the path alone when there is no host to write.</summary>
    public string Url(OperatorSettings settings) => Host is null ? Path : SchemeAndHost(settings) + Path;

    /// <summary>The URL before the path. Null when there is no one host: <c>*.example.com</c> is no address.</summary>
    public string? BaseUrl(OperatorSettings settings) => Host is null or ['*', ..] ? null : SchemeAndHost(settings);

    private string SchemeAndHost(OperatorSettings settings) => $"{(settings.DefaultIngressTls ? "https" : "http")}://{Host}";
}

/// <summary>Finds the one host and path of a server; what the Ingress gets and what two servers may fight over.</summary>
public static class Routing
{
    /// <summary>
    /// A prefix gives <c>/&lt;prefix&gt;/mcp</c> and wins over <c>ingressPath</c>; with neither it is
    /// <c>/&lt;n&gt;/mcp</c>.
    /// </summary>
    /// <remarks>
    /// One exception, because defaults are persisted: a prefix that is the server's own name may be one that we wrote,
    /// so the <c>ingressPath</c> next to it wins: it is either <c>/&lt;n&gt;/mcp</c>, written with it and the same, or the
    /// user's later wish. Who writes both by hand, the prefix being the name, gets the path, too.
    /// </remarks>
    public static Route Resolve(string name, MCPServerSpec spec) =>
        new(Defaults.Trimmed(spec.IngressHost),
            PathOf(name, Defaults.Trimmed(spec.PublicPathPrefix), Defaults.Trimmed(spec.IngressPath)));

    internal static string PathOf(string name, string? prefix, string? path)
    {
        var byName = $"/{name}/mcp";
        var given = path is null ? null : path.StartsWith('/') ? path : '/' + path;
        if (prefix is null)
            return given ?? byName;
        prefix = prefix.Trim('/');
        // Only slashes: a fault of the spec, but not one to write "//mcp" for.
        if (prefix.Length == 0)
            return "/mcp";
        return prefix == name && given is not null ? given : $"/{prefix}/mcp";
    }
}
