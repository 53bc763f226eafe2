namespace McpOperator.Api;

/// <summary>
/// Which routes a server claims, and how strongly: those that its spec asks for, and those that its Ingress serves according to
/// its status. Both count, since an Ingress that could not be changed yet still serves what it did before.
/// </summary>
/// <remarks>
/// A claim that is served comes before one that is not; between two alike, the older server's comes first. So nobody takes a
/// route from a server that serves it by editing another one. No status says whether the metadata path is served, nor other hosts than the first. It is known
/// when the report is about the current spec, and of no conflict. Until the next such report it is what it was before. When that is not known
/// either (the operator has just started), the path counts as perhaps served, which comes before what is surely not served, and after
/// what surely is. So does, in every ingress class, what an edited or an invalid server serves whose class this process has not seen
/// reported; and that comes before nobody by age alone, so that no edit takes a route from who may serve it.
/// </remarks>
internal sealed class RouteClaims
{
    /// <summary>That of an Ingress which names two.</summary>
    private const string EveryClass = "*";

    /// <summary>Begins the class of an HTTPRoute, whose rest is its Gateway. No IngressClass has a blank in its name.</summary>
    private const string GatewayClass = "Gateway ";

    private readonly string _uid;
    private readonly DateTimeOffset _since;
    private readonly Route? _served;
    private readonly string? _servedClass;
    private readonly bool? _servesMetadata;
    private readonly Claim[] _claims;

    private RouteClaims(
        ObjectMeta metadata, string ingressClass, IReadOnlyList<Route> asked, int own, Route? served, string? servedClass, bool? servesMetadata)
    {
        Key = metadata.Key;
        _uid = metadata.Uid;
        _since = metadata.CreationTimestamp;
        _served = served;
        _servedClass = servedClass;
        _servesMetadata = servesMetadata;
        _claims = [.. ClaimsOf(ingressClass, asked, own, served, servedClass, servesMetadata switch
        {
            true => Standing.Served,
            false => Standing.Asked,
            null => Standing.PerhapsServed,
        })];
    }

    public ObjectKey Key { get; }

    /// <summary>Each route, and whether it is a path of OAuth metadata, below which no other namespace may have a route.</summary>
    public IEnumerable<(Route Route, bool IsMetadata)> Routes => _claims.Select(claim => (claim.Route, claim.IsMetadata));

    /// <summary>
    /// The claims of a server as it is stored, given those that it had before. An invalid server claims what its status says that
    /// its Ingress still serves: nobody changes that Ingress meanwhile. Null when it never served anything.
    /// </summary>
    public static RouteClaims? Of(MCPServer server, OperatorSettings settings, RouteClaims? before)
    {
        var effective = server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) };
        var ingressClass = effective.Spec.IngressClass!;
        if (ingressClass == settings.DefaultIngressClass)
            ingressClass = settings.DefaultIngressClass; // one copy of its text for all
        // Some controllers go by the annotation where the two differ.
        if (effective.Spec.IngressAnnotations?.GetValueOrDefault(Routing.ClassAnnotation) is { } annotated && annotated != ingressClass)
            ingressClass = EveryClass;
        if (effective.Spec.HasHttpRoute())
            ingressClass = ClassOf(effective, settings);
        IReadOnlyList<Route> asked = Validation.Validate(effective, settings).Count > 0
            ? []
            : [.. Routing.Routes(server.Metadata.Name, effective.Spec).Select(route => route.Compared())];
        // After the routes of the hosts come those of their metadata.
        var own = Routing.HasMetadata(effective.Spec) ? asked.Count / 2 : asked.Count;
        var served = Route.FromUrl(server.Reported?.Url)?.Compared();
        if (asked.Count > 0 && asked[0] == served)
            served = asked[0]; // one copy of its text for as long as the server is there
        if (served is null)
            return asked.Count == 0 ? null : new RouteClaims(server.Metadata, ingressClass, asked, own, null, servedClass: null, servesMetadata: false);
        bool? servesMetadata = null;
        // One that does not get its routes keeps its URL until its Ingress is gone, which is not as its spec asks.
        var isWithheld = IsWithheld(ConditionTypes.IngressReady) || IsWithheld(ConditionTypes.HttpRouteReady) || IsWithheld(ConditionTypes.IngressRouteReady);
        var isCurrent = server.IsObservedGeneration();
        if (asked.Count > 0 && asked[0] == served && !isWithheld && isCurrent)
            servesMetadata = asked.Count > 1;
        else if (before?._uid == server.Metadata.Uid && before._served == served)
            servesMetadata = before._servesMetadata;
        // No status names the class. After an edit, and of an invalid spec, it is the one that was reported on before.
        var servedClass = asked.Count > 0 && isCurrent ? ingressClass
            : before?._uid == server.Metadata.Uid && before._served is not null ? before._servedClass : null;
        return new RouteClaims(server.Metadata, ingressClass, asked, own, served, servedClass, servesMetadata);

        bool IsWithheld(string condition) => server.Reported!.Find(condition)?.Reason == Reasons.RouteConflict;
    }

    public bool IsSameAs(RouteClaims other) =>
        _uid == other._uid && _since == other._since && _servesMetadata == other._servesMetadata
        && _claims.AsSpan().SequenceEqual(other._claims);

    /// <summary>
    /// The conflict because of which the other server does not get its routes while this one has them; null when there is none.
    /// Each of two servers may hold up the other, as when they trade their routes: then both have none until neither serves
    /// what the other one asks for.
    /// </summary>
    public Precedence? Over(RouteClaims other)
    {
        Precedence? best = null;
        foreach (var theirs in other._claims)
        {
            if (!theirs.IsAsked)
                continue;
            foreach (var ours in _claims)
            {
                if (OverlapOf(ours, theirs, Key.Namespace == other.Key.Namespace) is { } overlap
                    && (ours.Standing > theirs.Standing || (ours.Standing == theirs.Standing && ours.Class is not null && IsOlderThan(other)))
                    && (best is null || ours.Standing > best.Value.Standing))
                {
                    best = new Precedence(ours.Standing, _since, new RouteConflict(Key, theirs.Route, theirs.IsMetadata, overlap));
                }
            }
        }

        return best;
    }

    /// <param name="ingressClass">That the spec asks for.</param>
    /// <param name="servedClass">In which it serves; null when that is not known.</param>
    private static IEnumerable<Claim> ClaimsOf(
        string ingressClass, IReadOnlyList<Route> asked, int own, Route? served, string? servedClass, Standing ofMetadata)
    {
        var servesRoute = asked.Count > 0 && asked[0] == served && (servedClass is null || servedClass == ingressClass);
        var asksMetadata = asked.Count > own;
        var ofServed = servedClass is null ? Standing.PerhapsServed : Standing.Served;
        if (ofMetadata > ofServed)
            ofMetadata = ofServed;
        if (asked.Count > 0)
            yield return new Claim(asked[0], ingressClass, IsMetadata: false, IsAsked: true, servesRoute ? ofServed : Standing.Asked);
        for (var i = 1; i < asked.Count; i++)
            yield return new Claim(asked[i], ingressClass, IsMetadata: i >= own, IsAsked: true, servesRoute ? ofMetadata : Standing.Asked);
        if (served is null)
            yield break;
        if (!servesRoute || servedClass is null)
            yield return new Claim(served, servedClass, IsMetadata: false, IsAsked: false, ofServed);
        if (ofMetadata != Standing.Asked && !(servesRoute && asksMetadata && servedClass is not null))
            yield return new Claim(served.Metadata(), servedClass, IsMetadata: true, IsAsked: false, ofMetadata);
    }

    /// <summary>That of an HTTPRoute: what two Gateways serve is no conflict, but an Ingress and a Gateway may have one address.</summary>
    private static string ClassOf(MCPServer effective, OperatorSettings settings) => HttpRouteConfig.ParentsOf(effective.Spec, settings) is [var parent]
        ? $"{GatewayClass}{parent.Namespace ?? effective.Metadata.Namespace}/{parent.Name}"
        : EveryClass;

    private static bool AreApart(string? ours, string? theirs) =>
        ours is not (null or EveryClass) && theirs is not (null or EveryClass) && ours != theirs
        && ours.StartsWith(GatewayClass, StringComparison.Ordinal) == theirs.StartsWith(GatewayClass, StringComparison.Ordinal);

    private static RouteOverlap? OverlapOf(Claim ours, Claim theirs, bool isOfOneNamespace) =>
        AreApart(ours.Class, theirs.Class) ? null
        : ours.Route == theirs.Route ? RouteOverlap.Same
        : isOfOneNamespace ? null
        : ours.IsMetadata && theirs.Route.IsBelow(ours.Route) ? RouteOverlap.AboveIt
        : theirs.IsMetadata && ours.Route.IsBelow(theirs.Route) ? RouteOverlap.BelowIt
        : null;

    /// <summary>
    /// Creation times have whole seconds only. Between equal ones the names decide, so that it is the same each time.
    /// </summary>
    private bool IsOlderThan(RouteClaims other) => Precedence.Compare(_since, Key, other._since, other.Key) < 0;

    /// <param name="Class">Of the Ingress: what controllers of different classes serve is no conflict. Null when it may be any.</param>
    private readonly record struct Claim(Route Route, string? Class, bool IsMetadata, bool IsAsked, Standing Standing);

    /// <summary>From the weakest to the strongest.</summary>
    public enum Standing
    {
        Asked,
        PerhapsServed,
        Served,
    }

    /// <summary>
    /// The precedence of one server over another; of several rivals, the one that comes before the others is reported.
    /// </summary>
    public readonly record struct Precedence(Standing Standing, DateTimeOffset Since, RouteConflict Conflict)
    {
        public bool ComesBefore(Precedence other) => Standing != other.Standing
            ? Standing > other.Standing
            : Compare(Since, Conflict.Holder, other.Since, other.Conflict.Holder) < 0;

        internal static int Compare(DateTimeOffset since, ObjectKey key, DateTimeOffset otherSince, ObjectKey other)
        {
            var order = since.CompareTo(otherSince);
            if (order == 0)
                order = string.CompareOrdinal(key.Namespace, other.Namespace);
            return order == 0 ? string.CompareOrdinal(key.Name, other.Name) : order;
        }
    }
}
