using McpOperator.Api;
using McpOperator.Resources;

namespace McpOperator.Reconciliation;

/// <summary>The objects of one server: what came of each in a pass, or what is there of it.</summary>
/// <param name="deployment">Of the stable track.</param>
/// <param name="canary">Of the canary's.</param>
/// <param name="service">Before both.</param>
/// <param name="ingress">Before the Service.</param>
/// <param name="policy">The gateway's ConfigMap.</param>
/// <param name="revision">Of the policy that should stand there; null without a gateway.</param>
public sealed class ServerObjects(
    Ensured<ObservedDeployment> deployment, Ensured<ObservedDeployment> canary, Ensured<ObservedService> service,
    Ensured<ObservedIngress> ingress, Ensured<ObservedConfigMap> policy, string? revision)
{
    public Ensured<ObservedDeployment> Deployment => deployment;

    public Ensured<ObservedDeployment> Canary => canary;

    public Ensured<ObservedService> Service => service;

    public Ensured<ObservedIngress> Ingress => ingress;

    public Ensured<ObservedConfigMap> Policy => policy;

    public string? Revision => revision;

    public bool IsRaced => Deployment.IsRaced || Canary.IsRaced || Service.IsRaced || Ingress.IsRaced || Policy.IsRaced;

    public bool HasWritten => Deployment.Change != Change.None || Canary.Change != Change.None || Service.Change != Change.None
        || Ingress.Change != Change.None || Policy.Change != Change.None;

    public bool HasCurrentPolicy => Revision is not null && Policy.Live?.Policy?.Revision == Revision;

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
        if (Revision is not null)
        {
            surfaces.Add(Readiness.OfGateway(Deployment.Live));
            surfaces.Add(With(Readiness.Of(Policy.Live, Revision), Policy.Problem));
        }

        if (spec.HasCanary())
            surfaces.Add(With(Readiness.OfCanary(Canary.Live), Canary.Problem));
        return surfaces;
    }

    private static Surface With(Surface surface, Problem? problem) =>
        problem is null ? surface : surface.Failed(problem);
}
