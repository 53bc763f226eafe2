namespace McpOperator.Envtest;

/// <summary><c>diff --all-namespaces</c>, before somebody switches operators. In a control plane of its own, for it is about a whole cluster.</summary>
public sealed class GoOperatorPreviewTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static SortedDictionary<string, string> Expected => GoOperatorTakeOverTests.Expected;

    /// <summary>Before the switch, and beside the Go operator: nothing is written.</summary>
    [Fact]
    public async Task ThePreviewIsTheTableAndAfterTheSwitchThereIsNothingLeftToShow()
    {
        var controlPlane = own.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        var recorded = new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name);
        await recorded.WriteAsync();
        await ns.GrantEverywhereAsync();
        var before = await recorded.LiveAsync();

        var preview = await PreviewAsync(controlPlane, ns);

        Assert.Equal((1, ""), (preview.ExitCode, preview.Errors));
        Assert.StartsWith(
            $"""
            9 MCPServers: pods are replaced: 1, objects change, and no pod: {Expected.Count - 1}, routes change: 0, specs are refused: 0, specs are doubtful: 3, grants and sessions do not count: 1

            Pods are replaced:
              Deployment {ns}/envy: {Expected["Deployment envy"]}

            Objects change, and no pod:

            """,
            preview.Output, StringComparison.Ordinal);
        Assert.Equal(
            Expected.Select(change => $"  {change.Key.Replace(" ", $" {ns}/", StringComparison.Ordinal)}: {change.Value}").Order(StringComparer.Ordinal),
            preview.Output[..preview.Output.IndexOf("\n\nSpecs", StringComparison.Ordinal)].Split('\n')
                .Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Contains(
            $"""

            Specs are doubtful:
              MCPServer {ns}/envy: spec.envVars[2].name: "A" is set by spec.envVars[0].name, too: this one counts, for it is the last; remove the other
              MCPServer {ns}/gated: spec.session.maxLifetime: "7d" is handed on as it is, and is no duration: write 24h, 1h30m or 45s
              MCPServer {ns}/pathed: spec.ingressPath: "/tools" is not used, for spec.publicPathPrefix is set: take one of the two out

            Grants and sessions do not count:
              MCPAccessGrant {other}/foreign: NamespaceNotAllowed: MCPServer {ns}/gated takes nothing from namespace {other}: its annotation mcpruntime.org/allow-access-from does not list it

            """,
            preview.Output, StringComparison.Ordinal);
        Assert.Equal(GoOperatorTakeOverTests.Versions(before), GoOperatorTakeOverTests.Versions(await recorded.LiveAsync()));

        await using var scenario = await GoOperatorTakeOverTests.SwitchAsync(controlPlane, ns, other);
        Assert.Equal(Expected, await GoOperatorTakeOverTests.ChangesAsync(recorded, before));
        var settled = await PreviewAsync(controlPlane, ns);
        Assert.Equal((0, "No changes\n", ""), (settled.ExitCode, settled.Output, settled.Errors));
    }

    private static Task<Command> PreviewAsync(ControlPlane controlPlane, TestNamespace ns) => Command.OperatorAsync(
        ["diff", "--all-namespaces", "--kubeconfig", controlPlane.Kubeconfig(ns.OperatorUser), .. GoOperatorObjects.Environment.Select(variable => $"--set-env={variable.Key}={variable.Value}")]);
}
