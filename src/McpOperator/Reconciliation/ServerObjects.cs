using McpOperator.Api;
using McpOperator.Resources;

namespace McpOperator.Reconciliation;

/// <summary>The objects of one server: what came of each in a pass, or what is there of it.</summary>
/// <param name="deployment">Of the stable track.</param>
/// <param name="canary">Of the canary's.</param>
/// <param name="service">Before both.</param>
/// <param name="ingress">Before the Service.</param>
/// <param name="policy">What is said of the gateway's policy; null without one.</param>
public sealed class ServerObjects(
    Ensured<ObservedDeployment> deployment, Ensured<ObservedDeployment> canary, Ensured<ObservedService> service,
    Ensured<ObservedIngress> ingress, PolicyState? policy)
{
    public Ensured<ObservedDeployment> Deployment => deployment;

    public Ensured<ObservedDeployment> Canary => canary;

    public Ensured<ObservedService> Service => service;

    public Ensured<ObservedIngress> Ingress => ingress;

    public PolicyState? Policy => policy;

    public bool IsRaced => Deployment.IsRaced || Canary.IsRaced || Service.IsRaced || Ingress.IsRaced;

    public bool HasWritten => Deployment.Change != Change.None || Canary.Change != Change.None || Service.Change != Change.None
        || Ingress.Change != Change.None;

    /// <summary>Of what is on, in the order in which it is reported.</summary>
    /// <param name="spec">In effect.</param>
    /// <param name="isPermissive">Whether an Ingress that exists with a rule is ready.</param>
    public IReadOnlyList<Surface> Surfaces(MCPServerSpec spec, bool isPermissive)
    {
        List<Surface> surfaces =
        [
            With(Readiness.Of(Deployment.Live), Deployment.Problem),
            With(Readiness.Of(Service.Live), Service.Problem),
            With(Readiness.Of(Ingress.Live, isPermissive), Ingress.Problem),
        ];
        if (spec.HasGateway())
        {
            surfaces.Add(Readiness.OfGateway(Deployment.Live));
            surfaces.Add(Policy?.Surface ?? Readiness.OfPolicy(exists: false, isCurrent: false, isShown: false));
        }

        if (spec.HasCanary())
            surfaces.Add(With(Readiness.OfCanary(Canary.Live), Canary.Problem));
        return surfaces;
    }

    private static Surface With(Surface surface, Problem? problem) =>
        problem is null ? surface : surface.Failed(problem);
}
