using McpOperator.Apply;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// The ConfigMap with the policy of a server's gateways. The access controller writes it, so that nothing here can delay it; this
/// row only reports it.
/// </summary>
internal sealed class PolicyKind() : OwnedKind(ResourceTypes.ConfigMap)
{
    public override DesiredState DesiredStateOf(Pass pass) => new DesiredState.Keep();

    public override Task<ApplyResult> CarryOutAsync(
        Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken) => Task.FromResult<ApplyResult>(default);

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass) => pass.Spec.HasGateway()
        ? [pass.Policy?.Condition ?? PolicyState.ConditionOf(exists: false, isCurrent: false, seenByPods: false)]
        : [];

    public override Change ChangeOf(Pass pass) => pass.Policy?.Change ?? Change.None;
}
