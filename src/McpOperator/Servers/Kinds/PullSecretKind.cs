using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// The credentials of the provisioned registry. We may not read Secrets, so it is applied once per namespace and process; a new
/// password arrives with the restart. It is applied again, from time to time, while pods that pull with it do not come up. One
/// that somebody else made, or changed, is left alone.
/// </summary>
internal sealed class PullSecretKind(ServerKinds kinds, TimeProvider time) : SharedKind(ResourceTypes.Secret)
{
    /// <summary>The pause between two requests for one namespace, in requeue delays.</summary>
    private const int Delays = 12;

    private readonly KeyMap<Applied> _applied = new(); // by namespace

    public override DesiredState DesiredStateOf(Pass pass) => pass.MayRunPods && DeploymentManifest.UsesOperatorPullSecret(pass.Spec, pass.Settings)
        ? new DesiredState.Apply(() => ApplyConfiguration.Of(Build(pass.Server.Metadata.Namespace, pass.Settings.ProvisionedRegistry)))
        : new DesiredState.Keep();

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

    public override object? InputOf(ObjectKey server) =>
        _applied.Get(KeyOf(server.Namespace)) is { } applied && !IsPast(applied) ? applied : null;

    public override void ForgetNamespace(string ns)
    {
        base.ForgetNamespace(ns);
        _applied.Remove(KeyOf(ns));
    }

    /// <summary>It may be when pods do not come up.</summary>
    protected override bool IsGone(Pass pass)
    {
        var server = pass.Server.Key;
        return _applied.Get(KeyOf(server.Namespace)) is { } applied && IsPast(applied)
            && !(kinds.Stable.Get(server) is { } stable && DeploymentKind.IsReady(stable)
                && (kinds.Canary.Get(server) is not { } canary || DeploymentKind.IsReady(canary)));
    }

    protected override async Task<Problem?> WriteAsync(
        Applier applier, Pass pass, byte[] body, ApplyMemory memory, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(pass.Server.Metadata.Namespace, pass.Settings.ProvisionedRegistry.SecretName);
        var before = _applied.Get(KeyOf(key.Namespace))?.Version;
        // At once, so that no other worker begins.
        Note(before);
        var (problem, version) = await applier.Shared.ApplyUnreadAsync(Type, key, body, before, memory, cancellationToken).ConfigureAwait(false);
        if (version is not null && version != before)
        {
            Note(version);
            Log.PullSecretApplied(applier.Logger, key.Name);
        }

        return problem is { Reason: Problem.NameConflict }
            ? problem with { Message = $"{problem.Message}, or have PROVISIONED_REGISTRY_SECRET_NAME name another one" }
            : problem;

        void Note(string? written) =>
            _applied.Set(KeyOf(key.Namespace), new Applied(written, time.GetTimestamp(), Delays * pass.Settings.RequeueDelay));
    }

    private static ObjectKey KeyOf(string ns) => new(ns, "");

    private bool IsPast(Applied applied) => time.GetElapsedTime(applied.Since) >= applied.Pause;

    private sealed record Applied(string? Version, long Since, TimeSpan Pause);
}
