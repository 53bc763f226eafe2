using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// The credentials of the provisioned registry. Without a read nobody can tell whether it still has those of today, so it is applied
/// once a process: that is how a new password reaches the namespaces. One that somebody else made, or changed, is left alone.
/// </summary>
internal sealed class PullSecretKind() : SharedKind(ResourceTypes.Secret)
{
    public override Wanted Want(Pass pass) => pass.MayRunPods && DeploymentManifest.UsesOperatorPullSecret(pass.Spec, pass.Settings)
        ? new Wanted.Apply(() => ApplyConfiguration.Of(Build(pass.Server.Metadata.Namespace, pass.Settings.ProvisionedRegistry)))
        : new Wanted.Keep();

    /// <exception cref="InvalidOperationException">The registry has no credentials.</exception>
    internal static Secret Build(string ns, ProvisionedRegistry registry)
    {
        if (registry is not { Url: { } url, Username: { } username, Password: { } password })
            throw new InvalidOperationException("the provisioned registry has no credentials");
        var config = new DockerConfig
        {
            Auths = new Dictionary<string, DockerAuth>
            {
                [url] = new()
                {
                    Username = username,
                    Password = password,
                    Auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}")),
                },
            },
        };
        return new Secret
        {
            Metadata = new Metadata { Name = registry.SecretName, Namespace = ns, Labels = Labels.Managed },
            Type = "kubernetes.io/dockerconfigjson",
            Data = new Dictionary<string, byte[]>
            {
                [".dockerconfigjson"] = JsonSerializer.SerializeToUtf8Bytes(config, ManifestJsonContext.Default.DockerConfig),
            },
        };
    }

    protected override async Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] manifest, ApplyMemory memory, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(pass.Server.Metadata.Namespace, pass.Settings.ProvisionedRegistry.SecretName);
        var (isTaken, problem) = await applier.ApplyUnreadAsync(Type, key, manifest, memory, cancellationToken).ConfigureAwait(false);
        if (!isTaken && problem is null)
            Log.PullSecretApplied(applier.Logger, key.Name);
        return isTaken
            ? new Problem(
                Problem.NameConflict,
                $"Secret {key} holds what somebody else wrote; it is left alone: delete it, or have PROVISIONED_REGISTRY_SECRET_NAME name another one")
            : problem;
    }
}
