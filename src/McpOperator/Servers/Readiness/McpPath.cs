using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>Where a server's clients end up: an Ingress hands the path of its route on as it is, a gateway may change it.</summary>
internal static class McpPath
{
    /// <param name="spec">In effect.</param>
    public static string Of(string name, MCPServerSpec spec)
    {
        var path = Routing.Resolve(name, spec).Path;
        if (!spec.HasGateway())
            return path;
        if (spec.Gateway!.StripPrefix?.Trim('/') is { Length: > 0 } prefix && IsBelow(path, $"/{prefix}"))
            path = path[(prefix.Length + 1)..];
        var upstream = Uri.TryCreate(spec.Gateway.UpstreamURL, UriKind.Absolute, out var url) ? Uri.UnescapeDataString(url.AbsolutePath).TrimEnd('/') : "";
        return upstream + (path.Length == 0 ? "/" : path);
    }

    private static bool IsBelow(string path, string prefix) =>
        path.StartsWith(prefix, StringComparison.Ordinal) && (path.Length == prefix.Length || path[prefix.Length] == '/');
}
