using System.Text;

namespace McpOperator.Envtest;

/// <summary><c>diff</c>: what the operator would change, told without changing anything.</summary>
public sealed class DiffTests(ControlPlaneFixture fixture)
{
    private const string Canary = "replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1}";

    [Fact]
    public async Task AChangeIsOneDiffOfTheObjectThatChanges()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 2}");
        await scenario.SettledAsync();

        var diff = await DiffAsync(scenario, Server("web", "{image: 'example.org/web:2', replicas: 2}"));

        var name = $"deployments.apps/{scenario.Namespace}/web";
        Assert.Equal((1, ""), (diff.ExitCode, diff.Errors));
        Assert.StartsWith($"--- live/{name}\n+++ wanted/{name}\n@@ -", diff.Output, StringComparison.Ordinal);
        Assert.Equal(
            ["-        image: example.org/web:1", "+        image: example.org/web:2"],
            Changed(diff));

        // The manifest is all that is written in the spec: what others set there is as good as gone.
        await scenario.EditAndSettleAsync("{port: 9000}");
        diff = await DiffAsync(scenario, Server("web", "{image: 'example.org/web:1', replicas: 2}"));
        Assert.Equal(1, diff.ExitCode);
        Assert.Equal([name], Objects(diff));
        Assert.Contains("+          containerPort: 8088", diff.Output, StringComparison.Ordinal);
        await AssertNothingWasStoredAsync(scenario);
    }

    [Theory]
    [InlineData("{image: 'a:1', gateway: {enabled: true, image: 'g:1'}, " + Canary + "}", false)]
    [InlineData("{image: 'a:1', ingressClass: istio}", false)]
    [InlineData("{image: 'a:1', ingressHost: diff.example.org}", true)]
    public async Task ANewServerIsShownAsItIsRendered(string spec, bool isNamespaceNew)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        var ns = isNamespaceNew ? $"{scenario.Namespace}-new" : scenario.Namespace.Name;
        if (isNamespaceNew)
            await scenario.Namespace.GrantEverywhereAsync();
        var yaml = Server("web", spec);

        var diff = await DiffAsync(scenario, yaml, "-n", ns);

        Assert.Equal((1, ""), (diff.ExitCode, diff.Errors));
        var rendered = await RunAsync("render", yaml, "-n", ns);
        Assert.Equal(
            rendered.Output.Replace("---\n", "", StringComparison.Ordinal),
            string.Concat(Changed(diff).Select(line => $"{line[1..]}\n")));
        Assert.Equal(Objects(diff).Count, diff.Output.Split("--- /dev/null\n").Length - 1);
        Assert.All(diff.Output.Split('\n').Where(line => line.StartsWith("@@", StringComparison.Ordinal)), line => Assert.StartsWith("@@ -0,0 +1,", line, StringComparison.Ordinal));
    }

    /// <summary>The versions are known in the cluster alone.</summary>
    [Fact]
    public async Task ARestartOnChangeThatIsSwitchedOnIsShownToReplaceThePods()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.Client.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}", scenario.Namespace.Name);
        const string spec = "{image: 'example.org/web:1', envFrom: [{configMapRef: {name: one}}]";
        await scenario.CreateServerAsync(spec + "}");
        await scenario.SettledAsync();

        var diff = await DiffAsync(scenario, Server("web", spec + ", restartOnChange: true}"));

        Assert.Equal((1, ""), (diff.ExitCode, diff.Errors));
        Assert.Contains("mcpruntime.org/config-versions: configmaps/one=?", diff.Output, StringComparison.Ordinal);
        await scenario.EditAndSettleAsync("restartOnChange: true");
        await Eventually.TrueAsync(
            "the versions were there", () => scenario.DeploymentAsync(),
            live => live["spec"]!["template"]!["metadata"]!["annotations"]?["mcpruntime.org/config-versions"] is not null);
        diff = await DiffAsync(scenario, Server("web", spec + ", restartOnChange: true}"));
        Assert.Equal((0, ""), (diff.ExitCode, diff.Errors));
    }

    /// <summary>Of a paused server it says what would come, and that it does not.</summary>
    [Fact]
    public async Task WhatAPausedServerWouldBecomeIsShownWithANote()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        await scenario.AnnotateServerAsync("mcpruntime.org/paused", "true");

        var diff = await DiffAsync(scenario, Server("web", "{image: 'example.org/web:2'}"));

        Assert.True(diff.ExitCode == 1, diff.Errors);
        Assert.Equal(["-        image: example.org/web:1", "+        image: example.org/web:2"], Changed(diff));
        Assert.Contains("paused", Assert.Single(diff.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatGoesIsShownAsDeleted()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: 'a:1', gateway: {enabled: true, image: 'g:1'}, " + Canary + "}");
        await scenario.CreateServerAsync("{image: 'a:1', ingressPath: /taken}", "other");
        await scenario.SettledAsync();
        await scenario.SettledAsync("other");
        var ns = scenario.Namespace.Name;

        var diff = await DiffAsync(scenario, Server("web", "{image: 'a:1', replicas: 2, ingressPath: /taken}"));

        Assert.Equal(1, diff.ExitCode);
        Assert.Equal(
            [$"configmaps/{ns}/web-gateway-policy", $"deployments.apps/{ns}/web", $"deployments.apps/{ns}/web-canary", $"services/{ns}/web", $"ingresses.networking.k8s.io/{ns}/web"],
            Objects(diff));
        foreach (var gone in new[] { $"configmaps/{ns}/web-gateway-policy", $"deployments.apps/{ns}/web-canary", $"ingresses.networking.k8s.io/{ns}/web" })
            Assert.Contains($"--- live/{gone}\n+++ /dev/null\n@@ -1,", diff.Output, StringComparison.Ordinal);
        Assert.StartsWith($"note: MCPServer {ns}/web: RouteConflict: MCPServer {ns}/other has the route /taken: ", Assert.Single(diff.ErrorLines), StringComparison.Ordinal);
        // Whoever is there comes before who is not there yet, whatever their names are.
        var late = await DiffAsync(scenario, Server("a-late", "{image: 'a:1', ingressPath: /taken}"));
        Assert.StartsWith($"note: MCPServer {ns}/a-late: RouteConflict: ", Assert.Single(late.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("kind: Ingress", late.Output, StringComparison.Ordinal);
        // Two that trade their routes both have one in the end.
        var traded = await DiffAsync(
            scenario, $"{Server("web", "{image: 'a:1', ingressPath: /taken}")}---\n{Server("other", "{image: 'a:1', ingressPath: /web/mcp}")}");
        Assert.Equal((1, ""), (traded.ExitCode, traded.Errors));
        Assert.Equal(2, Changed(traded).Count(line => line[0] == '+' && line.Contains(" path: ", StringComparison.Ordinal)));
        await AssertNothingWasStoredAsync(scenario);
    }

    [Fact]
    public async Task AGatewayThatIsSwitchedOnIsShownAsItIsInTheEnd()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: 'a:1'}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        var ns = scenario.Namespace.Name;

        var diff = await DiffAsync(scenario, Server("web", "{image: 'a:1', gateway: {enabled: true, image: 'g:1'}}"));

        Assert.Equal([$"configmaps/{ns}/web-gateway-policy", $"deployments.apps/{ns}/web", $"services/{ns}/web"], Objects(diff));
        Assert.Contains("targetPort: gateway", diff.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatSomebodyElseMadeIsANoteAndNothingElse()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.Client.CreateAsync("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}", scenario.Namespace.Name);
        await scenario.CreateServerAsync("{image: 'a:1'}");
        await scenario.SettledAsync();

        var diff = await DiffAsync(scenario, Server("web", "{image: 'a:1'}"));

        Assert.Equal((0, "No changes\n"), (diff.ExitCode, diff.Output));
        Assert.StartsWith(
            $"note: MCPServer {scenario.Namespace}/web: NameConflict: Service {scenario.Namespace}/web was not made by this operator; ",
            Assert.Single(diff.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoSecretIsPrintedNorRead()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, PlanCorpus.Environment);
        const string spec = "{image: 'a:1', secretEnvVars: [{name: TOKEN, secretKeyRef: {name: s, key: k}}]}";
        await scenario.Client.CreateAsync("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: very-secret}}", scenario.Namespace.Name);
        await scenario.CreateServerAsync(spec);
        await scenario.SettledAsync();

        var same = await DiffAsync(scenario, Server("web", spec), [.. PlanCorpus.Arguments]);
        var added = await DiffAsync(scenario, Server("other", spec), [.. PlanCorpus.Arguments]);

        Assert.Equal((0, "No changes\n"), (same.ExitCode, same.Output));
        Assert.Equal(1, added.ExitCode);
        Assert.Contains("+            secretKeyRef:\n", added.Output, StringComparison.Ordinal);
        var printed = same.Output + same.Errors + added.Output + added.Errors;
        foreach (var secret in new[] { PlanCorpus.Password, Convert.ToBase64String(Encoding.UTF8.GetBytes($"puller:{PlanCorpus.Password}")), "dockerconfigjson", "very-secret" })
            Assert.DoesNotContain(secret, printed, StringComparison.Ordinal);
        Assert.Equal($"note: Secret {scenario.Namespace}/mcp-runtime-registry-pull is not compared: neither the operator nor this command may read it", Assert.Single(same.ErrorLines));
        await AssertNothingWasStoredAsync(scenario);
    }

    [Fact]
    public async Task GrantsAndSessionsChangeThePolicyOfAServerWhoseManifestIsNotThere()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("there");
        await scenario.SettledAsync();
        await scenario.IsAcceptedAsync("there");
        var ns = scenario.Namespace.Name;

        var same = await DiffAsync(scenario, Grant("there", "humanID: h"));
        Assert.Equal((0, "No changes\n", ""), (same.ExitCode, same.Output, same.Errors));
        var diff = await DiffAsync(scenario, $"{Grant("new", "humanID: h")}---\n{Grant("there", "humanID: another")}");

        Assert.Equal((1, ""), (diff.ExitCode, diff.Errors));
        Assert.Equal([$"configmaps/{ns}/web-gateway-policy"], Objects(diff));
        Assert.Contains("+          \"name\": \"new\",", diff.Output, StringComparison.Ordinal);
        Assert.Contains("+          \"human_id\": \"another\",", diff.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("generated_at", string.Join('\n', Changed(diff)), StringComparison.Ordinal);

        // Consent is the server's to give, in its manifest as well.
        var foreign = Grant("foreign", "humanID: h", $"{ns}-b").Replace("name: web", $"name: web, namespace: {ns}", StringComparison.Ordinal);
        var refused = await DiffAsync(scenario, foreign);
        Assert.Equal((0, "No changes\n"), (refused.ExitCode, refused.Output));
        Assert.StartsWith($"note: MCPAccessGrant {ns}-b/foreign: NamespaceNotAllowed: ", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        var consented = Server("web", Gateways.Spec).Replace("{name: web}", $"{{name: web, namespace: {ns}, annotations: {{mcpruntime.org/allow-access-from: {ns}-b}}}}", StringComparison.Ordinal);
        var taken = WithoutRights(await RunAsync("diff", $"{foreign}---\n{consented}", "--kubeconfig", Kubeconfig(scenario)));
        Assert.Equal((1, ""), (taken.ExitCode, taken.Errors));
        Assert.Contains("\"name\": \"foreign\"", taken.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatTheApiServerRefusesIsNamedAndTheRestIsCompared()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        var ns = scenario.Namespace.Name;
        // Labelled as ours, and so adopted; but of a selector that nobody can change.
        await scenario.Client.CreateAsync(
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, labels: {app: web, app.kubernetes.io/managed-by: mcp-runtime}}
            spec:
              selector: {matchLabels: {of: another}}
              template: {metadata: {labels: {of: another}}, spec: {containers: [{name: web, image: x}]}}
            """, ns);

        var diff = await DiffAsync(scenario, Server("web", "{image: 'a:1'}"));

        Assert.Equal(2, diff.ExitCode);
        Assert.StartsWith($"mcp-operator: Deployment {ns}/web cannot be compared: ", Assert.Single(diff.ErrorLines), StringComparison.Ordinal);
        Assert.Equal([$"services/{ns}/web", $"ingresses.networking.k8s.io/{ns}/web"], Objects(diff));
    }

    [Fact]
    public async Task WithRightsInOneNamespaceItKnowsOfNoOther()
    {
        fixture.RequireOwn("users of its own");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await using var elsewhere = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await scenario.Client.CreateAsync(scenario.ServerManifest($"{{image: 'a:1', ingressHost: {elsewhere}.example.org, ingressPath: /x}}"));
        var ns = scenario.Namespace.Name;
        var yaml = Server("web", $"{{image: 'a:1', ingressHost: {elsewhere}.example.org, ingressPath: /x}}");
        var (everywhere, here) = ($"everywhere-{ns}", $"here-{ns}");
        await OperatorRole.GrantAsync(fixture.ControlPlane, everywhere);
        await OperatorRole.GrantAsync(fixture.ControlPlane, here, elsewhere.Name);

        var all = await RunAsync("diff", yaml, "-n", elsewhere.Name, "--kubeconfig", fixture.ControlPlane.Kubeconfig(everywhere));
        var one = await RunAsync("diff", yaml, "-n", elsewhere.Name, "--kubeconfig", fixture.ControlPlane.Kubeconfig(here));

        Assert.Equal(1, all.ExitCode);
        Assert.StartsWith($"note: MCPServer {elsewhere}/web: RouteConflict: MCPServer {ns}/web has the route ", Assert.Single(all.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("kind: Ingress", all.Output, StringComparison.Ordinal);
        Assert.Equal(1, one.ExitCode);
        Assert.EndsWith($" are not readable in all namespaces: routes, grants and sessions of others than {elsewhere} are not known", Assert.Single(one.ErrorLines), StringComparison.Ordinal);
        Assert.Contains("kind: Ingress", one.Output, StringComparison.Ordinal);
        foreach (var user in new[] { everywhere, here })
            Assert.All(await scenario.Namespace.RequestsOfAsync(user), AssertStoresNothing);
    }

    [Fact]
    public async Task WhatItCannotTellIsOneLineAndExitCode2()
    {
        fixture.RequireOwn("users of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var directory = Directory.CreateTempSubdirectory("diff-");
        var gone = Path.Combine(directory.FullName, "gone");
        await File.WriteAllTextAsync(gone, (await File.ReadAllTextAsync(fixture.ControlPlane.AdminKubeconfig)).Replace(fixture.Client.Server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "1", StringComparison.Ordinal));
        var bad = Path.Combine(directory.FullName, "bad");
        await File.WriteAllTextAsync(bad, "a: [");
        var good = Server("web", "{image: 'a:1'}");

        foreach (var (yaml, kubeconfig, expected) in new[]
        {
            (good, gone, "Connection refused"),
            (good, bad, "no kubeconfig"),
            (good, "/nowhere", "/nowhere"),
            (good, fixture.ControlPlane.Kubeconfig($"nobody-{ns}"), "cannot list"),
            (Server("web", "{image: 'a:1', port: 70000}"), fixture.ControlPlane.AdminKubeconfig, "spec.port"),
        })
        {
            var diff = await RunAsync("diff", yaml, "-n", ns.Name, "--kubeconfig", kubeconfig);
            Assert.True((diff.ExitCode, diff.Output) == (2, ""), $"{expected}: {diff}");
            Assert.Contains(expected, Assert.Single(diff.ErrorLines), StringComparison.Ordinal);
        }

        directory.Delete(recursive: true);
    }

    private static string Server(string name, string spec) => $"apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {{name: {name}}}\nspec: {spec}\n";

    private static string Grant(string name, string subject, string? ns = null) =>
        $"apiVersion: mcpruntime.org/v1alpha1\nkind: MCPAccessGrant\nmetadata: {{name: {name}{(ns is null ? "" : $", namespace: {ns}")}}}\nspec: {{serverRef: {{name: web}}, subject: {{{subject}}}}}\n";

    /// <summary>Not the operator's own user, so that the requests of the two can be told apart.</summary>
    private static string Reviewer(ServerScenario scenario) => $"reviewer-{scenario.Namespace}";

    private string Kubeconfig(ServerScenario scenario) =>
        fixture.ControlPlane.IsOwn ? fixture.ControlPlane.Kubeconfig(Reviewer(scenario)) : fixture.ControlPlane.AdminKubeconfig;

    private static void AssertStoresNothing(AuditEvent request) => Assert.True(
        request.Resource != "secrets" && (!request.IsWrite || request.RequestUri.Contains("dryRun=All", StringComparison.Ordinal)), $"{request}");

    private async Task AssertNothingWasStoredAsync(ServerScenario scenario)
    {
        if (!fixture.ControlPlane.IsOwn)
            return;
        var requests = await scenario.Namespace.RequestsOfAsync(Reviewer(scenario));
        Assert.NotEmpty(requests);
        Assert.All(requests, AssertStoresNothing);
    }

    /// <summary>As somebody who has the operator's rights in the namespace; everywhere where another one is given.</summary>
    private async Task<Command> DiffAsync(ServerScenario scenario, string yaml, params IReadOnlyList<string> arguments)
    {
        var isElsewhere = arguments is ["-n", var other, ..] && other != scenario.Namespace.Name;
        if (fixture.ControlPlane.IsOwn)
            await OperatorRole.GrantAsync(fixture.ControlPlane, Reviewer(scenario), isElsewhere ? null : scenario.Namespace.Name);
        var ns = arguments is ["-n", ..] || yaml.Contains(", namespace: ", StringComparison.Ordinal) && !yaml.Contains("serverRef: {name: web}", StringComparison.Ordinal) ? [] : (string[])["-n", scenario.Namespace.Name];
        return WithoutRights(await RunAsync("diff", yaml, ["--kubeconfig", Kubeconfig(scenario), .. ns, .. arguments]));
    }

    /// <summary>Without the notes of what may not be read.</summary>
    private static Command WithoutRights(Command run) => run with
    {
        Errors = string.Concat(run.ErrorLines.Where(line => !line.Contains(" are not readable in ", StringComparison.Ordinal)).Select(line => $"{line}\n")),
    };

    private static async Task<Command> RunAsync(string command, string yaml, params IReadOnlyList<string> arguments)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, yaml);
        var run = await Command.OperatorAsync([command, "-f", file, .. arguments]);
        File.Delete(file);
        return run;
    }

    /// <summary>The lines that only one of the two has.</summary>
    private static List<string> Changed(Command diff) =>
    [
        .. diff.Output.Split('\n').Where(line => line.Length > 0 && line[0] is '+' or '-'
            && !line.StartsWith("+++ ", StringComparison.Ordinal) && !line.StartsWith("--- ", StringComparison.Ordinal)),
    ];

    /// <summary>In the order in which they are told of.</summary>
    private static List<string> Objects(Command diff)
    {
        var lines = diff.Output.Split('\n');
        return
        [
            .. lines.Zip(lines.Skip(1)).Where(pair => pair.First.StartsWith("--- ", StringComparison.Ordinal)).Select(
                pair => pair.First == "--- /dev/null" ? pair.Second["+++ wanted/".Length..] : pair.First["--- live/".Length..]),
        ];
    }
}
