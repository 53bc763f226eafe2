using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Images of the platform's registry, and the secret that they are pulled with.</summary>
public sealed class RegistryTests(ControlPlaneFixture fixture)
{
    private const string Password = "p\"a\\s's<w>ö&d $x";

    [Fact]
    public async Task AServerThatAsksForTheProvisionedRegistryGetsItsImageFromThere()
    {
        await using var scenario = await ServerScenario.StartAsync(
            fixture, new Dictionary<string, string?> { ["PROVISIONED_REGISTRY_URL"] = "https://registry.example.org:5000/" });
        await scenario.CreateServerAsync("{image: ghcr.io/acme/web, useProvisionedRegistry: true, registryOverride: mirror.example.org}");
        await AssertImageAsync(scenario, "registry.example.org:5000/acme/web:latest");
        // Without credentials there is nothing to pull with.
        Assert.Empty(await scenario.Client.ListAsync(Resource.Secrets, scenario.Namespace.Name));
        Assert.Null((await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["imagePullSecrets"]);

        await scenario.EditServerAsync("image: acme/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        await AssertImageAsync(
            scenario, "registry.example.org:5000/acme/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        await scenario.EditServerAsync("image: web:2");
        await AssertImageAsync(scenario, "registry.example.org:5000/web:2");
        await scenario.EditServerAsync("useProvisionedRegistry: false");
        await AssertImageAsync(scenario, "mirror.example.org/web:2");
        await scenario.EditServerAsync("registryOverride: null");
        await AssertImageAsync(scenario, "web:2");
    }

    [Fact]
    public async Task WithoutAUrlThePullHostIsTheProvisionedRegistry()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, new Dictionary<string, string?>
        {
            ["MCP_REGISTRY_PULL_HOST"] = "pull.example.org",
            ["MCP_REGISTRY_ENDPOINT"] = "endpoint.example.org",
        });
        await scenario.CreateServerAsync("{image: ghcr.io/acme/web, useProvisionedRegistry: true}");
        await AssertImageAsync(scenario, "pull.example.org/acme/web:latest");

        await scenario.StartOperatorAsync();
        await scenario.EditServerAsync("imageTag: '2'");
        await AssertImageAsync(scenario, "registry.registry.svc.cluster.local:5000/acme/web:2");
    }

    [Fact]
    public async Task ThePullSecretHoldsTheCredentialsAndNothingElseShowsThem()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Credentials(Password), "--log-level", "debug");
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");
        var server = await scenario.SettledAsync();

        ServerScenario.AssertJson(
            """[{"name": "mcp-runtime-registry-pull"}]""".AsJson(),
            (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["imagePullSecrets"]);
        var secret = await scenario.Client.GetAsync(Resource.Secrets, scenario.Namespace.Name, "mcp-runtime-registry-pull");
        Assert.Equal("kubernetes.io/dockerconfigjson", (string?)secret["type"]);
        ServerScenario.AssertJson("{app.kubernetes.io/managed-by: mcp-runtime}", secret["metadata"]!["labels"]);
        Assert.Null(secret["metadata"]!["ownerReferences"]);
        Assert.Equal(
            [(ServerScenario.FieldManager, "Apply")],
            secret["metadata"]!["managedFields"]!.AsArray().Select(entry => ((string)entry!["manager"]!, (string)entry["operation"]!)));
        ServerScenario.AssertJson(
            new JsonObject
            {
                ["auths"] = new JsonObject
                {
                    ["registry.example.org"] = new JsonObject
                    {
                        ["username"] = "robot",
                        ["password"] = Password,
                        ["auth"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"robot:{Password}")),
                    },
                },
            },
            Content(secret));

        // An edit makes more log lines, and a refused spec a message about itself.
        await scenario.EditServerAsync("resources: {requests: {cpu: '2'}, limits: {cpu: '1'}}");
        await scenario.EventuallyPhaseAsync("Error");
        var seen = string.Join('\n', [
            .. scenario.Operator!.Lines,
            server.ToJsonString(),
            (await scenario.ServerAsync()).ToJsonString(),
            (await scenario.DeploymentAsync()).ToJsonString(),
            .. (await scenario.Client.ListAsync(Resource.Events, scenario.Namespace.Name)).Select(e => e.ToJsonString()),
        ]);
        Assert.NotEmpty(scenario.Operator.Lines);
        foreach (var trace in (string[])[Password, JsonValue.Create(Password).ToJsonString()[1..^1], "p\\\"a", Convert.ToBase64String(Encoding.UTF8.GetBytes($"robot:{Password}"))])
            Assert.DoesNotContain(trace, seen);
    }

    [Fact]
    public async Task ANewPasswordReachesTheNamespaceWithTheNextOperator()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Credentials("first"));
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");
        await scenario.SettledAsync();

        await scenario.StartOperatorAsync(Credentials("second"));

        await Eventually.TrueAsync(
            "the secret held the new password",
            () => scenario.Client.GetAsync(Resource.Secrets, scenario.Namespace.Name, "mcp-runtime-registry-pull"),
            secret => (string?)Content(secret)["auths"]!["registry.example.org"]!["password"] == "second");
    }

    [Fact]
    public async Task APullSecretThatWentIsMadeAgainWhenPodsDoNotComeUpAndIsNotAskedForElse()
    {
        fixture.RequireOwn("the audit log");
        var environment = new Dictionary<string, string?>(Credentials("secret")) { ["REQUEUE_DELAY_SECONDS"] = "1", ["MCP_INGRESS_READINESS_MODE"] = "permissive" };
        await using var scenario = await ServerScenario.StartAsync(fixture, environment, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");
        // This one waits all the time, and pulls with another secret.
        await scenario.CreateServerAsync("{image: registry.example.org/acme/web, imagePullSecrets: [own]}", "other");
        await scenario.SettledAsync();
        await scenario.SettledAsync("other");

        await DeleteAsync();
        await UntilItIsThereAsync();
        // What is said is that it was made, and not that it was asked for.
        Assert.Equal(2, scenario.Operator!.Log.Count(entry => (string?)entry["event"] == "PullSecretApplied"));

        // Pods that are up need it no more, and nobody knows that it is gone; longer than there is between two requests.
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await DeleteAsync();
        var requests = await SecretRequestsAsync();
        await Task.Delay(TimeSpan.FromSeconds(15));
        Assert.Equal(requests, await SecretRequestsAsync());

        // New pods do.
        await scenario.EditServerAsync("imageTag: '2'");
        await UntilItIsThereAsync();

        async Task DeleteAsync() => await scenario.Client.DeleteAsync(Resource.Secrets, scenario.Namespace.Name, "mcp-runtime-registry-pull");

        Task UntilItIsThereAsync() => Eventually.TrueAsync(
            "it was made again", () => scenario.Client.FindAsync(Resource.Secrets, scenario.Namespace.Name, "mcp-runtime-registry-pull"), found => found is not null);

        async Task<int> SecretRequestsAsync() => (await scenario.Namespace.OperatorRequestsAsync()).Count(request => request.Resource == "secrets");
    }

    [Fact]
    public async Task InANamespaceThatWasMadeAnewWhileTheOperatorWasDownThereIsAPullSecretAgain()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Credentials("secret"));
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");
        await scenario.SettledAsync();
        await scenario.StopOperatorAsync();

        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name);
        foreach (var (kind, name) in new[]
        {
            (Resource.Deployments, "web"), (Resource.Services, "web"), (Resource.Ingresses, "web"), (Resource.Secrets, "mcp-runtime-registry-pull"),
            (Resource.ServiceAccounts, "mcp-workload"),
        })
            await scenario.Client.DeleteAsync(kind, scenario.Namespace.Name, name);
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");
        await scenario.StartOperatorAsync(Credentials("secret"));

        await scenario.SettledAsync();
        Assert.NotNull(await scenario.Client.FindAsync(Resource.Secrets, scenario.Namespace.Name, "mcp-runtime-registry-pull"));
        Assert.NotNull(await scenario.Client.FindAsync(Resource.ServiceAccounts, scenario.Namespace.Name, "mcp-workload"));
    }

    [Fact]
    public async Task ThePullSecretHasTheConfiguredNameAndIsThereOnlyForServersWithoutTheirOwn()
    {
        await using var scenario = await ServerScenario.StartAsync(
            fixture, new Dictionary<string, string?>(Credentials("secret")) { ["PROVISIONED_REGISTRY_SECRET_NAME"] = "platform-pull" });
        await AllowAsync(scenario, "platform-pull");
        await scenario.CreateServerAsync("{image: registry.example.org/acme/web, imagePullSecrets: [own]}");
        await scenario.SettledAsync();
        Assert.Equal("own", await PullSecretsAsync(scenario));
        Assert.Empty(await scenario.Client.ListAsync(Resource.Secrets, scenario.Namespace.Name));

        // Blank entries come out of templates, and are none.
        await scenario.EditAndSettleAsync("imagePullSecrets: [' ']");
        Assert.Equal("platform-pull", await PullSecretsAsync(scenario));
        Assert.Equal(
            ["platform-pull"],
            (await scenario.Client.ListAsync(Resource.Secrets, scenario.Namespace.Name)).Select(secret => (string)secret["metadata"]!["name"]!));

        await scenario.EditAndSettleAsync("imagePullSecrets: [own]");
        Assert.Equal("own", await PullSecretsAsync(scenario));
    }

    [Fact]
    public async Task ASecretOfItsNameThatSomebodyElseMadeIsLeftAlone()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var theirs = await CreateSecretAsync(ns, "kubectl-create");
        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, Credentials("ours"));
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");

        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Contains($"Secret {ns}/mcp-runtime-registry-pull holds what somebody else wrote", (string)status["message"]!);
        var live = await scenario.Client.GetAsync(Resource.Secrets, ns.Name, "mcp-runtime-registry-pull");
        Assert.Equal((string)theirs["metadata"]!["resourceVersion"]!, (string)live["metadata"]!["resourceVersion"]!);

        await scenario.Client.DeleteAsync(Resource.Secrets, ns.Name, "mcp-runtime-registry-pull");
        await scenario.EventuallyStatusAsync("the conflict was over", seen => (string?)seen["phase"] != "Error");
        live = await scenario.Client.GetAsync(Resource.Secrets, ns.Name, "mcp-runtime-registry-pull");
        Assert.Equal("ours", (string?)Content(live)["auths"]!["registry.example.org"]!["password"]);
    }

    [Fact]
    public async Task TheSecretOfTheGoOperatorIsTakenOver()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await CreateSecretAsync(ns, "manager");
        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, Credentials("ours"));
        await scenario.CreateServerAsync("image: registry.example.org/acme/web");
        await scenario.SettledAsync();

        var live = await scenario.Client.GetAsync(Resource.Secrets, ns.Name, "mcp-runtime-registry-pull");
        Assert.Equal("ours", (string?)Content(live)["auths"]!["registry.example.org"]!["password"]);
    }

    [Fact]
    public async Task AServiceAccountThatSomebodyElseMadeStaysAsItIs()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.Client.CreateAsync(
            "{apiVersion: v1, kind: ServiceAccount, metadata: {name: mcp-workload, labels: {made-by: them}}, automountServiceAccountToken: true}",
            scenario.Namespace.Name);
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();

        var account = await scenario.Client.GetAsync(Resource.ServiceAccounts, scenario.Namespace.Name, "mcp-workload");
        Assert.True((bool)account["automountServiceAccountToken"]!);
        ServerScenario.AssertJson("{made-by: them}", account["metadata"]!["labels"]);
        Assert.Equal("mcp-workload", (string?)(await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["serviceAccountName"]);
    }

    private Task<JsonObject> CreateSecretAsync(TestNamespace ns, string manager) => fixture.Client.SendAsync(
        HttpMethod.Post,
        $"{Resource.Secrets.PathTo(ns.Name)}?fieldManager={manager}",
        new StringContent(
            $$"""
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mcp-runtime-registry-pull"}, "type": "kubernetes.io/dockerconfigjson",
             "data": {".dockerconfigjson": "{{Convert.ToBase64String("""{"auths":{"registry.example.org":{"username":"u","password":"theirs"}}}"""u8)}}"} }
            """,
            Encoding.UTF8,
            "application/json"));

    /// <summary>What docs/configuration.md says of another name: the installed role knows just the usual one.</summary>
    private static async Task AllowAsync(ServerScenario scenario, string secret)
    {
        await scenario.Client.CreateAsync(
            $"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: pull}}, "
            + $"rules: [{{apiGroups: [''], resources: [secrets], resourceNames: [{secret}], verbs: [create, patch]}}]}}",
            scenario.Namespace.Name);
        await scenario.Client.CreateAsync(
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: pull}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: pull}, "
            + $"subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {scenario.Namespace.OperatorUser}}}]}}",
            scenario.Namespace.Name);
        await OperatorRole.UntilAllowedAsync(scenario.ControlPlane, scenario.Namespace.OperatorUser, scenario.Namespace.Name, "patch", "", "secrets", secret);
    }

    private static Dictionary<string, string?> Credentials(string password) => new()
    {
        ["PROVISIONED_REGISTRY_URL"] = "registry.example.org",
        ["PROVISIONED_REGISTRY_USERNAME"] = "robot",
        ["PROVISIONED_REGISTRY_PASSWORD"] = password,
    };

    private static JsonObject Content(JsonObject secret) =>
        Encoding.UTF8.GetString(Convert.FromBase64String((string)secret["data"]![".dockerconfigjson"]!)).AsJson().AsObject();

    private static async Task<string> PullSecretsAsync(ServerScenario scenario) => string.Join(
        ',',
        ((JsonArray?)(await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["imagePullSecrets"] ?? []).Select(secret => (string?)secret!["name"]));

    private static async Task AssertImageAsync(ServerScenario scenario, string image)
    {
        var status = (await scenario.SettledAsync())["status"]!;
        Assert.Equal(image, (string?)(await scenario.ContainerAsync())["image"]);
        Assert.Equal(image, (string?)status["image"]);
    }
}
