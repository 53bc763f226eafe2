namespace McpOperator.Envtest;

/// <summary>What becomes of a cluster that the Go operator left, object by object (<see cref="GoOperatorObjects"/>).</summary>
public sealed class GoOperatorTakeOverTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    /// <summary>
    /// Which objects change, and in which fields. Of pods only those of a spec that names a variable twice: no apply can write that, and
    /// the last one counts as it did.
    /// </summary>
    private static readonly SortedDictionary<string, string> Expected = new(StringComparer.Ordinal)
    {
        ["ConfigMap gated-gateway-policy"] = "data.policy.json", // without the grant of another namespace
        ["Deployment envy"] = "spec.template.spec.containers[envy].env",
        ["Ingress birdy"] = "metadata.labels",
        ["Ingress counted"] = "metadata.labels",
        ["Ingress envy"] = "metadata.annotations, metadata.labels", // without rewrite-target
        ["Ingress gated"] = "metadata.labels",
        ["Ingress hosted"] = "metadata.labels",
        ["Ingress oauthed"] = "metadata.labels",
        ["Ingress pathed"] = "metadata.labels",
        ["Ingress plain"] = "metadata.labels",
        ["Ingress stopped"] = "metadata.labels",
        ["Service birdy"] = "spec.ports[http].targetPort",
        ["Service counted"] = "spec.ports[http].targetPort, spec.ports[metrics].targetPort",
        ["Service envy"] = "spec.ports[http].targetPort",
        ["Service gated"] = "spec.ports[http].targetPort, spec.ports[metrics].targetPort",
        ["Service hosted"] = "spec.ports[http].targetPort",
        ["Service oauthed"] = "spec.ports[http].targetPort, spec.ports[metrics].targetPort",
        ["Service pathed"] = "spec.ports[http].targetPort",
        ["Service plain"] = "spec.ports[http].targetPort",
        ["Service stopped"] = "spec.ports[http].targetPort",
    };

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
        Assert.Equal(Versions(before), Versions(await recorded.LiveAsync()));

        await using var scenario = await SwitchAsync(controlPlane, ns, other);
        Assert.Equal(Expected, await ChangesAsync(recorded, before));
        var settled = await PreviewAsync(controlPlane, ns);
        Assert.Equal((0, "No changes\n", ""), (settled.ExitCode, settled.Output, settled.Errors));
    }

    private static async Task<ServerScenario> SwitchAsync(ControlPlane controlPlane, TestNamespace ns, TestNamespace other)
    {
        var scenario = await ServerScenario.StartAsync(
            controlPlane, ns, GoOperatorObjects.Environment, ["--watch-namespaces", $"{ns},{other}", .. ServerScenario.OneWorker]);
        foreach (var server in GoOperatorObjects.Servers)
            await scenario.SettledAsync(server);
        return scenario;
    }

    private static Task<Command> PreviewAsync(ControlPlane controlPlane, TestNamespace ns) => Command.OperatorAsync(
        ["diff", "--all-namespaces", "--kubeconfig", controlPlane.Kubeconfig(ns.OperatorUser), .. GoOperatorObjects.Environment.Select(variable => $"--set-env={variable.Key}={variable.Value}")]);

    private static async Task<SortedDictionary<string, string>> ChangesAsync(GoOperatorObjects recorded, SortedDictionary<string, System.Text.Json.Nodes.JsonObject> before)
    {
        var changes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, live) in await recorded.LiveAsync())
        {
            var fields = string.Join(", ", GoOperatorObjects.Changes(before.GetValueOrDefault(name), live));
            if (fields.Length > 0)
                changes[name] = fields;
        }
        return changes;
    }

    private static string Versions(SortedDictionary<string, System.Text.Json.Nodes.JsonObject> live) =>
        string.Join(' ', live.Values.Select(found => (string?)found["metadata"]!["resourceVersion"]));
}
