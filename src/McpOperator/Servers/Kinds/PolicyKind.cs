using McpOperator.Apply;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// The ConfigMap with the policy of a server's gateways. The access controller writes it, so that nothing here can delay it; this
/// row only reports it.
/// </summary>
internal sealed class PolicyKind() : OwnedKind(ResourceTypes.ConfigMap)
{
    public override Wanted Want(Pass pass) => new Wanted.Keep();

    public override Task<ApplyResult<Observed>> ReconcileAsync(
        Applier applier, Pass pass, Wanted wanted, CancellationToken cancellationToken) => Task.FromResult<ApplyResult<Observed>>(default);

    public override IEnumerable<Surface> Judge(Pass pass) => pass.Spec.HasGateway()
        ? [pass.Policy?.Surface ?? PolicyState.SurfaceOf(exists: false, isCurrent: false, isShown: false)]
        : [];

    public override Change ChangeOf(Pass pass) => pass.Policy?.Change ?? Change.None;
}
