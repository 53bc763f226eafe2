using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Kinds;

/// <summary>The identity of a namespace's pods, without permissions or token. One that somebody else made stays as it is.</summary>
internal sealed class ServiceAccountKind(ServerKinds kinds) : SharedKind(ResourceTypes.ServiceAccount)
{
    /// <summary>An existing Deployment shows that it was created, so it is not created again after a restart.</summary>
    public override Wanted Want(Pass pass) =>
        pass.MayRunPods && (kinds.Stable.FindAny(pass.Server.Key) is null || IsGone(pass) || IsPending(pass.Server.Metadata.Namespace))
            ? new Wanted.Apply(() => ApplyConfiguration.Of(Build(pass.Server.Metadata.Namespace)))
            : new Wanted.Keep();

    internal static ServiceAccount Build(string ns) => new()
    {
        Metadata = new Metadata { Name = ObjectNames.ServiceAccount, Namespace = ns, Labels = Labels.Managed },
        AutomountServiceAccountToken = false,
    };

    /// <summary>The Deployment's condition ReplicaFailure says so.</summary>
    protected override bool IsGone(Pass pass) =>
        kinds.Stable.FindAny(pass.Server.Key) is { LacksServiceAccount: true } || kinds.Canary.FindAny(pass.Server.Key) is { LacksServiceAccount: true };

    protected override Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] manifest, ApplyMemory memory, CancellationToken cancellationToken) =>
        applier.Shared.CreateAsync(Type, pass.Server.Metadata.Namespace, manifest, memory, cancellationToken);
}
