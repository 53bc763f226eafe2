using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>An edit of each field reaches the live object, and so does taking it back.</summary>
public sealed class UpdateTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task TheImageFollowsTheSpec()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertImageAsync(scenario, "imageTag: '2'", "example.org/web:2");
        await AssertImageAsync(scenario, "image: example.org/other", "example.org/other:2");
        await AssertImageAsync(scenario, "image: example.org/other:3", "example.org/other:3");
        await AssertImageAsync(scenario, "registryOverride: mirror.example.org", "mirror.example.org/other:3");
        await AssertImageAsync(scenario, "registryOverride: null", "example.org/other:3");
        await AssertImageAsync(
            scenario,
            "image: example.org/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "example.org/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        await AssertImageAsync(scenario, "{image: example.org/web, imageTag: null}", "example.org/web:latest");
    }

    [Fact]
    public async Task EnvironmentVariablesAreAddedChangedAndRemoved()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertEnvAsync(scenario, "envVars: [{name: A, value: '1'}]", """[{"name": "A", "value": "1"}]""");
        await AssertEnvAsync(
            scenario, "envVars: [{name: A, value: '1'}, {name: B, value: '2'}]",
            """[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]""");
        await AssertEnvAsync(
            scenario, "envVars: [{name: A, value: 'true'}, {name: B, value: '2'}]",
            """[{"name": "A", "value": "true"}, {"name": "B", "value": "2"}]""");
        await AssertEnvAsync(scenario, "envVars: [{name: A}, {name: B, value: '2'}]", """[{"name": "A"}, {"name": "B", "value": "2"}]""");
        await AssertEnvAsync(scenario, "envVars: [{name: B, value: '2'}]", """[{"name": "B", "value": "2"}]""");
        await AssertEnvAsync(
            scenario, "secretEnvVars: [{name: S, secretKeyRef: {name: one, key: k}}]",
            """[{"name": "B", "value": "2"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "one", "key": "k"}}}]""");
        await AssertEnvAsync(
            scenario, "secretEnvVars: [{name: S, secretKeyRef: {name: two, key: l}}]",
            """[{"name": "B", "value": "2"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "two", "key": "l"}}}]""");
        // One variable turns from a secret into a plain one, and back.
        await AssertEnvAsync(
            scenario, "{envVars: [{name: B, value: '2'}, {name: S, value: plain}], secretEnvVars: null}",
            """[{"name": "B", "value": "2"}, {"name": "S", "value": "plain"}]""");
        await AssertEnvAsync(
            scenario, "{envVars: [{name: B, value: '2'}], secretEnvVars: [{name: S, secretKeyRef: {name: two, key: l}}]}",
            """[{"name": "B", "value": "2"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "two", "key": "l"}}}]""");
        await AssertEnvAsync(
            scenario, "envVars: null", """[{"name": "S", "valueFrom": {"secretKeyRef": {"name": "two", "key": "l"}}}]""");
        await AssertEnvAsync(scenario, "secretEnvVars: null", null);
    }

    [Fact]
    public async Task AVariableThatSomebodyTurnedIntoAReferenceBecomesAValueAgain()
    {
        await using var scenario = await StartAsync("{image: example.org/web, envVars: [{name: A, value: '1'}, {name: B, value: '2'}]}");

        // kubectl set env --from=secret/theirs
        await scenario.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name,
            """
            {"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [
              {"name": "A", "value": null, "valueFrom": {"secretKeyRef": {"name": "theirs", "key": "A"}}},
              {"name": "THEIRS", "value": "kept"}
            ]}]}}}}
            """.AsJson(),
            PatchKind.Strategic);

        await Eventually.TrueAsync(
            "the variable had its value again", () => scenario.ContainerAsync(),
            container => container["env"]!.AsArray().Any(variable => (string?)variable!["name"] == "A" && (string?)variable["value"] == "1"));
        var deployment = await scenario.DeploymentAsync();
        Assert.Null(deployment["spec"]!["paused"]);
        ServerScenario.AssertJson(
            """[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "THEIRS", "value": "kept"}]""".AsJson(),
            new JsonArray([.. (await scenario.ContainerAsync())["env"]!.AsArray()
                .OrderBy(variable => (string)variable!["name"]!, StringComparer.Ordinal).Select(variable => variable!.DeepClone())]));
        await AssertEnvAsync(scenario, "envVars: null", """[{"name": "THEIRS", "value": "kept"}]""");
    }

    [Fact]
    public async Task AVariableThatTheSpecTakesOverFromSomebodysReferenceHasTheValueOfTheSpec()
    {
        await using var scenario = await StartAsync("{image: example.org/web, envVars: [{name: A, value: '1'}]}");
        await scenario.Client.PatchAsync(
            Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name,
            """
            {"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [
              {"name": "B", "valueFrom": {"secretKeyRef": {"name": "theirs", "key": "B"}}}
            ]}]}}}}
            """.AsJson(),
            PatchKind.Strategic);

        var status = (await scenario.EditAndSettleAsync("envVars: [{name: A, value: '1'}, {name: B, value: '2'}, {name: C, value: '3'}]"))["status"]!;

        Assert.NotEqual("Error", (string?)status["phase"]);
        Assert.Null((await scenario.DeploymentAsync())["spec"]!["paused"]);
        ServerScenario.AssertJson(
            """[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]""".AsJson(),
            (await scenario.ContainerAsync())["env"]);
        await AssertEnvAsync(scenario, "envVars: null", null);
    }

    [Fact]
    public async Task TurningTheOrderOfVariablesAroundSettles()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await StartAsync(
            "{image: example.org/web, envVars: [{name: A, value: '1'}, {name: B, value: '2'}]}", "--workers", "1");

        await scenario.EditAndSettleAsync("envVars: [{name: B, value: '2'}, {name: A, value: '1'}]");

        // The order itself is the API server's: before 1.26 it keeps the old one for what it knows already.
        Assert.Equal(
            ["A=1", "B=2"],
            (await scenario.ContainerAsync())["env"]!.AsArray().Select(variable => $"{variable!["name"]}={variable["value"]}").Order());
        await AssertWritesNothingAsync(scenario);

        // And it is still the operator's: the next real change goes through.
        await AssertEnvAsync(scenario, "envVars: [{name: B, value: '3'}]", """[{"name": "B", "value": "3"}]""");
    }

    [Fact]
    public async Task PortsReachTheContainerItsProbesTheServiceAndTheIngress()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertPortsAsync("port: 9000", 9000, 80);
        await AssertPortsAsync("servicePort: 8080", 9000, 8080);
        await AssertPortsAsync("{port: 9001, servicePort: 81}", 9001, 81);
        await AssertPortsAsync("{port: null, servicePort: null}", 8088, 80);

        async Task AssertPortsAsync(string edit, int port, int servicePort)
        {
            await scenario.EditAndSettleAsync(edit);
            var container = await scenario.ContainerAsync();
            ServerScenario.AssertJson(
                $$"""[{"name": "http", "containerPort": {{port}}, "protocol": "TCP"}]""".AsJson(), container["ports"]);
            Assert.Equal(port, (int)container["livenessProbe"]!["tcpSocket"]!["port"]!);
            Assert.Equal(port, (int)container["readinessProbe"]!["tcpSocket"]!["port"]!);
            ServerScenario.AssertJson(
                $$"""[{"name": "http", "port": {{servicePort}}, "targetPort": "http", "protocol": "TCP"}]""".AsJson(),
                (await scenario.ServiceAsync())["spec"]!["ports"]);
            Assert.Equal(servicePort, (int)Backend(await scenario.IngressAsync())["port"]!["number"]!);
        }
    }

    [Fact]
    public async Task TheRouteFollowsHostPathAndPrefix()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertRouteAsync(scenario, "ingressHost: a.example.org", "a.example.org", "/web/mcp");
        await AssertRouteAsync(scenario, "ingressPath: /tools", "a.example.org", "/web/mcp"); // the prefix that was written back
        await AssertRouteAsync(scenario, "publicPathPrefix: null", "a.example.org", "/tools");
        await AssertRouteAsync(scenario, "ingressPath: other", "a.example.org", "/other");
        await AssertRouteAsync(scenario, "publicPathPrefix: /team/a/", "a.example.org", "/team/a/mcp");
        await AssertRouteAsync(scenario, "publicPathPrefix: team/b", "a.example.org", "/team/b/mcp");
        await AssertRouteAsync(scenario, "publicPathPrefix: null", "a.example.org", "/other");
        await AssertRouteAsync(scenario, "ingressHost: '*.example.org'", "*.example.org", "/other");
        await AssertRouteAsync(scenario, "{ingressHost: null, ingressPath: null}", null, "/web/mcp");
    }

    [Fact]
    public async Task TheAnnotationsOfAnIngressFollowItsClass()
    {
        await using var scenario = await StartAsync("{image: example.org/web, ingressAnnotations: {example.org/note: kept}}");
        // Somebody else's annotation is none of the operator's business, whatever the class.
        await scenario.Client.PatchAsync(
            Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name, """{"metadata": {"annotations": {"example.org/theirs": "1"}}}""");

        await AssertClassAsync("nginx", "nginx.ingress.kubernetes.io/ssl-redirect: 'false'");
        await AssertClassAsync("istio", "kubernetes.io/ingress.class: istio");
        await AssertClassAsync("custom", null);
        await AssertClassAsync("traefik", "traefik.ingress.kubernetes.io/router.entrypoints: web");

        async Task AssertClassAsync(string ingressClass, string? annotation)
        {
            await scenario.EditAndSettleAsync($"ingressClass: {ingressClass}");
            var ingress = await scenario.IngressAsync();
            Assert.Equal(ingressClass, (string?)ingress["spec"]!["ingressClassName"]);
            ServerScenario.AssertJson(
                $"{{example.org/note: kept, example.org/theirs: '1'{(annotation is null ? "" : ", ")}{annotation}}}", ingress["metadata"]!["annotations"]);
        }
    }

    [Fact]
    public async Task AnnotationsOfTheUserComeGoAndWin()
    {
        await using var scenario = await StartAsync("image: example.org/web");
        const string entryPoints = "traefik.ingress.kubernetes.io/router.entrypoints";

        await AssertAnnotationsAsync(scenario, "ingressAnnotations: {example.org/a: '1'}", $"{{example.org/a: '1', {entryPoints}: web}}");
        await AssertAnnotationsAsync(
            scenario, "ingressAnnotations: {example.org/a: '2', example.org/b: x}", $"{{example.org/a: '2', example.org/b: x, {entryPoints}: web}}");
        await AssertAnnotationsAsync(
            scenario, $"ingressAnnotations: {{example.org/a: null, {entryPoints}: websecure}}", $"{{example.org/b: x, {entryPoints}: websecure}}");
        await AssertAnnotationsAsync(scenario, "ingressAnnotations: null", $"{{{entryPoints}: web}}");
    }

    [Fact]
    public async Task PullSecretsComeAndGo()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertPullSecretsAsync("imagePullSecrets: [one]", "one");
        await AssertPullSecretsAsync("imagePullSecrets: [one, two]", "one", "two");
        await AssertPullSecretsAsync("imagePullSecrets: [two]", "two");
        await AssertPullSecretsAsync("imagePullSecrets: []");
        await AssertPullSecretsAsync("imagePullSecrets: [three]", "three");
        await AssertPullSecretsAsync("imagePullSecrets: null");

        async Task AssertPullSecretsAsync(string edit, params string[] names)
        {
            await scenario.EditAndSettleAsync(edit);
            var secrets = (JsonArray?)(await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["imagePullSecrets"];
            Assert.Equal(names, (secrets ?? []).Select(secret => (string)secret!["name"]!));
        }
    }

    [Fact]
    public async Task EachAmountOfResourcesIsOverriddenOnItsOwn()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertResourcesAsync("resources: {requests: {cpu: 100m}}", "{requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 500m, memory: 256Mi}}");
        await AssertResourcesAsync(
            "resources: {requests: {memory: 1Gi}}", "{requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: 500m, memory: 1Gi}}");
        await AssertResourcesAsync(
            "resources: {limits: {memory: 2048Mi, cpu: '1000m'}}", "{requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: '1', memory: 2Gi}}");
        await AssertResourcesAsync(
            "resources: {requests: null, limits: {cpu: 20m, memory: null}}", "{requests: {cpu: 20m, memory: 64Mi}, limits: {cpu: 20m, memory: 256Mi}}");
        await AssertResourcesAsync("resources: null", "{requests: {cpu: 50m, memory: 64Mi}, limits: {cpu: 500m, memory: 256Mi}}");

        async Task AssertResourcesAsync(string edit, string expected)
        {
            await scenario.EditAndSettleAsync(edit);
            ServerScenario.AssertJson(expected, (await scenario.ContainerAsync())["resources"]);
        }
    }

    [Fact]
    public async Task TheRolloutStrategyChangesThereAndBack()
    {
        await using var scenario = await StartAsync("image: example.org/web");

        await AssertStrategyAsync("rollout: {strategy: Recreate}", "{type: Recreate}");
        await AssertStrategyAsync("rollout: {strategy: RollingUpdate}", "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 25%, maxSurge: 25%}}");
        await AssertStrategyAsync(
            "rollout: {maxUnavailable: '1', maxSurge: 50%}", "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 1, maxSurge: 50%}}");
        await AssertStrategyAsync("rollout: {strategy: Recreate}", "{type: Recreate}");
        await AssertStrategyAsync("rollout: null", "{type: RollingUpdate, rollingUpdate: {maxUnavailable: 25%, maxSurge: 25%}}");

        async Task AssertStrategyAsync(string edit, string expected)
        {
            var status = (await scenario.EditAndSettleAsync(edit))["status"]!;
            Assert.NotEqual("Error", (string?)status["phase"]);
            ServerScenario.AssertJson(expected, (await scenario.DeploymentAsync())["spec"]!["strategy"]);
        }
    }

    [Fact]
    public async Task AnEditThatNoObjectShowsIsAcknowledgedByTheGenerationAlone()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await StartAsync("image: example.org/web", "--workers", "1");
        // The audit log has what was written by now.
        await scenario.PassAsync();
        var before = await scenario.WritesAsync();

        var server = await scenario.EditAndSettleAsync("{description: a better one, teamID: blue}");

        var generation = (long)server["metadata"]!["generation"]!;
        Assert.All(server["status"]!["conditions"]!.AsArray(), condition => Assert.Equal(generation, (long)condition!["observedGeneration"]!));
        await scenario.PassAsync();
        Assert.Equal(["mcpservers/status"], (await scenario.WritesAsync()).Skip(before.Count).Select(write => $"{write.Resource}/{write.Subresource}"));
        await AssertWritesNothingAsync(scenario);
    }

    private async Task<ServerScenario> StartAsync(string spec, params string[] arguments)
    {
        var scenario = await ServerScenario.StartAsync(fixture, null, arguments);
        await scenario.CreateServerAsync(spec);
        await scenario.SettledAsync();
        return scenario;
    }

    private static async Task AssertImageAsync(ServerScenario scenario, string edit, string image)
    {
        var status = (await scenario.EditAndSettleAsync(edit))["status"]!;
        Assert.Equal(image, (string?)(await scenario.ContainerAsync())["image"]);
        Assert.Equal(image, (string?)status["image"]);
    }

    private static async Task AssertEnvAsync(ServerScenario scenario, string edit, string? expected)
    {
        await scenario.EditAndSettleAsync(edit);
        ServerScenario.AssertJson(expected?.AsJson(), (await scenario.ContainerAsync())["env"]);
    }

    private static async Task AssertRouteAsync(ServerScenario scenario, string edit, string? host, string path)
    {
        var status = (await scenario.EditAndSettleAsync(edit))["status"]!;
        var rule = (await scenario.IngressAsync())["spec"]!["rules"]!.AsArray().Single()!;
        Assert.Equal(host, (string?)rule["host"]);
        Assert.Equal(path, (string?)rule["http"]!["paths"]!.AsArray().Single()!["path"]);
        Assert.Equal(host is null ? path : $"http://{host}{path}", (string?)status["url"]);
    }

    private static async Task AssertAnnotationsAsync(ServerScenario scenario, string edit, string expected)
    {
        await scenario.EditAndSettleAsync(edit);
        ServerScenario.AssertJson(expected, (await scenario.IngressAsync())["metadata"]!["annotations"]);
    }

    /// <summary>Looks at the server twice more, and neither look may lead to a write.</summary>
    private static async Task AssertWritesNothingAsync(ServerScenario scenario)
    {
        await scenario.PassAsync();
        var before = await scenario.WritesAsync();
        await scenario.PassAsync();
        await scenario.PassAsync();
        Assert.Equal(before, await scenario.WritesAsync());
    }

    private static JsonNode Backend(JsonObject ingress) =>
        ingress["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["backend"]!["service"]!;
}
