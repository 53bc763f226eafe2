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

    public override DesiredState DesiredStateOf(Pass pass)
    {
        if (!MayRunPods(pass))
            return new DesiredState.Keep();
        if (pass.Spec.HasCanary())
        {
            return Apply(
                pass, DeploymentManifest.BuildCanary(pass.Server, pass.Settings, PolicyUid(pass)), Kinds.Stable, pass.Spec.StableReplicas());
        }

        // Not kept for its replicas: somebody's copy, or pods that never see the current policy.
        var isKept = !pass.IsPlan
            && FindOwned(pass.Server) is { DesiredReplicas: > 0, Fingerprint: not OwnedFields.None } live && live.PolicyUid == PolicyUid(pass)
            && !Kinds.Stable.IsUp(pass.Server, pass.Spec.StableReplicas());
        Hold(pass, isKept);
        return isKept ? new DesiredState.Keep() : new DesiredState.Absent();
    }

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass) =>
        pass.Spec.HasCanary() ? [WithHeld(pass, ConditionOf(pass, ProblemOf(pass), live => ProgressWithForeign(pass, live)), Kinds.Stable)] : [];
}
