using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Api;

/// <summary>
/// Who has which route, read off docs/design.md: every server is compared with every other one, each time, and what was known of a
/// server is looked up in all that was ever told of it.
/// </summary>
internal sealed class NaiveRoutes
{
    private const string Any = "any class";

    private readonly Dictionary<ObjectKey, List<MCPServer>> _told = [];

    public IEnumerable<MCPServer> Servers => _told.Values.Select(versions => versions[^1]);

    public void Update(ObjectKey key, MCPServer? server)
    {
        if (server is null)
            _told.Remove(key);
        else if (_told.TryGetValue(key, out var versions) && versions[^1].Metadata.Uid == server.Metadata.Uid)
            versions.Add(server);
        else
            _told[key] = [server];
    }

    /// <summary>The one that keeps this server from its routes.</summary>
    public ObjectKey? HolderBefore(ObjectKey key) => !_told.ContainsKey(key)
        ? null
        : (
            from other in _told.Keys
            where other != key
            let strength = StrengthOver(other, key)
            where strength > 0
            orderby strength descending, Created(other), other.Namespace, other.Name
            select (ObjectKey?)other).FirstOrDefault();

    /// <summary>How strong the claim is by which one server keeps another from something; 0: by none.</summary>
    public int StrengthOver(ObjectKey server, ObjectKey other)
    {
        var strongest = 0;
        if (!_told.ContainsKey(server) || !_told.ContainsKey(other))
            return 0;
        foreach (var (ingressClass, host, path, isMetadata, strength, _) in Claims(server))
            foreach (var (otherClass, otherHost, otherPath, isOtherMetadata, otherStrength, isAsked) in Claims(other))
            {
                if (!isAsked || host != otherHost || (ingressClass != Any && ingressClass != otherClass))
                    continue;
                var foreign = server.Namespace != other.Namespace;
                var overlap = path == otherPath
                    || (foreign && isMetadata && IsBelow(otherPath, path))
                    || (foreign && isOtherMetadata && IsBelow(path, otherPath));
                if (overlap && (strength > otherStrength || (strength == otherStrength && ingressClass != Any && IsOlder(server, other))))
                    strongest = Math.Max(strongest, strength);
            }
        return strongest;
    }

    private static bool IsBelow(string path, string above)
    {
        var (segments, first) = (path.Split('/'), above.Split('/'));
        return segments.Length > first.Length && segments.Take(first.Length).SequenceEqual(first);
    }

    private bool IsOlder(ObjectKey server, ObjectKey other) =>
        (Created(server), server.Namespace, server.Name).CompareTo((Created(other), other.Namespace, other.Name)) < 0;

    private DateTimeOffset Created(ObjectKey key) => _told[key][^1].Metadata.CreationTimestamp;

    /// <summary>3: it is served, 2: it may be, 1: it is asked for.</summary>
    private List<(string? Class, string? Host, string Path, bool IsMetadata, int Strength, bool IsAsked)> Claims(ObjectKey key)
    {
        var server = _told[key][^1];
        var claims = new List<(string?, string?, string, bool, int, bool)>();
        var url = server.Reported?.Url;
        var (servedClass, served) = url is null ? (null, 1) : ClassKnown(_told[key]);
        var metadata = url is null ? 1 : Known(_told[key]) switch { true => served, false => 1, null => 2 };
        if (server.Spec.Image is not null)
        {
            var path = Path(server);
            var isServed = url?.TrimEnd('/') == Url(server) && (servedClass == Any || servedClass == server.Spec.IngressClass);
            claims.Add((server.Spec.IngressClass, server.Spec.IngressHost, path, false, isServed ? served : 1, true));
            if (IsOAuth(server))
                claims.Add((server.Spec.IngressClass, server.Spec.IngressHost, RouteWorld.Metadata + path, true, isServed ? metadata : 1, true));
        }
        if (url is not null)
        {
            var at = url.IndexOf("://", StringComparison.Ordinal);
            var rest = at < 0 ? url : url[(at + 3)..];
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            var host = slash == 0 ? null : rest[..slash];
            var path = rest[slash..].TrimEnd('/');
            claims.Add((servedClass, host, path, false, served, false));
            if (metadata > 1)
                claims.Add((servedClass, host, RouteWorld.Metadata + path, true, metadata, false));
        }
        return claims;
    }

    /// <summary>In which class its Ingress is, by the last report that was about a spec of its time.</summary>
    private static (string? Class, int Strength) ClassKnown(List<MCPServer> versions)
    {
        for (var i = versions.Count - 1; i >= 0 && versions[i].Reported?.Url is not null; i--)
        {
            if (versions[i].Spec.Image is not null && versions[i].Reported!.ObservedGeneration == versions[i].Metadata.Generation)
                return (versions[i].Spec.IngressClass, 3);
        }
        return (Any, 2);
    }

    /// <summary>Whether its Ingress has the metadata path, by the last report that was about the spec of its time.</summary>
    private static bool? Known(List<MCPServer> versions)
    {
        for (var i = versions.Count - 1; i >= 0 && versions[i].Reported?.Url?.TrimEnd('/') == versions[^1].Reported!.Url!.TrimEnd('/'); i--)
        {
            var version = versions[i];
            if (version.Spec.Image is not null && version.Reported!.Url!.TrimEnd('/') == Url(version)
                && version.Reported.ObservedGeneration == version.Metadata.Generation)
                return IsOAuth(version);
        }
        return null;
    }

    private static bool IsOAuth(MCPServer server) => server.Spec.Auth?.Mode == "oauth";

    private static string Path(MCPServer server) => server.Spec.IngressPath!.TrimEnd('/');

    private static string Url(MCPServer server) =>
        server.Spec.IngressHost is { } host ? $"http://{host}{Path(server)}" : Path(server);
}
