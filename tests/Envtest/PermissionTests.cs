namespace McpOperator.Envtest;

/// <summary>
/// The role of config/rbac. That it suffices is asserted at the end of every scenario (<see cref="TestNamespace"/>);
/// here is shown that this assertion can fail, and that the role grants no more than a namespaced operator may have.
/// </summary>
public sealed class PermissionTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task AScenarioWhoseOperatorIsDeniedSomethingFailsAtItsEnd()
    {
        fixture.RequireOwn("users of its own");
        var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        using (var client = fixture.ControlPlane.ClientFor(ns.OperatorUser))
        {
            await client.ListAsync(Resource.MCPServers, ns.Name);
            await Assert.ThrowsAsync<KubeException>(() => client.ListAsync(Resource.Secrets, ns.Name));
        }

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => ns.DisposeAsync().AsTask());

        Assert.Contains($"{ns.OperatorUser} list /api/v1/namespaces/{ns}/secrets 403", failure.Message);
    }

    [Fact]
    public async Task ABoundOperatorHasItsPermissionsInItsNamespaceAndNowhereElse()
    {
        fixture.RequireOwn("users of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        ns.ExpectsDenials = true;
        using var client = fixture.ControlPlane.ClientFor(ns.OperatorUser);

        await client.ListAsync(Resource.Deployments, ns.Name);

        foreach (var resource in new[] { Resource.MCPServers, Resource.Deployments, Resource.Services, Resource.Ingresses })
            await Assert.ThrowsAsync<KubeException>(() => client.ListAsync(resource));
        await Assert.ThrowsAsync<KubeException>(() => client.ListAsync(Resource.Deployments, "default"));
        foreach (var resource in new[] { Resource.Secrets, Resource.ServiceAccounts })
            await Assert.ThrowsAsync<KubeException>(() => client.FindAsync(resource, ns.Name, "any"));
    }
}
