namespace McpOperator.Soak.Checking;

/// <summary>
/// Who keeps whom from its routes, by docs/design.md. Who served one first is history, but the statuses say what came of it: of two
/// that overlap, the one that serves its routes is first, else the older. So what is checked is that the statuses agree with
/// themselves: not two that overlap both serve, not both wait where nobody else is before them, and each has its Ingress or none.
/// </summary>
internal sealed class RouteOrder(IReadOnlyCollection<Wanted> servers)
{
    private readonly Dictionary<string, IReadOnlyList<Wanted>> _before = servers.ToDictionary(
        wanted => wanted.Key, wanted => (IReadOnlyList<Wanted>)[.. servers.Where(other => other != wanted && IsBefore(other, wanted))]);

    /// <summary>Those that keep the server from its routes; none: it has them.</summary>
    public IReadOnlyList<Wanted> Before(Wanted wanted) => _before[wanted.Key];

    private static bool IsBefore(Wanted other, Wanted wanted)
    {
        // Of one that is invalid nothing is changed.
        if (wanted.Faults().Count > 0)
            return false;
        if (Overlap(other, wanted))
        {
            if (other.Faults().Count > 0)
                return !wanted.ServesItsRoutes;
            return other.ServesItsRoutes == wanted.ServesItsRoutes ? other.IsOlderThan(wanted) : other.ServesItsRoutes;
        }

        // It may have had OAuth before it became invalid: whoever waits for its path may have to.
        return other.Faults().Count > 0 && !wanted.ServesItsRoutes && IsToldOfAConflict(wanted)
            && other.MetadataRouteOfServed is { } metadata && Overlap([metadata], metadata, other, wanted);
    }

    private static bool IsToldOfAConflict(Wanted wanted) =>
        wanted.Server["status"].Items("conditions").Any(condition => condition.Raw("reason") == "RouteConflict");

    private static bool Overlap(Wanted other, Wanted wanted) => Overlap(other.Routes, other.MetadataRoute, other, wanted);

    private static bool Overlap(IReadOnlyList<string> routes, string? metadata, Wanted other, Wanted wanted) =>
        (other.Class == wanted.Class || other.Faults().Count > 0) && (routes.Intersect(wanted.Routes).Any()
        || (other.Namespace != wanted.Namespace && (AnyBelow(wanted.Routes, metadata) || AnyBelow(routes, wanted.MetadataRoute))));

    private static bool AnyBelow(IReadOnlyList<string> routes, string? metadata) =>
        metadata is not null && routes.Any(route => route.StartsWith(metadata + "/", StringComparison.Ordinal));
}
