namespace McpOperator.Envtest;

/// <summary>What becomes of a cluster that the Go operator left, object by object (<see cref="GoOperatorObjects"/>).</summary>
public sealed class GoOperatorTakeOverTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    [Fact]
    public async Task EachObjectChangesInTheFieldsOfTheTableAndInNoOther()
    {
        var controlPlane = own.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantInAsync(other);
        var recorded = new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name);
        await recorded.WriteAsync();
        var before = await recorded.LiveAsync();

        await using var scenario = await ServerScenario.StartAsync(
            controlPlane, ns, GoOperatorObjects.Environment, ["--watch-namespaces", $"{ns},{other}", .. ServerScenario.OneWorker]);
        foreach (var server in GoOperatorObjects.Servers)
            await scenario.SettledAsync(server);

        var after = await recorded.LiveAsync();
        foreach (var (name, live) in after)
            Console.Error.WriteLine($"{name}: {string.Join(", ", GoOperatorObjects.Changes(before.GetValueOrDefault(name), live))}");
        foreach (var server in GoOperatorObjects.Servers)
            Console.Error.WriteLine((await scenario.ServerAsync(server))["status"]!.ToJsonString());
        Assert.Fail("x");
    }
}
