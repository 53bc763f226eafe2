using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Kinds;

/// <summary>The identity of a namespace's pods; it has no permissions and no token. One that somebody else made stays as it is.</summary>
internal sealed class ServiceAccountKind(ServerKinds kinds) : SharedKind(ResourceTypes.ServiceAccount)
{
    /// <summary>A Deployment that stands had it: a restarted operator need not ask again.</summary>
    public override Wanted Want(Pass pass) =>
        pass.MayRunPods && (kinds.Stable.FindAny(pass.Server.Key) is null || IsGone(pass) || IsPending(pass.Server.Metadata.Namespace))
            ? new Wanted.Apply(() => ApplyConfiguration.Of(Build(pass.Server.Metadata.Namespace)))
            : new Wanted.Keep();

    internal static ServiceAccount Build(string ns) => new()
    {
        Metadata = new Metadata { Name = ObjectNames.ServiceAccount, Namespace = ns, Labels = Labels.Managed },
        AutomountServiceAccountToken = false,
    };

    /// <summary>The Deployment controller says so of its pods.</summary>
    protected override bool IsGone(Pass pass) =>
        kinds.Stable.FindAny(pass.Server.Key) is { LacksServiceAccount: true } || kinds.Canary.FindAny(pass.Server.Key) is { LacksServiceAccount: true };

    protected override Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] manifest, ApplyMemory memory, CancellationToken cancellationToken) =>
        applier.Shared.CreateAsync(Type, pass.Server.Metadata.Namespace, manifest, memory, cancellationToken);
}
