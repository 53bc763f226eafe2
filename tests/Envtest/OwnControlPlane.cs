namespace McpOperator.Envtest;

/// <summary>
/// A control plane of one class: for those that stop it, that make crowds, or that count watches. In a burst of writes an API
/// server ends the watches of whoever is slow to read, of other namespaces too. It has the CRDs and the role; an API server
/// that begins denies what roles grant until it knows them, so that a scenario that restarts it has to expect denials.
/// </summary>
public sealed class OwnControlPlane : IAsyncLifetime
{
    private readonly ControlPlaneFixture _fixture = new();

    /// <summary>As the tests that share one know it.</summary>
    public ControlPlaneFixture Fixture => _fixture;

    public ControlPlane ControlPlane => _fixture.ControlPlane;

    public async ValueTask InitializeAsync()
    {
        if (!new ControlPlaneOptions().UseExistingCluster)
            await _fixture.InitializeAsync();
    }

    public ControlPlane Require()
    {
        Assert.SkipWhen(new ControlPlaneOptions().UseExistingCluster, "needs a control plane of its own, and USE_EXISTING_CLUSTER is set");
        return ControlPlane;
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();
}
