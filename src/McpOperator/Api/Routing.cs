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

    /// <summary>Where OAuth clients ask which authorization server protects what is at this route (RFC 9728, 3.1): before its path.</summary>
    public Route Metadata() => this with { Path = Path == "/" ? Routing.ProtectedResource : Routing.ProtectedResource + Path };

    /// <summary>As an ingress controller compares it: <c>/a</c> and <c>/a/</c> are the same (and hosts are in lower case).</summary>
    public Route Compared() => this with { Path = Path.TrimEnd('/') };

    /// <summary>Of routes as they are compared: segments of the path follow that of the other one.</summary>
    public bool IsBelow(Route other) =>
        Host == other.Host && Path.Length > other.Path.Length && Path[other.Path.Length] == '/'
        && Path.StartsWith(other.Path, StringComparison.Ordinal);

    /// <summary>The URL before the path. Null when there is no one host: <c>*.example.com</c> is no address.</summary>
    public string? BaseUrl(OperatorSettings settings) => Host is null or ['*', ..] ? null : SchemeAndHost(settings);

    private string SchemeAndHost(OperatorSettings settings) => $"{(settings.DefaultIngressTls ? "https" : "http")}://{Host}";
}

/// <summary>Finds the hosts and paths of a server: what its Ingress serves, and what two servers may fight over.</summary>
public static class Routing
{
    internal const string ProtectedResource = "/.well-known/oauth-protected-resource";

    /// <summary>All that the Ingress serves: the server's route, and with OAuth at its gateway that of its metadata.</summary>
    /// <param name="name">Of the server.</param>
    /// <param name="spec">In effect (<see cref="Defaults"/>).</param>
    public static IReadOnlyList<Route> Routes(string name, MCPServerSpec spec)
    {
        var route = Resolve(name, spec);
        return spec.HasGateway() && spec.Auth is { Mode: AuthConfig.OAuth } ? [route, route.Metadata()] : [route];
    }

    /// <summary>
    /// Where clients reach the server. A prefix gives <c>/&lt;prefix&gt;/mcp</c> and wins over <c>ingressPath</c>; with neither it is
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
