using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>The Deployment of the stable track.</summary>
internal sealed class StableKind(ServerKinds kinds, Store<ObservedDeployment> store, FormerVariables formerVariables, OwnedFields ours)
    : DeploymentKind(kinds, ConditionTypes.DeploymentReady, store, formerVariables, ours)
{
    /// <summary>The canary first while there is one, else the stable track: whichever takes over pods.</summary>
    public override bool IsDue(Pass pass) => !pass.Spec.HasCanary() || pass.IsDone(Kinds.Canary);

    public override DesiredState DesiredStateOf(Pass pass) => MayRunPods(pass)
        ? Apply(pass, DeploymentManifest.Build(pass.Server, pass.Settings, PolicyUid(pass)), Kinds.Canary, pass.Spec.CanaryReplicas())
        : new DesiredState.Keep();

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass)
    {
        // A canary or policy that is no longer wanted has no condition of its own: that it cannot be deleted is reported here.
        var undeleted = (pass.Spec.HasCanary() ? null : pass.ResultOf(Kinds.Canary).Problem) ?? (pass.IsValid ? pass.Policy?.Problem : null);
        yield return WithHeld(pass, ConditionOf(pass, ProblemOf(pass) ?? undeleted, live => ProgressWithForeign(pass, live)), Kinds.Canary);
        if (pass.Spec.HasGateway())
            yield return GatewayOf(pass, LiveAfter(pass));
    }

    private ComponentCondition GatewayOf(Pass pass, ObservedDeployment? live) => live switch
    {
        null => Gateway(false, Reasons.NotCreated, "the gateway does not exist"),
        { Finalizers: { } finalizers } => Gateway(false, Reasons.Terminating, TerminatingMessage(finalizers)),
        { HasGateway: false } => Gateway(false, Reasons.GatewayProgressing, "the Deployment has none yet"),
        _ when !IsReady(live) && CauseOf(pass, live) is { IsOfGateway: true } cause => Gateway(false, cause.Reason, cause.Message),
        _ when !IsReady(live) => Gateway(false, Reasons.GatewayProgressing, "the Deployment is not ready"),
        _ => Gateway(true, Reasons.GatewayAvailable, "every pod has its gateway"),
    };

    private static ComponentCondition Gateway(bool isReady, string reason, string message) =>
        new(ConditionTypes.GatewayReady, "gateway", isReady, reason, message);
}
