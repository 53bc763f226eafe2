using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>
/// Who claims which host and path. Two servers that claim the same one, or one below the OAuth metadata path of another
/// namespace, would fight over its traffic: whoever serves it keeps it, else the older has it. Safe for any number of threads.
/// </summary>
/// <remarks>
/// One that does not get its routes keeps its place in the line: it comes before younger ones also at those of its routes that
/// nobody else claims. So who comes first is a matter between two, whatever becomes of a third, and a change concerns nobody but
/// those who claim what the changed one does; and what it may still serve, until its Ingress is gone, is given to nobody.
/// </remarks>
public sealed class RouteTable(OperatorSettings settings)
{
    /// <summary>
    /// The CRD lets no path be longer than 2,048. On one without a schema, whoever writes longer ones must not make each
    /// look at their ancestors take seconds.
    /// </summary>
    private const int LongestPath = 4096;

    private static readonly List<RouteClaims> Nobody = [];

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, RouteClaims> _servers = [];
    private readonly Dictionary<Route, List<RouteClaims>> _byRoute = [];

    /// <summary>Of those, the ones where a path may be below another one's metadata path, in order.</summary>
    private readonly SortedSet<Route> _metadata = new(Comparer<Route>.Create(static (left, right) =>
    {
        var order = string.CompareOrdinal(left.Host, right.Host);
        return order == 0 ? string.CompareOrdinal(left.Path, right.Path) : order;
    }));

    /// <summary>
    /// Notes the server's claims (null: the server is gone). They go by its metadata, spec, reported URL and observed generation, and for
    /// the time between an edit and its report by what was known before, so each change is to be told, in order.
    /// </summary>
    /// <returns>
    /// The servers to look at again, since what keeps them from their routes may be another now: rivals, and the server itself
    /// when it was known before.
    /// </returns>
    public IReadOnlyCollection<ObjectKey> Update(ObjectKey key, MCPServer? server)
    {
        lock (_lock)
        {
            var before = _servers.GetValueOrDefault(key);
            var after = server is null ? null : RouteClaims.Of(server, settings, before);
            if (before is null ? after is null : after is not null && after.IsSameAs(before))
                return [];

            HashSet<ObjectKey> affected = [];
            foreach (var rival in Rivals(before).Concat(Rivals(after)))
                if (before?.Over(rival) != after?.Over(rival))
                    affected.Add(rival.Key);
            var conflict = Conflict(before);
            Remove(before);
            Add(after);
            if (before is not null && server is not null && Conflict(after) != conflict)
                affected.Add(key);
            return affected;
        }
    }

    /// <summary>What keeps this server from its routes; null when they are its own, or it asks for none.</summary>
    public RouteConflict? ConflictOf(ObjectKey key)
    {
        lock (_lock)
            return Conflict(_servers.GetValueOrDefault(key));
    }

    private RouteConflict? Conflict(RouteClaims? server)
    {
        RouteClaims.Precedence? first = null;
        foreach (var rival in Rivals(server))
            if (rival.Over(server!) is { } precedence && (first is null || precedence.ComesBefore(first.Value)))
                first = precedence;
        return first?.Conflict;
    }

    /// <summary>The others whose claims may overlap with those of the server; some of them more than once.</summary>
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
