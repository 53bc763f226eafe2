namespace McpOperator.Api;

/// <summary>
/// Which server claims which host and path. Two servers that claim the same route of one ingress class, or one a route below the OAuth metadata path
/// of another namespace, would fight over its traffic: the one that serves it keeps it, else the older one gets it. Safe for
/// any number of threads.
/// </summary>
/// <remarks>
/// A server that does not get its routes still comes before younger ones, also at those of its routes that nobody else claims.
/// So which of two servers comes first never depends on a third, a change concerns only the servers that claim what the changed
/// one claims, and a route that a server may still serve is given to nobody before its Ingress is gone.
/// Who keeps a server from its routes is remembered: of the hundreds that may wait for one route, next to none is kept from it by
/// the one that changes.
/// </remarks>
internal sealed class RouteTable(OperatorSettings settings)
{
    /// <summary>
    /// The CRD's schema allows 2,048 characters. In a cluster whose CRD has no schema, longer paths must not make each search of
    /// their ancestors take seconds.
    /// </summary>
    private const int LongestPath = 4096;

    private static readonly List<RouteClaims> Nobody = [];

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, RouteClaims> _servers = [];
    private readonly Dictionary<Route, List<RouteClaims>> _byRoute = [];

    /// <summary>Of those that do not get their routes.</summary>
    private readonly Dictionary<ObjectKey, RouteClaims.Precedence> _first = [];

    /// <summary>Those of the routes whose path is a metadata path or may be below one, in order.</summary>
    private readonly SortedSet<Route> _metadata = new(Comparer<Route>.Create(static (left, right) =>
    {
        var order = string.CompareOrdinal(left.Host, right.Host);
        return order == 0 ? string.CompareOrdinal(left.Path, right.Path) : order;
    }));

    /// <summary>
    /// Notes the server's claims (null: the server is gone). They follow from its metadata, spec, reported URL and observed
    /// generation, and between an edit and its report from what was known before. So every change must be given, in order.
    /// </summary>
    /// <returns>Whoever else is kept from its routes by another than before; the server itself, too, when it was known.</returns>
    public IReadOnlyCollection<RouteChange> Update(ObjectKey key, MCPServer? server)
    {
        lock (_lock)
        {
            var before = _servers.GetValueOrDefault(key);
            var after = server is null ? null : RouteClaims.Of(server, settings, before);
            if (before is null ? after is null : after is not null && after.IsSameAs(before))
                return [];

            Remove(before);
            Add(after);
            List<RouteChange> changed = [];
            if (SetFirst(key, First(after)) is { } own && before is not null && server is not null)
                changed.Add(own);
            foreach (var rival in Rivals(before).Concat(Rivals(after)))
            {
                var over = after?.Over(rival);
                if (over != before?.Over(rival) && SetFirst(rival.Key, FirstAfter(rival, key, over)) is { } change)
                    changed.Add(change);
            }

            return changed;
        }
    }

    /// <summary>Why this server does not get its routes; null when it has them, or asks for none.</summary>
    public RouteConflict? ConflictOf(ObjectKey key)
    {
        lock (_lock)
            return ConflictAt(key);
    }

    /// <summary>The first of those that come before the server.</summary>
    private RouteClaims.Precedence? First(RouteClaims? server)
    {
        RouteClaims.Precedence? first = null;
        foreach (var rival in Rivals(server))
            if (rival.Over(server!) is { } precedence && (first is null || precedence.ComesBefore(first.Value)))
                first = precedence;
        return first;
    }

    /// <summary>The same after one of them changed, without a look at the others unless the first one became weaker.</summary>
    /// <param name="over">The precedence that the changed one has now.</param>
    private RouteClaims.Precedence? FirstAfter(RouteClaims server, ObjectKey changed, RouteClaims.Precedence? over)
    {
        RouteClaims.Precedence? first = _first.TryGetValue(server.Key, out var known) ? known : null;
        if (over is { } precedence && first?.ComesBefore(precedence) != true)
            return precedence;
        return first?.Conflict.Holder == changed ? First(server) : first;
    }

    /// <returns>Null when the server has the conflict that it had.</returns>
    private RouteChange? SetFirst(ObjectKey key, RouteClaims.Precedence? first)
    {
        var before = ConflictAt(key);
        if (first is { } precedence)
            _first[key] = precedence;
        else
            _first.Remove(key);
        return first?.Conflict == before ? null : new RouteChange(key, StillWaits: before is not null && first is not null);
    }

    private RouteConflict? ConflictAt(ObjectKey key) => _first.TryGetValue(key, out var first) ? first.Conflict : null;

    /// <summary>The other servers whose claims may overlap with those of the server. Some come more than once.</summary>
    private IEnumerable<RouteClaims> Rivals(RouteClaims? server) =>
        server is null ? [] : server.Routes.SelectMany(claim => Overlapping(claim.Route, claim.IsMetadata)).Where(other => other.Key != server.Key);

    private IEnumerable<RouteClaims> Overlapping(Route route, bool isMetadata)
    {
        foreach (var same in At(route))
            yield return same;
        if (!MayBeBelowMetadata(route))
            yield break;
        for (var end = Routing.ProtectedResource.Length;
            end >= 0 && end < Math.Min(route.Path.Length, LongestPath);
            end = route.Path.IndexOf('/', end + 1))
        {
            foreach (var above in At(route with { Path = route.Path[..end] }))
                yield return above;
        }

        if (!isMetadata)
            yield break;
        foreach (var below in _metadata.GetViewBetween(route with { Path = route.Path + '/' }, route with { Path = route.Path + "/\uffff" }))
            foreach (var one in At(below))
                yield return one;
    }

    private List<RouteClaims> At(Route route) => _byRoute.GetValueOrDefault(route, Nobody);

    private static bool MayBeBelowMetadata(Route route) =>
        route.Path.StartsWith(Routing.ProtectedResource, StringComparison.Ordinal)
        && (route.Path.Length == Routing.ProtectedResource.Length || route.Path[Routing.ProtectedResource.Length] == '/');

    private void Add(RouteClaims? server)
    {
        if (server is null)
            return;
        _servers.Add(server.Key, server);
        foreach (var (route, _) in server.Routes)
        {
            if (!_byRoute.TryGetValue(route, out var servers))
            {
                _byRoute.Add(route, servers = new List<RouteClaims>(capacity: 1));
                if (MayBeBelowMetadata(route))
                    _metadata.Add(route);
            }

            servers.Add(server);
        }
    }

    private void Remove(RouteClaims? server)
    {
        if (server is null)
            return;
        _servers.Remove(server.Key);
        foreach (var (route, _) in server.Routes)
        {
            var servers = _byRoute[route];
            servers.Remove(server);
            if (servers.Count > 0)
                continue;
            _byRoute.Remove(route);
            _metadata.Remove(route);
        }
    }
}

/// <summary>A server whose conflict is another than before.</summary>
/// <param name="StillWaits">Whether it is only another server that keeps it from its routes now: there is nothing to do but to say so.</param>
internal readonly record struct RouteChange(ObjectKey Server, bool StillWaits);
