using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>
/// Which members a document is to do without when it would not fit into a ConfigMap. To leave one out must never let anybody do more:
/// docs/policy.md says what a gateway makes of them, and why this order follows from it.
/// </summary>
/// <remarks>
/// Members go in one by one, and from the first on that does not fit all stay out: whether one has a place must not change with
/// the size of those after it. <see cref="AccessObjectSize.Limit"/> is what can be lost by that.
/// </remarks>
internal sealed class PolicyFit
{
    private readonly HashSet<AccessObject> _leftOut = new(ReferenceEqualityComparer.Instance);

    private PolicyFit()
    {
    }

    /// <summary>How many.</summary>
    public int Count => _leftOut.Count;

    /// <summary>
    /// An enabled grant is among them. Where everybody may do by default what no grant speaks of, it was one that denied something.
    /// </summary>
    public bool LosesGrant { get; private set; }

    public bool LeavesOut(AccessObject member) => _leftOut.Contains(member);

    /// <param name="now">Decides which sessions are expired.</param>
    /// <param name="room">For the whole text, in bytes.</param>
    /// <returns>Null when all of them fit. Then nothing was measured that is not near the limit.</returns>
    public static PolicyFit? Of(
        PolicyHead head, List<MCPAccessGrant> grants, List<MCPAgentSession> sessions, string own, DateTimeOffset now, int room)
    {
        var size = new AccessObjectSize(head.Team);
        long total = head.Size + AccessObjectSize.OfList("grants") + AccessObjectSize.OfList("sessions");
        foreach (var grant in grants)
            total += size.AtMost(grant);
        foreach (var session in sessions)
            total += size.AtMost(session);
        if (total <= room)
            return null;

        var places = new List<Place>(grants.Count + sessions.Count);
        foreach (var grant in grants)
            places.Add(new Place(grant, TakesAway(grant) ? 0 : grant.Metadata.Namespace == own ? 1 : 2, size.Of(grant)));
        foreach (var session in sessions)
            places.Add(new Place(session, (session.ExpiresAt <= now ? 3 : 1) + (session.Metadata.Namespace == own ? 0 : 1), size.Of(session)));
        places.Sort(InTurn);
        return Fitting(places, room - head.Size) is var kept && kept == places.Count ? null : Without(places, kept);
    }

    private static PolicyFit Without(List<Place> places, int kept)
    {
        var fit = new PolicyFit();
        for (var i = kept; i < places.Count; i++)
        {
            fit._leftOut.Add(places[i].Member);
            fit.LosesGrant |= places[i].Member is MCPAccessGrant { Spec.Disabled: not true };
        }

        return fit;
    }

    /// <summary>How many have a place. None has when one of those that take away has none: what it denies, another may allow.</summary>
    private static int Fitting(List<Place> places, long room)
    {
        var (hasGrants, hasSessions) = (false, false);
        for (var i = 0; i < places.Count; i++)
        {
            ref var isBegun = ref places[i].Member is MCPAccessGrant ? ref hasGrants : ref hasSessions;
            if (!isBegun)
                room -= AccessObjectSize.OfList(places[i].Member is MCPAccessGrant ? "grants" : "sessions");
            isBegun = true;
            room -= places[i].Size;
            if (room < 0)
                return places[i].Turn == 0 ? 0 : i;
        }

        return places.Count;
    }

    /// <summary>
    /// Whether without it somebody might do more, where nobody may do anything by default. What any grant denies is denied, and the
    /// trust that a tool needs is the highest that any asks for; all else adds up.
    /// </summary>
    private static bool TakesAway(MCPAccessGrant grant)
    {
        if (grant.Spec.Disabled is true || grant.Spec.ToolRules is not { } rules)
            return false;
        foreach (var rule in rules)
        {
            if (rule.Denies()
                || (Defaults.Trimmed(rule.RequiredTrust) ?? Defaults.RuleRequiredTrust) != Defaults.RuleRequiredTrust)
                return true;
        }

        return false;
    }

    private static int InTurn(Place left, Place right)
    {
        var (one, other) = (left.Member.Metadata, right.Member.Metadata);
        var order = left.Turn.CompareTo(right.Turn);
        if (order == 0)
            order = one.CreationTimestamp.CompareTo(other.CreationTimestamp);
        if (order == 0)
            order = string.CompareOrdinal(one.Namespace, other.Namespace);
        if (order == 0)
            order = string.CompareOrdinal(one.Name, other.Name);
        return order != 0 ? order : (right.Member is MCPAccessGrant).CompareTo(left.Member is MCPAccessGrant);
    }

    /// <param name="Member">A grant or a session.</param>
    /// <param name="Turn">Grants that take away, then what is of the server's own namespace, then what is not; last what has expired.</param>
    /// <param name="Size">In bytes.</param>
    private sealed record Place(AccessObject Member, int Turn, int Size);
}
