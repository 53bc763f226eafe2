using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>
/// Who claims which host and path. Two servers with the same one would fight over its traffic: the older keeps it.
/// </summary>
public sealed class RouteTable(OperatorSettings settings)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, Claim> _claims = [];
    private readonly Dictionary<Route, List<Claim>> _byRoute = [];

    /// <summary>
    /// Notes the server's route (null: the server is gone), and returns the others that claim the route which it took
    /// or left, for one of them may now win or lose it.
    /// </summary>
    public IReadOnlyCollection<ObjectKey> Update(ObjectKey key, MCPServer? server)
    {
        var claim = server is not null && RouteOf(server) is { } route
            ? new Claim(key, server.Metadata.CreationTimestamp, route)
            : null;
        lock (_lock)
        {
            _claims.TryGetValue(key, out var before);
            if (before == claim)
                return [];
            HashSet<ObjectKey> rivals = [];
            if (before is not null)
            {
                var claims = _byRoute[before.Route];
                claims.Remove(before);
                rivals.UnionWith(claims.Select(other => other.Key));
                if (claims.Count == 0)
                    _byRoute.Remove(before.Route);
                _claims.Remove(key);
            }

            if (claim is not null)
            {
                if (!_byRoute.TryGetValue(claim.Route, out var claims))
                    _byRoute.Add(claim.Route, claims = new List<Claim>(capacity: 1));
                rivals.UnionWith(claims.Select(other => other.Key));
                claims.Add(claim);
                _claims.Add(key, claim);
            }

            return rivals;
        }
    }

    /// <summary>The server that keeps the route of this one from it; null when the route is its own.</summary>
    public ObjectKey? HolderBefore(ObjectKey key)
    {
        lock (_lock)
        {
            if (!_claims.TryGetValue(key, out var own))
                return null;
            var holder = own;
            foreach (var other in _byRoute[own.Route])
                if (other.IsOlderThan(holder))
                    holder = other;
            return holder == own ? null : holder.Key;
        }
    }

    /// <summary>
    /// As an ingress controller compares them: <c>/a</c> and <c>/a/</c> alike (hosts are in lower case). Of an invalid server it
    /// is the route of its last valid spec, which its Ingress still serves and its status still names; null when it
    /// never had one, for then it keeps nobody from anything.
    /// </summary>
    private Route? RouteOf(MCPServer server)
    {
        var effective = server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) };
        var route = Validation.Validate(effective, settings).Count == 0
            ? Routing.Resolve(server.Metadata.Name, effective.Spec)
            : Route.FromUrl(server.Reported?.Url);
        return route is null ? null : route with { Path = route.Path.TrimEnd('/') };
    }

    private sealed record Claim(ObjectKey Key, DateTimeOffset Since, Route Route)
    {
        /// <summary>Creation times have whole seconds only: the names decide between equals, the same way every time.</summary>
        public bool IsOlderThan(Claim other)
        {
            var order = Since.CompareTo(other.Since);
            if (order == 0)
                order = string.CompareOrdinal(Key.Namespace, other.Key.Namespace);
            if (order == 0)
                order = string.CompareOrdinal(Key.Name, other.Key.Name);
            return order < 0;
        }
    }
}
