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
/// reported; and that comes before nobody by age alone, so that no edit takes a route from who may serve it. The other hosts of a server whose spec is
/// invalid when the operator starts are not known at all: where somebody else asks for one, the Gateway goes by the older HTTPRoute.
/// </remarks>
internal sealed class RouteClaims
{
    /// <summary>That of an Ingress which names two.</summary>
    private const string EveryClass = "*";

    /// <summary>An HTTPRoute has 16 hosts, each with two routes.</summary>
    private const int MostOthers = 32;

    private static readonly string[] RouteConditions = [ConditionTypes.IngressReady, ConditionTypes.HttpRouteReady, ConditionTypes.IngressRouteReady];

    /// <summary>The conditions by which a report is judged.</summary>
    private static readonly string[] Read = [.. RouteConditions, ConditionTypes.Paused];

    /// <summary>The reasons of what is not ready, and yet written as the spec asks. With any other, what served before may do so still.</summary>
    private static readonly string[] Written =
        [Reasons.LoadBalancerPending, Reasons.IngressClassNotFound, Reasons.HttpRoutePending, Reasons.HttpRouteNotAccepted];

    /// <summary>Begins the class of an HTTPRoute, whose rest is its Gateway. No IngressClass has a blank in its name.</summary>
    private const string GatewayClass = "Gateway ";

    private readonly string _uid;
    private readonly DateTimeOffset _since;
    private readonly Route? _served;
    private readonly string? _servedClass;

    /// <summary>What is served beside that; null when it is not known.</summary>
    private readonly Claim[]? _others;
    private readonly Claim[] _claims;

    private RouteClaims(ObjectMeta metadata, Claim[] asked, Route? served, string? servedClass, Claim[]? others)
    {
        Key = metadata.Key;
        _uid = metadata.Uid;
        _since = metadata.CreationTimestamp;
        _served = served;
        _servedClass = servedClass;
        _others = others;
        _claims = served is null ? asked : ClaimsOf(asked, served, servedClass, others);
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
        var served = Route.FromUrl(server.Reported?.Url)?.Compared();
        var (isWritten, hasFormer) = served is null ? default : ReadReport(effective);
        var asked = Validation.Validate(effective, settings).Count > 0 ? [] : AskedBy(effective, ingressClass, isWritten ? Standing.Served : Standing.Asked);
        if (asked.Length > 0 && asked[0].Route == served)
            served = asked[0].Route; // one copy of its text for as long as the server is there
        if (served is null)
            return asked.Length == 0 ? null : new RouteClaims(server.Metadata, asked, null, servedClass: null, others: []);
        var isAsked = asked.Length > 0 && asked[0].Route == served;
        var known = before?._uid == server.Metadata.Uid && before._served is not null ? before : null;
        // Only what was written has another URL than before, though somebody else may contest a part of it.
        if (isAsked && !hasFormer && (isWritten || (known is not null && known._served != served && server.IsObservedGeneration())))
            return new RouteClaims(server.Metadata, asked, served, ingressClass, others: !isWritten ? null : asked.Length == 1 ? [] : asked[1..]);
        // No status names the class, or other hosts. After an edit, and of an invalid spec, they are those that were reported on before.
        return new RouteClaims(server.Metadata, asked, served, known?._servedClass, hasFormer ? known?.OthersWith(served) : known?._others);
    }

    /// <summary>Whether two reports say the same of what is claimed.</summary>
    public static bool ReadsTheSame(LastReport? one, LastReport? other)
    {
        if (one?.Url != other?.Url || one?.ObservedGeneration != other?.ObservedGeneration)
            return false;
        foreach (var type in Read)
        {
            var (before, after) = (one?.Find(type), other?.Find(type));
            if (before?.Status != after?.Status || before?.Reason != after?.Reason)
                return false;
        }

        return true;
    }

    /// <summary>
    /// What the last report says: whether it is about this spec, whose object is as it asks; and whether what that takes the place of is still there.
    /// </summary>
    private static (bool IsWritten, bool HasFormer) ReadReport(MCPServer effective)
    {
        var wanted = effective.Spec.HasIngress() ? ConditionTypes.IngressReady
            : effective.Spec.HasHttpRoute() ? ConditionTypes.HttpRouteReady : ConditionTypes.IngressRouteReady;
        var (isWritten, hasFormer) = (effective.IsObservedGeneration(), false);
        foreach (var type in RouteConditions)
        {
            var condition = effective.Reported!.Find(type);
            if (type != wanted)
                hasFormer |= condition is not null;
            else if (condition is { Status: not "True" } && !Written.Contains(condition.Value.Reason))
                isWritten = false;
        }

        return (isWritten, hasFormer);
    }

    /// <summary>What is served beside this route, while it takes the place of others: what was before, the route before included.</summary>
    private Claim[]? OthersWith(Route served)
    {
        var own = new Claim(_served!, _servedClass, IsMetadata: false, IsAsked: false, Standing.Served);
        return _others is null || _served == served || Has(_others, own) ? _others : [.. _others.Length < MostOthers ? _others : _others[1..], own];
    }

    public bool IsSameAs(RouteClaims other) =>
        _uid == other._uid && _since == other._since && _others is null == other._others is null
        && _others.AsSpan().SequenceEqual(other._others) && _claims.AsSpan().SequenceEqual(other._claims);

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

    /// <summary>What a spec asks for, in its class: first the routes of its hosts, then those of their metadata.</summary>
    private static Claim[] AskedBy(MCPServer effective, string ingressClass, Standing standing)
    {
        var routes = Routing.Routes(effective.Metadata.Name, effective.Spec);
        var own = Routing.HasMetadata(effective.Spec) ? routes.Count / 2 : routes.Count;
        var claims = new Claim[routes.Count];
        for (var i = 0; i < claims.Length; i++)
            claims[i] = new Claim(routes[i].Compared(), ingressClass, IsMetadata: i >= own, IsAsked: true, standing);
        return claims;
    }

    /// <param name="servedClass">In which it serves; null when that is not known.</param>
    private static Claim[] ClaimsOf(Claim[] asked, Route served, string? servedClass, Claim[]? others)
    {
        var isKnown = servedClass is not null;
        var ofServed = isKnown ? Standing.Served : Standing.PerhapsServed;
        var isItsClass = asked.Length > 0 && (servedClass ?? asked[0].Class) == asked[0].Class;
        var servesRoute = isItsClass && asked[0].Route == served;
        var own = new Claim(served, servedClass, IsMetadata: false, IsAsked: false, ofServed);
        Claim[] beside = others ?? [new Claim(served.Metadata(), servedClass, IsMetadata: true, IsAsked: false, Standing.PerhapsServed)];
        var (claims, count) = (new Claim[asked.Length + 1 + beside.Length], 0);
        foreach (var claim in asked)
        {
            var isServed = isItsClass && (IsSame(claim, own) || (others is not null && Has(others, claim)));
            var standing = isServed ? ofServed : others is null && servesRoute ? Standing.PerhapsServed : Standing.Asked;
            claims[count++] = standing > claim.Standing ? claim with { Standing = standing } : claim;
        }

        if (!(isKnown && isItsClass && Has(asked, own)))
            claims[count++] = own;
        foreach (var other in beside)
        {
            if (!(isKnown && (others is null ? servesRoute : isItsClass) && Has(asked, other)))
                claims[count++] = other with { Class = servedClass, IsAsked = false, Standing = others is null ? Standing.PerhapsServed : ofServed };
        }

        return claims[..count];
    }

    private static bool IsSame(Claim one, Claim other) => one.Route == other.Route && one.IsMetadata == other.IsMetadata;

    private static bool Has(Claim[] claims, Claim wanted)
    {
        foreach (var claim in claims)
        {
            if (IsSame(claim, wanted))
                return true;
        }

        return false;
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
