using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// An API server whose definition of MCPServer checks nothing and fills nothing in: an old installation, or one that
/// somebody simplified. The operator then is the only one who checks.
/// </summary>
public sealed class SchemalessTests
{
    private static readonly (string Name, string Spec, string[] Faults)[] Invalid =
    [
        ("no-image", "{replicas: 1}", ["spec.image: is required"]),
        ("negative", "{image: x, replicas: -1, port: 0, servicePort: 70000, gateway: {port: -1}}", ["spec.replicas: ", "spec.servicePort: ", "spec.gateway.port: "]),
        ("host", "{image: x, ingressHost: 'https://x/', publicPathPrefix: 'a`b'}", ["spec.ingressHost: ", "spec.publicPathPrefix: "]),
        ("path", "{image: x, ingressPath: 'a`b'}", ["spec.ingressPath: "]),
        ("quantities", "{image: x, resources: {requests: {cpu: lots, memory: 2Gi}, limits: {memory: 1Gi}}}", ["spec.resources.requests.cpu: ", "spec.resources.requests.memory: "]),
        ("env", "{image: x, envVars: [{name: A}, {name: A=B}, {value: c}], secretEnvVars: [{name: C}, {name: D, secretKeyRef: {name: '', key: ''}}]}",
            ["spec.envVars[1].name: ", "spec.envVars[2].name: ", "spec.secretEnvVars[0].secretKeyRef: ", "spec.secretEnvVars[1].secretKeyRef.name: ", "spec.secretEnvVars[1].secretKeyRef.key: "]),
        ("team", "{image: x, teamID: 'a b'}", ["spec.teamID: "]),
        ("rollout", "{image: x, rollout: {strategy: Sideways, maxSurge: many, maxUnavailable: 200%}}", ["spec.rollout.strategy: ", "spec.rollout.maxSurge: ", "spec.rollout.maxUnavailable: "]),
        ("canary", "{image: x, replicas: 2, rollout: {strategy: Canary, canaryReplicas: 0, canaryImage: A}}", ["spec.rollout.canaryReplicas: ", "spec.rollout.canaryImage: "]),
        ("tools", "{image: x, tools: [{name: t, sideEffect: none}, {name: t, sideEffect: read}, {sideEffect: read}, {name: u}]}",
            ["spec.tools[0].sideEffect: ", "spec.tools[1].name: ", "spec.tools[2].name: ", "spec.tools[3].sideEffect: "]),
        ("gateway", "{image: x, port: 8091, auth: {mode: oauth}, gateway: {enabled: true, port: 8091}, analytics: {}}",
            ["spec.gateway.port: ", "spec.gateway.image: ", "spec.auth.issuerURL: ", "spec.analytics.ingestURL: "]),
        ("analytics", "{image: x, analytics: {ingestURL: 'http://a'}}", ["spec.analytics: needs the gateway"]),
        ("metrics", "{image: x, port: 9103, servicePort: 9103, gateway: {enabled: true, port: 9103, image: y}}", ["spec.gateway.port: ", "spec.port: ", "spec.servicePort: "]),
        ("annotations", "{image: x, ingressAnnotations: {'a b': c}}", ["spec.ingressAnnotations[a b]: "]),
        ("words", "{image: x, replicas: three, envVars: {}, port: '80', useProvisionedRegistry: 'yes', ingressAnnotations: {a: 1}, imagePullSecrets: [null]}",
            ["spec.replicas: must be a whole number", "spec.envVars: must be a list", "spec.port: must be a whole number", "spec.useProvisionedRegistry: must be true or false",
                "spec.ingressAnnotations[a]: must be text", "spec.imagePullSecrets[0]: must not be null"]),
        ("huge", "{image: x, replicas: 99999999999}", ["spec.replicas: must be a whole number"]),
        ("list", "{image: [x], resources: 5}", ["spec.image: must be text", "spec.resources: must be an object"]),
    ];

    [Fact]
    public async Task TheOperatorChecksEveryRuleItselfAndOtherServersGoOn()
    {
        Assert.SkipWhen(new ControlPlaneOptions().UseExistingCluster, "replaces the definition of MCPServer");
        await using var controlPlane = await ControlPlane.StartAsync();
        await InstallWithoutSchemaAsync(controlPlane);
        await using var scenario = await ServerScenario.StartAsync(controlPlane, ServerScenario.Permissive, "--workers", "1");

        foreach (var (name, spec, _) in Invalid)
            await scenario.CreateServerAsync(spec, name);
        // Not even a spec, or a status that is nobody's.
        var bare = scenario.ServerManifest("{}", "bare");
        bare["spec"] = "text";
        await controlPlane.Client.CreateAsync(bare);
        await controlPlane.Client.PatchStatusAsync(
            Resource.MCPServers, scenario.Namespace.Name, "bare", new JsonObject { ["conditions"] = "many", ["replicas"] = "some", ["phase"] = 5 });
        var none = scenario.ServerManifest("{}", "none");
        none.Remove("spec");
        await controlPlane.Client.CreateAsync(none);
        // As deep as an API server takes it, nearly: that would end the list and the watch of all.
        var deep = new string('[', 9_000) + new string(']', 9_000);
        using var content = new StringContent(
            """{"apiVersion": "mcpruntime.org/v1alpha1", "kind": "MCPServer", "metadata": {"name": "deep"}, "spec": {"image": "x", "unknown": """ + deep + "}}",
            MediaTypeHeaderValue.Parse("application/json"));
        await scenario.Client.SendAsync(HttpMethod.Post, Resource.MCPServers.PathTo(scenario.Namespace.Name), content);
        await scenario.CreateServerAsync("{image: x, unknown: {field: [1]}}");

        await scenario.EventuallyStatusAsync("the valid one was brought up", status => (bool?)status["ingressReady"] == true && (bool?)status["serviceReady"] == true);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal(1, (int)(await scenario.ServerAsync())["spec"]!["replicas"]!); // The defaults are written, since nobody else fills them in.
        Assert.Equal(1, (int)(await scenario.ServerAsync())["spec"]!["unknown"]!["field"]![0]!);

        var wrong = new List<string>();
        foreach (var (name, _, faults) in Invalid.Append(("bare", "", ["spec: must be an object"])).Append(("none", "", ["spec.image: is required"])))
        {
            var status = await scenario.EventuallyPhaseAsync("Error", name);
            var message = (string)status["message"]!;
            Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason(status, "Ready"));
            wrong.AddRange(faults.Where(fault => !message.Contains(fault, StringComparison.Ordinal)).Select(fault => $"{name} lacks '{fault}': {message}"));
            Assert.Null(await controlPlane.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, name));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        // Each was told once, and is left alone since.
        var requests = (await scenario.Namespace.OperatorRequestsAsync()).Where(request => Invalid.Any(server => server.Name == request.Name)).ToList();
        Assert.Equal(Invalid.Length, requests.Count);
        Assert.DoesNotContain(scenario.Operator!.Log, entry => (string?)entry["level"] == "error");

        // And what was unreadable is brought up once it can be read.
        await scenario.EditServerAsync("{replicas: 2, envVars: null, port: null, useProvisionedRegistry: null, ingressAnnotations: null, imagePullSecrets: null}", "words");
        await scenario.EventuallyStatusAsync("it was brought up", status => (bool?)status["ingressReady"] == true, "words");
        Assert.Equal(2, (int)(await scenario.DeploymentAsync("words"))["spec"]!["replicas"]!);
    }

    private static async Task InstallWithoutSchemaAsync(ControlPlane controlPlane)
    {
        var directory = Directory.CreateTempSubdirectory("crds-");
        foreach (var crd in Manifest.LoadDirectory(Repository.PathTo("config", "crd")))
        {
            foreach (var version in crd["spec"]!["versions"]!.AsArray())
            {
                // With it the API server checks spec.replicas whatever the schema says.
                version!["subresources"]!.AsObject().Remove("scale");
                version["schema"] = new JsonObject
                {
                    ["openAPIV3Schema"] = new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
                };
            }
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, $"{(string)crd["metadata"]!["name"]!}.yaml"), crd.ToJsonString());
        }
        await controlPlane.InstallCrdsAsync(directory.FullName);
        directory.Delete(true);
    }
}
