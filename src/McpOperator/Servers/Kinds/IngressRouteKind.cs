using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>Traefik's IngressRoute, which brings the clients of a server with mTLS to its Service. Traefik reports nothing of it: that it exists is all that is known.</summary>
internal sealed class IngressRouteKind(ServerKinds kinds, OptionalKinds optional, Store<ObservedPresence> store, OwnedFields ours)
    : OwnedKind<ObservedPresence>(ResourceTypes.IngressRoute, ConditionTypes.IngressRouteReady, store, json => new ObservedPresence(json, ours), ours)
{
    public override bool IsOptional => true;

    public override Task? Wanted => optional.Mtls;

    /// <summary>After the pods that it leads to, and what it refers to, or what takes its place.</summary>
    public override bool IsDue(Pass pass) => pass.IsDone(kinds.Stable) && pass.IsDone(kinds.Canary)
        && (pass.Spec.HasIngressRoute() ? kinds.ForIngressRoute.All(pass.IsDone) : kinds.IsRouteDue(pass, this));

    public override DesiredState DesiredStateOf(Pass pass)
    {
        var live = FindOwned(pass.Server);
        if (!pass.Spec.HasIngressRoute())
            return IsKept(pass, live) ? new DesiredState.Keep() : new DesiredState.Absent();
        return pass.RouteConflict is { } conflict ? new DesiredState.Withhold(new Problem(Reasons.RouteConflict, conflict.Message))
            : pass.IsPlan || live is not null || MayServe(pass) ? new DesiredState.Apply(() => Build(pass.Server, pass.Settings))
            : new DesiredState.Keep();
    }

    public override bool Serves(Pass pass) => pass.Spec.HasIngressRoute() && pass.ResultOf(this) is { Problem: null, Live.IsTerminating: false };

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass)
    {
        var result = pass.ResultOf(this);
        if (!pass.Spec.HasIngressRoute())
            return result is { Live: null, Problem: null } ? [] : [ConditionOf(pass, result.Problem, _ => Ready(Reasons.IngressRouteCreated, kinds.UntilMessage(pass)))];
        if (result is { Live: null, Problem: null })
        {
            return [Unready(Reasons.NotCreated, kinds.Ingress.LiveAfter(pass) is null && kinds.HttpRoute.LiveAfter(pass) is null
                ? "it is made when the certificates are issued, and all that it refers to is there"
                : "it is made when the certificates are issued, and each pod's gateway has its own; what served before stays until then")];
        }

        return [ConditionOf(pass, result.Problem, _ => Ready(Reasons.IngressRouteCreated, "the IngressRoute exists"))];
    }

    public override string? UrlOf(Pass pass) => kinds.UrlOf(pass, this);

    /// <param name="server">With the defaults filled in, and valid.</param>
    internal static byte[] Build(MCPServer server, OperatorSettings settings) => ApplyConfiguration.Of(
        ResourceTypes.IngressRoute, Labels.MetadataOf(server, MtlsObjects.LabelsOf(server.Metadata.Name)), MtlsObjects.IngressRoute(server, settings));

    /// <summary>
    /// Until the gateways speak otherwise, and what takes its place is there. Then it leads nowhere, and would come before that for Traefik: its rule is longer.
    /// </summary>
    private bool IsKept(Pass pass, ObservedPresence? live) => live is { IsTerminating: false } && !pass.IsPlan && pass.RouteConflict is null
        && kinds.RouteOf(pass.Spec) is { } wanted && (!kinds.HaveSwitched(pass) || pass.ResultOf(wanted) is not { Problem: null, Live.IsTerminating: false });

    /// <summary>
    /// Whether all that it refers to is there: Traefik would serve it without client certificates otherwise, or not at all. In the place of another, not before the pods
    /// are what it leads to.
    /// </summary>
    private bool MayServe(Pass pass) =>
        kinds.ForIngressRoute.All(kind => pass.ResultOf(kind) is { Problem: null, Live: { IsTerminating: false } live } && live is not ObservedCertificate { IsReady: false })
        && ((kinds.Ingress.FindOwned(pass.Server) is null && !pass.Server.IsTakenOver() && kinds.HttpRoute.FindOwned(pass.Server) is null) || kinds.HaveSwitched(pass));
}
