using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>The Deployment of the canary track.</summary>
internal sealed class CanaryKind(ServerKinds kinds, Store<ObservedDeployment> store, FormerVariables formerVariables, OwnedFields ours)
    : DeploymentKind(kinds, ConditionTypes.CanaryReady, store, formerVariables, ours, ObjectNames.CanarySuffix, "canary Deployment")
{
    /// <inheritdoc cref="StableKind.IsDue"/>
    public override bool IsDue(Pass pass) => pass.Spec.HasCanary() || pass.IsDone(Kinds.Stable);

    public override Wanted Want(Pass pass) => !pass.MayRunPods ? new Wanted.Keep()
        : pass.Spec.HasCanary() ? Apply(pass, DeploymentManifest.BuildCanary(pass.Server, pass.Settings, PolicyUid(pass)))
        : new Wanted.Absent();

    public override IEnumerable<Surface> Judge(Pass pass) =>
        pass.Spec.HasCanary() ? [SurfaceOf(pass, ProblemOf(pass), live => Judged(pass, live))] : [];
}
