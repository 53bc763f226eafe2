using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Kinds;

/// <summary>The identity of a namespace's pods, without permissions or token. One that somebody else made stays as it is.</summary>
internal sealed class ServiceAccountKind(ServerKinds kinds) : SharedKind(ResourceTypes.ServiceAccount)
{
    /// <summary>An existing Deployment shows that it was created, so it is not created again after a restart.</summary>
    public override DesiredState DesiredStateOf(Pass pass) =>
        pass.MayRunPods && pass.Spec.ServiceAccountName is null or ObjectNames.ServiceAccount
        && (kinds.Stable.Get(pass.Server.Key) is null || IsGone(pass) || IsPending(pass.Server.Metadata.Namespace))
            ? new DesiredState.Apply(() => ApplyConfiguration.Of(Build(pass.Server.Metadata.Namespace)))
            : new DesiredState.Keep();

    internal static ServiceAccount Build(string ns) => new()
    {
        Metadata = new Metadata { Name = ObjectNames.ServiceAccount, Namespace = ns, Labels = Labels.Managed },
        AutomountServiceAccountToken = false,
    };

    /// <summary>The Deployment's condition ReplicaFailure says so.</summary>
    protected override bool IsGone(Pass pass) =>
        kinds.Stable.Get(pass.Server.Key) is { LacksServiceAccount: true } || kinds.Canary.Get(pass.Server.Key) is { LacksServiceAccount: true };

    protected override Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] body, ApplyMemory memory, CancellationToken cancellationToken) =>
        applier.Shared.CreateAsync(Type, pass.Server.Metadata.Namespace, body, memory, cancellationToken);
}
