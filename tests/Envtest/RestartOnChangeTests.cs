using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Pods are replaced when a ConfigMap or Secret changes that they refer to, and for nothing else.</summary>
public sealed class RestartOnChangeTests(ControlPlaneFixture fixture)
{
    private const string Annotation = "mcpruntime.org/config-versions";

    [Fact]
    public async Task AChangeReplacesThePodsOfThoseWhoReferToItOnce()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await WriteAsync(scenario, "one", "a");
        await WriteAsync(scenario, "two", "a");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', restartOnChange: true, envFrom: [{configMapRef: {name: one}}, {configMapRef: {name: missing, optional: true}}]}");
        await scenario.CreateServerAsync("{image: 'example.org/other:1', envFrom: [{configMapRef: {name: one}}]}", "other");
        await scenario.SettledAsync();
        await scenario.SettledAsync("other");
        // Not without the versions first, and again with them.
        Assert.Equal(1, (long)(await scenario.DeploymentAsync())["metadata"]!["generation"]!);
        Assert.Equal($"configmaps/one={await VersionAsync(scenario, "one")}", await VersionsAsync(scenario));

        await WriteAsync(scenario, "one", "b");
        await EventuallyAsync(scenario, $"configmaps/one={await VersionAsync(scenario, "one")}");
        await WriteAsync(scenario, "two", "b");
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, "one");
        await scenario.PassAsync();
        Assert.Equal(2, (long)(await scenario.DeploymentAsync())["metadata"]!["generation"]!);
        Assert.Equal(1, (long)(await scenario.DeploymentAsync("other"))["metadata"]!["generation"]!);
        Assert.Null(await VersionsAsync(scenario, "other"));

        await WriteAsync(scenario, "missing", "a");
        await WriteAsync(scenario, "one", "c");
        await EventuallyAsync(scenario, $"configmaps/missing={await VersionAsync(scenario, "missing")},configmaps/one={await VersionAsync(scenario, "one")}");
        // Those two came within the 30 seconds that follow a restart.
        Assert.Equal(3, (long)(await scenario.DeploymentAsync())["metadata"]!["generation"]!);

        // Nobody has to do without the pods because the wish is gone.
        var before = await VersionsAsync(scenario);
        await scenario.EditAndSettleAsync("restartOnChange: null");
        await WriteAsync(scenario, "one", "d");
        await scenario.PassAsync();
        Assert.Equal((before, 3L), (await VersionsAsync(scenario), (long)(await scenario.DeploymentAsync())["metadata"]!["generation"]!));
        Assert.Empty(scenario.Operator!.Complaints);
    }

    [Fact]
    public async Task ARestartOfTheOperatorReplacesNothingAndWhatChangedMeanwhileIsSeen()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await WriteAsync(scenario, "one", "a");
        await WriteAsync(scenario, "two", "a");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', restartOnChange: true, replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1}, envFrom: [{configMapRef: {name: one}}]}");
        await scenario.CreateServerAsync(
            "{image: 'example.org/second:1', restartOnChange: true, podTemplate: {spec: {volumes: [{name: v, configMap: {name: two}}]}}}", "second");
        await scenario.SettledAsync();
        await scenario.SettledAsync("second");
        var before = await VersionsAsync(scenario);
        Assert.Equal(before, await VersionsAsync(scenario, "web-canary"));
        await scenario.StopOperatorAsync();
        await WriteAsync(scenario, "two", "b");

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);

        await EventuallyAsync(scenario, $"configmaps/two={await VersionAsync(scenario, "two")}", "second");
        await scenario.PassAsync();
        foreach (var name in (string[])["web", "web-canary"])
        {
            Assert.Equal(before, await VersionsAsync(scenario, name));
            Assert.Equal(1, (long)(await scenario.DeploymentAsync(name))["metadata"]!["generation"]!);
        }
    }

    [Fact]
    public async Task SecretsTakeARightOfTheirOwnAndWithoutItThatIsSaid()
    {
        fixture.RequireOwn("users of its own, and the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        var ns = scenario.Namespace;
        ns.ExpectsDenials = true;
        await WriteAsync(scenario, "one", "a");
        await scenario.Client.ApplyAsync(Manifest.Parse("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {TOKEN: planted-token-1}}"), ns.Name);
        await scenario.CreateServerAsync(
            "{image: 'example.org/web:1', restartOnChange: true, envFrom: [{configMapRef: {name: one}}], secretEnvVars: [{name: TOKEN, secretKeyRef: {name: s, key: TOKEN}}]}");
        await Eventually.TrueAsync(
            "its Deployment was there", () => scenario.Client.FindAsync(Resource.Deployments, ns.Name, ServerScenario.Name), live => live is not null);
        await scenario.RollOutAsync();
        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Contains("spec.restartOnChange: changes of secrets are not seen", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal($"configmaps/one={await VersionAsync(scenario, "one")}", await VersionsAsync(scenario));

        // As of config/components/restart-on-secrets.
        var role = Manifest.Parse(await File.ReadAllTextAsync(Repository.PathTo("config", "components", "restart-on-secrets", "role.yaml")));
        await scenario.Client.ApplyAsync(role);
        await scenario.Client.CreateAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: secret-versions}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{role["metadata"]!["name"]}}}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: {{ns.OperatorUser}}}]
            """, ns.Name);
        await OperatorRole.UntilAllowedAsync(fixture.ControlPlane, ns.OperatorUser, ns.Name, "watch", "", "secrets");
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await EventuallyAsync(scenario, await ExpectedAsync());
        await scenario.Client.ApplyAsync(Manifest.Parse("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {TOKEN: planted-token-2}}"), ns.Name);
        await EventuallyAsync(scenario, await ExpectedAsync());
        await scenario.EventuallyStatusAsync("it was seen", now => ((string?)now["message"])?.Contains("restartOnChange", StringComparison.Ordinal) == false);

        // No Secret was read, only their metadata.
        var asked = (await ns.OperatorRequestsAsync()).Where(request => request.Resource == "secrets").ToList();
        Assert.All(asked, request => Assert.True(request.Verb is "list" or "watch", $"{request}"));
        Assert.DoesNotContain("planted-token", string.Join('\n', scenario.Operator!.Log.Select(entry => entry.ToJsonString())), StringComparison.Ordinal);

        async Task<string> ExpectedAsync() => $"configmaps/one={await VersionAsync(scenario, "one")},secrets/s="
            + (string)(await scenario.Client.GetAsync(Resource.Secrets, ns.Name, "s"))["metadata"]!["resourceVersion"]!;
    }

    private static Task<JsonObject> WriteAsync(ServerScenario scenario, string name, string value) => scenario.Client.ApplyAsync(
        Manifest.Parse($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{KEY: {value}}}}}"), scenario.Namespace.Name);

    private static async Task<string> VersionAsync(ServerScenario scenario, string name) =>
        (string)(await scenario.Client.GetAsync(Resource.ConfigMaps, scenario.Namespace.Name, name))["metadata"]!["resourceVersion"]!;

    private static async Task<string?> VersionsAsync(ServerScenario scenario, string name = ServerScenario.Name) =>
        (string?)(await scenario.DeploymentAsync(name))["spec"]!["template"]!["metadata"]!["annotations"]?[Annotation];

    private static Task<string?> EventuallyAsync(ServerScenario scenario, string expected, string name = ServerScenario.Name) => Eventually.TrueAsync(
        $"the pods of {name} were of {expected}", () => VersionsAsync(scenario, name), versions => versions == expected, TimeSpan.FromMinutes(2));
}
