using McpOperator.Envtest;

[assembly: AssemblyFixture(typeof(ControlPlaneFixture))]

namespace McpOperator.Envtest;

/// <summary>
/// One control plane for the whole run, with our CRDs and our role. A test class takes it as constructor parameter; every test makes a
/// <see cref="TestNamespace"/> of its own, and a class that would disturb the others takes an <see cref="OwnControlPlane"/>.
/// </summary>
public sealed class ControlPlaneFixture : IAsyncLifetime
{
    public ControlPlane ControlPlane { get; private set; } = null!;

    /// <summary>The API as a cluster administrator.</summary>
    public KubeClient Client => ControlPlane.Client;

    public async ValueTask InitializeAsync()
    {
        ControlPlane = await ControlPlane.StartAsync(new() { AuditPolicy = AuditLog.PolicyWithDocuments });
        await InstallAsync(ControlPlane);
    }

    /// <summary>What README tells an administrator to apply: the CRDs, and the role that <see cref="TestNamespace"/> binds.</summary>
    public static async Task InstallAsync(ControlPlane controlPlane)
    {
        await controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"));
        await OperatorRole.InstallAsync(controlPlane);
    }

    /// <summary>Skips the running test where the cluster is somebody else's: no audit log, no other users, no restart.</summary>
    public void RequireOwn(string reason) =>
        Assert.SkipUnless(ControlPlane.IsOwn, $"needs a control plane of its own ({reason}), and USE_EXISTING_CLUSTER is set");

    public async ValueTask DisposeAsync()
    {
        if (ControlPlane is null)
            return;
        // A cluster that stays gets back the rules that the tests do without.
        if (!ControlPlane.IsOwn)
            await ControlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"), withRules: true);
        await ControlPlane.DisposeAsync();
    }
}
