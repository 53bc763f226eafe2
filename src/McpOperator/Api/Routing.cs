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
    public string Url(bool isTls) => Host is null ? Path : SchemeAndHost(isTls) + Path;

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
    public string? BaseUrl(bool isTls) => Host is null or ['*', ..] ? null : SchemeAndHost(isTls);

    private string SchemeAndHost(bool isTls) => $"{(isTls ? "https" : "http")}://{Host}";
}

/// <summary>Finds the hosts and paths of a server: what its Ingress or HTTPRoute serves, and what two servers may fight over.</summary>
internal static class Routing
{
    /// <summary>Of an Ingress: its class, in the way from before <c>spec.ingressClassName</c>.</summary>
    internal const string ClassAnnotation = "kubernetes.io/ingress.class";

    internal const string ProtectedResource = "/.well-known/oauth-protected-resource";

    /// <summary>
    /// All that the server's Ingress, IngressRoute or HTTPRoute serves: its route of each host, and with OAuth at its gateway the routes of its metadata after
    /// them. Takes the spec in effect (<see cref="Defaults"/>). Empty when the spec wants none.
    /// </summary>
    public static IReadOnlyList<Route> Routes(string name, MCPServerSpec spec) =>
        spec.HasHttpRoute() ? Served(name, spec, HostsOf(spec)) : spec.HasIngress() || spec.HasIngressRoute() ? IngressRoutes(name, spec) : [];

    /// <summary>All that its Ingress serves, which stays for a while when the spec goes over to an HTTPRoute.</summary>
    public static IReadOnlyList<Route> IngressRoutes(string name, MCPServerSpec spec) => Served(name, spec, [Defaults.Trimmed(spec.IngressHost)]);

    /// <summary>Whether what it serves has a metadata path for each host.</summary>
    public static bool HasMetadata(MCPServerSpec spec) => spec.HasGateway() && spec.Auth is { Mode: AuthConfig.OAuth };

    /// <summary>Whether clients speak TLS to it.</summary>
    public static bool IsTls(MCPServerSpec spec, OperatorSettings settings) => spec.UsesMtls() || IsIngressTls(spec, settings);

    /// <summary>The same of its Ingress, which stays for a while when the spec goes over to mTLS.</summary>
    public static bool IsIngressTls(MCPServerSpec spec, OperatorSettings settings) => spec.Tls is not null || settings.DefaultIngressTls;

    /// <summary>The hosts of its HTTPRoute; a null for every host of the Gateway.</summary>
    public static IReadOnlyList<string?> HostsOf(MCPServerSpec spec) =>
        HttpRouteConfig.Of(spec)?.Hostnames is { Count: > 0 } hosts ? [.. hosts] : [Defaults.Trimmed(spec.IngressHost)];

    private static List<Route> Served(string name, MCPServerSpec spec, IReadOnlyList<string?> hosts)
    {
        var path = PathOf(name, Defaults.Trimmed(spec.PublicPathPrefix), Defaults.Trimmed(spec.IngressPath));
        var routes = new List<Route>(hosts.Count);
        foreach (var host in hosts)
            routes.Add(new Route(host, path));
        for (var i = 0; HasMetadata(spec) && i < hosts.Count; i++)
            routes.Add(routes[i].Metadata());
        return routes;
    }

    /// <summary>
    /// Where clients reach the server, at the first of its hosts. A prefix gives <c>/&lt;prefix&gt;/mcp</c> and wins over <c>ingressPath</c>, whoever wrote it: the
    /// Go operator's webhook writes the name as one beside a user's path, and serves the prefix. With neither it is <c>/&lt;n&gt;/mcp</c>.
    /// </summary>
    public static Route Resolve(string name, MCPServerSpec spec) =>
        new(spec.HasHttpRoute() ? HostsOf(spec)[0] : Defaults.Trimmed(spec.IngressHost),
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
