using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A cluster that enforces the restricted Pod Security Standard takes every pod that the operator makes: where there is the admission of
/// Pod Security (from 1.23 on) that one, before that the PodSecurityPolicy that stood for the standard.
/// </summary>
public sealed class RestrictedClusterTests
{
    /// <summary>
    /// As Kubernetes documented it for the standard, but for groups, of which the standard says nothing, AppArmor, which it demanded, and a
    /// sysctl that was safe later; and it fills in nothing that a pod does not ask for.
    /// </summary>
    private const string Policy = """
        apiVersion: policy/v1beta1
        kind: PodSecurityPolicy
        metadata:
          name: restricted
          annotations:
            seccomp.security.alpha.kubernetes.io/allowedProfileNames: runtime/default,localhost/mine.json,localhost/x
        spec:
          privileged: false
          allowPrivilegeEscalation: false
          allowedUnsafeSysctls: [net.ipv4.ip_unprivileged_port_start]
          requiredDropCapabilities: [ALL]
          allowedCapabilities: [NET_BIND_SERVICE]
          volumes: [configMap, csi, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected, secret]
          runAsUser: {rule: MustRunAsNonRoot}
          seLinux: {rule: RunAsAny}
          supplementalGroups: {rule: RunAsAny}
          fsGroup: {rule: RunAsAny}
        """;

    private static readonly string[] OtherReasons =
        ["from Kubernetes 1.", "container_engine_t", "field not declared in schema", "container not found", "must specify a volume type", "image: Required value"];

    [Fact]
    public async Task EveryPodThatIsAcceptedIsAdmittedAsItIs()
    {
        Assert.SkipWhen(new ControlPlaneOptions().UseExistingCluster, "needs a control plane of its own, and USE_EXISTING_CLUSTER is set");
        await using var controlPlane = await ControlPlane.StartAsync(new() { ApiServerArguments = ["--enable-admission-plugins=PodSecurityPolicy"] });
        await ControlPlaneFixture.InstallAsync(controlPlane);
        var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var scenario = await ServerScenario.StartAsync(controlPlane, ns, ServerScenario.Permissive, "--pod-security", "restricted:v1.20");
        using var user = await UserAsync(controlPlane, ns.Name);

        // It refuses what it is there to refuse, once it is in force.
        const string plain = "{securityContext: {runAsNonRoot: true, runAsUser: 1, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, image: 'a:1', securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}";
        await Eventually.TrueAsync("a pod within the standard was admitted", async () => await RefusalAsync(plain), refusal => refusal is null);
        foreach (var (from, to) in ((string, string)[])[("runAsUser: 1", "runAsUser: 0"), ("drop: [ALL]", "add: [SYS_ADMIN]"), ("containers:", "hostPID: true, containers:"), ("containers:", "volumes: [{name: d, hostPath: {path: /}}], containers:")])
            Assert.Contains("forbidden", await RefusalAsync(plain.Replace(from, to, StringComparison.Ordinal)), StringComparison.Ordinal);

        var templates = Templates();
        for (var i = 0; i < templates.Count; i++)
        {
            var name = $"demo-{i}";
            var server = scenario.ServerManifest(i % 2 == 0 ? "image: 'example.org/web:1'" : Gateways.Spec, name);
            server["spec"]!["podTemplate"] = JsonNode.Parse(templates[i].ToJsonString().Replace("\"demo\"", $"\"{name}\"", StringComparison.Ordinal).Replace("/demo\"", $"/{name}\"", StringComparison.Ordinal));
            await scenario.Client.CreateAsync(server);
        }

        var refused = new List<string>();
        for (var i = 0; i < templates.Count; i++)
        {
            var status = (await scenario.SettledAsync($"demo-{i}"))["status"]!;
            if (await scenario.Client.FindAsync(Resource.Deployments, ns.Name, $"demo-{i}") is not { } deployment)
            {
                refused.Add($"{templates[i].ToJsonString()}: {status["message"]}");
                continue;
            }

            var template = deployment["spec"]!["template"]!;
            var pod = await TryAsync(user, ns.Name, $"demo-{i}", template["spec"]!.AsObject(), template["metadata"]!["annotations"]);
            ServerScenario.AssertJson(Security(template["spec"]!), Security(pod["spec"]!));
        }

        // What the standard allows later, what an older API server does not know, and what makes a fixture no whole pod.
        Assert.All(refused, refusal => Assert.True(
            OtherReasons.Any(reason => refusal.Contains(reason, StringComparison.Ordinal)), refusal));
        Assert.True(refused.Count <= 9, string.Join('\n', refused));

        async Task<string?> RefusalAsync(string spec)
        {
            try
            {
                await TryAsync(user, ns.Name, $"other-{Guid.NewGuid():N}", Manifest.Parse(spec));
                return null;
            }
            catch (KubeException exception)
            {
                return exception.Message;
            }
        }
    }

    /// <summary>What the fixtures of every control allow, and nothing at all.</summary>
    private static List<JsonNode> Templates() =>
    [
        new JsonObject(),
        .. JsonNode.Parse(File.ReadAllText(Repository.PathTo("tests", "Unit", "Data", "podsecurity", "controls.json")))!.AsArray()
            .SelectMany(control => control!["allowed"]!.AsArray()).Select(allowed => allowed!.DeepClone()),
    ];

    private static JsonObject Security(JsonNode pod) => new()
    {
        ["pod"] = pod["securityContext"]?.DeepClone(),
        ["containers"] = new JsonArray([.. ((string[])["initContainers", "containers"])
            .SelectMany(list => pod[list]?.AsArray() ?? []).Select(container => container!["securityContext"]?.DeepClone())]),
    };

    private static Task<JsonObject> TryAsync(KubeClient user, string ns, string name, JsonObject spec, JsonNode? annotations = null) => user.CreateAsync(
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["annotations"] = annotations?.DeepClone() },
            ["spec"] = spec.DeepClone(),
        },
        ns);

    /// <summary>Whose pods that cluster holds to the standard, as it does those of the ReplicaSet controller.</summary>
    private static async Task<KubeClient> UserAsync(ControlPlane controlPlane, string ns)
    {
        const string name = "replicaset-controller";
        var isPolicy = true;
        try
        {
            await controlPlane.Client.ListAsync(Resource.PodSecurityPolicies);
        }
        catch (KubeException exception) when ((int)exception.Code == 404)
        {
            isPolicy = false;
            await controlPlane.Client.PatchAsync(
                new Resource("", "v1", "namespaces", "Namespace", false), null, ns,
                """{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}""");
        }

        foreach (var manifest in (string[])[
            .. isPolicy ? (string[])[Policy] : [],
            $"{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: {name}}}, rules: [{{apiGroups: ['', policy], resources: [pods, podsecuritypolicies], verbs: [create, use]}}]}}",
            $"{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: {name}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}, "
                + $"subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}]}}"])
            await controlPlane.Client.CreateAsync(manifest, ns);
        await OperatorRole.UntilAllowedAsync(controlPlane, name, ns, "create", "", "pods");
        return controlPlane.ClientFor(name);
    }
}
