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
                if (!isAsked || host != otherHost || AreApart(ingressClass, otherClass))
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

    public static bool IsBelow(string path, string above)
    {
        var (segments, first) = (path.Split('/'), above.Split('/'));
        return segments.Length > first.Length && segments.Take(first.Length).SequenceEqual(first);
    }

    /// <summary>An Ingress and a Gateway may have one address.</summary>
    public static bool AreApart(string? one, string? other) => one != Any && other != Any && one != other && IsGateway(one) == IsGateway(other);

    public static string? Class(MCPServer server) => server.Spec.HasHttpRoute()
        ? $"gateway {server.Spec.HttpRoute!.Value.GetProperty("parentRefs")[0].GetProperty("name").GetString()}"
        : server.Spec.IngressClass;

    /// <summary>First its own, by host, and then their metadata paths.</summary>
    public static List<(string? Host, string Path, bool IsMetadata)> Routes(MCPServer server)
    {
        string?[] hosts = server.Spec.HasHttpRoute() && server.Spec.HttpRoute!.Value.GetProperty("hostnames") is var names && names.GetArrayLength() > 0
            ? [.. names.EnumerateArray().Select(name => name.GetString())]
            : [server.Spec.IngressHost];
        var path = server.Spec.IngressPath!.TrimEnd('/');
        var metadata = server.Spec.Auth?.Mode == "oauth" ? hosts : [];
        return [.. hosts.Select(host => (host, path, false)), .. metadata.Select(host => (host, RouteWorld.Metadata + path, true))];
    }

    private static bool IsGateway(string? of) => of?.StartsWith("gateway ", StringComparison.Ordinal) == true;

    private bool IsOlder(ObjectKey server, ObjectKey other) =>
        (Created(server), server.Namespace, server.Name).CompareTo((Created(other), other.Namespace, other.Name)) < 0;

    private DateTimeOffset Created(ObjectKey key) => _told[key][^1].Metadata.CreationTimestamp;

    /// <summary>3: it is served, 2: it may be, 1: it is asked for.</summary>
    private List<(string? Class, string? Host, string Path, bool IsMetadata, int Strength, bool IsAsked)> Claims(ObjectKey key)
    {
        var server = _told[key][^1];
        var claims = new List<(string?, string?, string, bool, int, bool)>();
        var url = server.Reported?.Url;
        var (servedClass, strength) = url is null ? (null, 1) : ClassKnown(_told[key]);
        var others = url is null ? [] : OthersKnown(_told[key]);
        List<(string? Host, string Path, bool IsMetadata)> served = url is null ? [] : [RouteOf(url), .. others ?? []];
        if (server.Spec.Image is not null)
        {
            var (own, asked) = (Class(server), Routes(server));
            foreach (var route in asked)
            {
                var isServed = (servedClass == Any || servedClass == own) && served.Contains(route);
                var mayBe = others is null && (servedClass == Any || servedClass == own) && asked[0] == served[0];
                claims.Add((own, route.Host, route.Path, route.IsMetadata, isServed ? strength : mayBe ? 2 : 1, true));
            }
        }

        claims.AddRange(served.Select(route => (servedClass, route.Host, route.Path, route.IsMetadata, strength, false)));
        if (others is null)
            claims.Add((servedClass, served[0].Host, RouteWorld.Metadata + served[0].Path, true, 2, false));
        return claims;
    }

    /// <summary>In which class its Ingress is, by the last report that was about a spec of its time.</summary>
    private static (string? Class, int Strength) ClassKnown(List<MCPServer> versions)
    {
        for (var i = versions.Count - 1; i >= 0 && versions[i].Reported?.Url is not null; i--)
        {
            if (versions[i].Spec.Image is not null && versions[i].Reported!.ObservedGeneration == versions[i].Metadata.Generation)
                return (Class(versions[i]), 3);
        }
        return (Any, 2);
    }

    /// <summary>What it serves beside what its URL says, by the last report that was about the spec of its time; null when that is not known.</summary>
    private static List<(string? Host, string Path, bool IsMetadata)>? OthersKnown(List<MCPServer> versions)
    {
        for (var i = versions.Count - 1; i >= 0 && versions[i].Reported?.Url?.TrimEnd('/') == versions[^1].Reported!.Url!.TrimEnd('/'); i--)
        {
            var version = versions[i];
            if (version.Spec.Image is not null && Routes(version)[0] == RouteOf(version.Reported!.Url!) && version.Reported.ObservedGeneration == version.Metadata.Generation)
                return Routes(version)[1..];
        }
        return null;
    }

    private static (string? Host, string Path, bool IsMetadata) RouteOf(string url)
    {
        var at = url.IndexOf("://", StringComparison.Ordinal);
        var rest = at < 0 ? url : url[(at + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (rest, "", false) : (slash == 0 ? null : rest[..slash], rest[slash..].TrimEnd('/'), false);
    }
}
