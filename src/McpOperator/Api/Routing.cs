namespace McpOperator.Api;

/// <summary>
/// Where clients reach a server. A null host takes every host; the path has its leading slash.
/// </summary>
internal sealed record Route(string? Host, string Path)
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

    /// <summary>
    /// The form in which routes are compared: <c>/a</c> and <c>/a/</c> are the same to an ingress controller. Hosts are in lower
    /// case already.
    /// </summary>
    public Route Compared() => this with { Path = Path.TrimEnd('/') };

    /// <summary>
    /// Whether the path continues that of the other route by at least one segment. Both are <see cref="Compared"/>.
    /// </summary>
    public bool IsBelow(Route other) =>
        Host == other.Host && Path.Length > other.Path.Length && Path[other.Path.Length] == '/'
        && Path.StartsWith(other.Path, StringComparison.Ordinal);

    /// <summary>
    /// The URL before the path. Null without a host, and with one like <c>*.example.com</c>, which is no address.
    /// </summary>
    public string? BaseUrl(OperatorSettings settings) => Host is null or ['*', ..] ? null : SchemeAndHost(settings);

    private string SchemeAndHost(OperatorSettings settings) => $"{(settings.DefaultIngressTls ? "https" : "http")}://{Host}";
}

/// <summary>Finds the hosts and paths of a server: what its Ingress serves, and what two servers may fight over.</summary>
internal static class Routing
{
    /// <summary>Of an Ingress: its class, in the way from before <c>spec.ingressClassName</c>.</summary>
    internal const string ClassAnnotation = "kubernetes.io/ingress.class";

    internal const string ProtectedResource = "/.well-known/oauth-protected-resource";

    /// <summary>
    /// All that the Ingress serves: the server's route, and with OAuth at its gateway the route of its metadata. Takes the spec
    /// in effect (<see cref="Defaults"/>).
    /// </summary>
    public static IReadOnlyList<Route> Routes(string name, MCPServerSpec spec)
    {
        var route = Resolve(name, spec);
        return spec.HasGateway() && spec.Auth is { Mode: AuthConfig.OAuth } ? [route, route.Metadata()] : [route];
    }

    /// <summary>
    /// Where clients reach the server. A prefix gives <c>/&lt;prefix&gt;/mcp</c> and wins over <c>ingressPath</c>, whoever wrote it: the
    /// Go operator's webhook writes the name as one beside a user's path, and serves the prefix. With neither it is <c>/&lt;n&gt;/mcp</c>.
    /// </summary>
    public static Route Resolve(string name, MCPServerSpec spec) =>
        new(Defaults.Trimmed(spec.IngressHost),
            PathOf(name, Defaults.Trimmed(spec.PublicPathPrefix), Defaults.Trimmed(spec.IngressPath)));

    internal static string PathOf(string name, string? prefix, string? path)
    {
        if (prefix is null)
            return path is null ? $"/{name}/mcp" : path.StartsWith('/') ? path : '/' + path;
        prefix = prefix.Trim('/');
        // Slashes only: Validation reports it, and "//mcp" must not come of it meanwhile.
        return prefix.Length == 0 ? "/mcp" : $"/{prefix}/mcp";
    }
}
