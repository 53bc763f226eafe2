using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>Whatever somebody does to what the operator applied, it is put right.</summary>
public sealed partial class DriftTests(ControlPlaneFixture fixture)
{
    /// <summary>Everything that a spec can lead to is in its objects.</summary>
    private const string FullSpec = """
        image: example.org/hello:1
        replicas: 2
        imagePullSecrets: [pull]
        ingressHost: tools.example.org
        ingressAnnotations: {example.org/timeout: "30"}
        envVars: [{name: LOG_LEVEL, value: info}, {name: EMPTY}]
        secretEnvVars: [{name: TOKEN, secretKeyRef: {name: tickets, key: token}}]
        gateway: {enabled: true, image: "example.org/gateway:1"}
        auth: {mode: oauth, issuerURL: "https://id.example.org"}
        analytics: {ingestURL: "http://sentinel.example.org", apiKeySecretRef: {name: sentinel, key: api-key}}
        """;

    /// <summary>What the API server itself keeps from being changed: a selector is immutable, pods must match it, and a mount needs its volume.</summary>
    private static readonly string[] Guarded =
    [
        "/spec/selector/matchLabels/app",
        "/spec/selector/matchLabels/mcpruntime.org/rollout-track",
        "/spec/template/metadata/labels/app",
        "/spec/template/metadata/labels/mcpruntime.org/rollout-track",
        "/spec/template/spec/containers[mcp-gateway]/volumeMounts[/var/run/mcp-runtime/policy]/name",
        "/spec/template/spec/volumes[gateway-policy]/name",
    ];

    /// <summary>Whose uid is not ours is controlled by somebody else, and theirs from then on: see the name conflicts.</summary>
    private const string OwnerUid = "/metadata/ownerReferences[owner]/uid";

    /// <summary>
    /// The API server takes an entry without the name that it is listed by, and from then on refuses every server-side
    /// apply of the object, whoever sends it. The status says so.
    /// </summary>
    private const string NamelessSecret = "/spec/template/spec/imagePullSecrets[pull]/name";

    [Theory]
    [InlineData("deployments", 115)]
    [InlineData("services", 20)]
    [InlineData("ingresses", 19)]
    [InlineData("configmaps", 9)]
    public async Task EveryOwnedFieldThatSomebodyChangesIsPutRight(string kind, int atLeast)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        var drift = await Drift.StartAsync(scenario, kind);
        Assert.True(drift.Leaves.Count >= atLeast, $"only {drift.Leaves.Count} fields are owned:\n{drift.Right}");
        var refused = new List<string>();

        foreach (var leaf in drift.Leaves.Where(leaf => leaf.Path != OwnerUid))
        {
            try
            {
                await drift.ForgetAsync();
                await drift.PatchAsync(leaf.Path, current => Replace(current));
            }
            catch (KubeException e) when (e.Code == HttpStatusCode.UnprocessableEntity)
            {
                refused.Add(leaf.Path);
                continue;
            }
            await drift.IsPutRightAsync($"{leaf.Path} was changed");
        }

        drift.AssertNoFailures();
        Assert.Equal(kind == "deployments" ? Guarded : [], refused.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("deployments")]
    [InlineData("services")]
    [InlineData("ingresses")]
    [InlineData("configmaps")]
    public async Task EveryOwnedFieldThatSomebodyRemovesIsPutRight(string kind)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        var drift = await Drift.StartAsync(scenario, kind);
        var removed = 0;

        foreach (var leaf in drift.Leaves.Where(leaf => leaf.Path != NamelessSecret))
        {
            try
            {
                await drift.ForgetAsync();
                await drift.PatchAsync(leaf.Path, current => [Operation("remove", current.Pointer)]);
            }
            catch (KubeException e) when (e.Code == HttpStatusCode.UnprocessableEntity)
            {
                // The object needs it.
                continue;
            }
            removed++;
            await drift.IsPutRightAsync($"{leaf.Path} was removed");
        }

        drift.AssertNoFailures();
        Assert.True(removed >= drift.Leaves.Count / 3, $"the API server let only {removed} of {drift.Leaves.Count} be removed");
    }

    [Theory]
    [InlineData("deployments")]
    [InlineData("services")]
    [InlineData("ingresses")]
    [InlineData("configmaps")]
    public async Task EditsThatLeaveSomethingInTheWayArePutRight(string kind)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        var drift = await Drift.StartAsync(scenario, kind);

        foreach (var (what, patch) in Obstructions(kind))
        {
            await drift.ForgetAsync();
            await drift.Client.PatchAsync(drift.Resource, scenario.Namespace.Name, drift.Name, JsonNode.Parse(patch)!, PatchKind.Strategic);
            await drift.IsPutRightAsync(what);
        }

        drift.AssertNoFailures();
    }

    [Theory]
    [InlineData("deployments")]
    [InlineData("services")]
    [InlineData("ingresses")]
    [InlineData("configmaps")]
    public async Task ADeletedObjectIsMadeAgainAndAgain(string kind)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        var drift = await Drift.StartAsync(scenario, kind);

        // Three times: the second looks to the operator as the first did.
        for (var i = 0; i < 3; i++)
        {
            var before = (string)(await drift.LiveAsync())["metadata"]!["uid"]!;
            await drift.Client.DeleteAsync(drift.Resource, scenario.Namespace.Name, drift.Name);
            await Eventually.TrueAsync(
                "it was made again", () => drift.Client.FindAsync(drift.Resource, scenario.Namespace.Name, drift.Name),
                live => live is not null && (string)live["metadata"]!["uid"]! != before && OwnedLeaves.Text(live) == drift.Right);
        }
    }

    [Fact]
    public async Task AStatusThatSomebodyTampersWithIsPutRight()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync(FullSpec);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.ServeIngressAsync();
        var right = await scenario.EventuallyPhaseAsync("Ready");

        foreach (var (what, patch) in new[]
        {
            ("phase, message and observed generation", """{"phase": "Error", "message": "all is lost", "observedGeneration": 99}"""),
            ("readiness and conditions", """{"deploymentReady": false, "gatewayReady": false, "policyReady": null, "conditions": null}"""),
            ("URL, image and numbers", """{"url": "https://elsewhere.example.org", "image": null, "replicas": 7, "readyReplicas": null, "selector": "app=other"}"""),
        })
        {
            await scenario.Client.PatchStatusAsync(Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, patch.AsJson().AsObject());
            await scenario.EventuallyStatusAsync($"the {what} was put right", status => Text(status) == Text(right));
        }

        // When each condition last changed is known from the status alone.
        static string Text(JsonNode status) => LastTransition().Replace(status.ToJsonString(), "");
    }

    private static (string What, string Patch)[] Obstructions(string kind) => kind switch
    {
        "deployments" =>
        [
            ("a variable got another source", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "LOG_LEVEL", "value": null, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]}}}}"""),
            ("a secret variable got a value", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "TOKEN", "value": "plain", "valueFrom": null}]}]}}}}"""),
            ("an empty variable got a value", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "EMPTY", "value": "drift"}]}]}}}}"""),
            ("the variables were replaced", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"$patch": "replace"}, {"name": "A", "value": "b"}]}]}}}}"""),
            ("the liveness probe became another one", """{"spec": {"template": {"spec": {"containers": [{"name": "web","livenessProbe": {"$patch": "replace", "httpGet": {"path": "/", "port": 8088}}}]}}}}"""),
            ("the readiness probe became another one", """{"spec": {"template": {"spec": {"containers": [{"name": "web","readinessProbe": {"$patch": "replace", "exec": {"command": ["true"]}}}]}}}}"""),
            ("the port got another number", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "ports": [{"$patch": "replace"}, {"name": "http", "containerPort": 9999}]}]}}}}"""),
            ("seccomp became Localhost", """{"spec": {"template": {"spec": {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "x.json"}}}}}}"""),
            ("the container was replaced", """{"spec": {"template": {"spec": {"containers": [{"$patch": "replace"}, {"name": "other", "image": "example.org/other:1"}]}}}}"""),
            ("the requests were raised to the limits", """{"spec": {"template": {"spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}}]}}}}"""),
            ("the gateway was removed", """{"spec": {"template": {"spec": {"containers": [{"name": "mcp-gateway", "$patch": "delete"}]}}}}"""),
            ("the gateway's readiness became another one", """{"spec": {"template": {"spec": {"containers": [{"name": "mcp-gateway", "readinessProbe": {"$patch": "replace", "tcpSocket": {"port": 8091}}}]}}}}"""),
            ("a variable of the gateway got another source", """{"spec": {"template": {"spec": {"containers": [{"name": "mcp-gateway", "env": [{"name": "POLICY_MODE", "value": null, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]}}}}"""),
            ("the policy was mounted from elsewhere", """{"spec": {"template": {"spec": {"volumes": [{"name": "gateway-policy", "$patch": "replace"}, {"name": "gateway-policy", "secret": {"secretName": "theirs"}}]}}}}"""),
            ("the policy was mounted elsewhere", """{"spec": {"template": {"spec": {"containers": [{"name": "mcp-gateway", "volumeMounts": [{"$patch": "replace"}, {"name": "gateway-policy", "mountPath": "/elsewhere"}]}]}}}}"""),
            ("another volume was mounted there", """{"spec": {"template": {"spec": {"volumes": [{"name": "theirs", "emptyDir": {}}], "containers": [{"name": "mcp-gateway", "volumeMounts": [{"$patch": "replace"}, {"name": "theirs", "mountPath": "/var/run/mcp-runtime/policy"}]}]}}}}"""),
            ("a part of the mount was taken", """{"spec": {"template": {"spec": {"containers": [{"name": "mcp-gateway", "volumeMounts": [{"name": "gateway-policy", "mountPath": "/var/run/mcp-runtime/policy", "subPath": "x"}]}]}}}}"""),
            ("the strategy became Recreate", """{"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}}"""),
            ("the labels were removed", """{"metadata": {"labels": null}}"""),
            ("the owner was removed", """{"metadata": {"ownerReferences": [{"$patch": "replace"}]}}"""),
            ("who owns what was forgotten", """{"metadata": {"managedFields": [{}]}}"""),
        ],
        "services" =>
        [
            ("the port got another number", """{"spec": {"ports": [{"$patch": "replace"}, {"name": "http", "port": 8080, "targetPort": 8088}]}}"""),
            ("the port got the number of its target", """{"spec": {"ports": [{"port": 80, "targetPort": 8088}]}}"""),
            ("the port got another protocol", """{"spec": {"ports": [{"$patch": "replace"}, {"name": "http", "port": 80, "protocol": "UDP"}]}}"""),
            ("the ports were replaced", """{"spec": {"ports": [{"$patch": "replace"}, {"name": "a", "port": 1}, {"name": "http", "port": 2}]}}"""),
            ("it became a NodePort", """{"spec": {"type": "NodePort"}}"""),
            ("it became a LoadBalancer", """{"spec": {"type": "LoadBalancer"}}"""),
            ("it became an ExternalName", """{"spec": {"type": "ExternalName", "externalName": "example.org", "clusterIP": null, "clusterIPs": null}}"""),
            ("the selector was replaced", """{"spec": {"selector": {"$patch": "replace", "app": "other"}}}"""),
            ("the labels were removed", """{"metadata": {"labels": null}}"""),
            ("the owner was removed", """{"metadata": {"ownerReferences": [{"$patch": "replace"}]}}"""),
            ("who owns what was forgotten", """{"metadata": {"managedFields": [{}]}}"""),
        ],
        "configmaps" =>
        [
            ("the policy was replaced", """{"data": {"policy.json": "{}"}}"""),
            ("the data were replaced", """{"data": {"$patch": "replace", "other.json": "{}"}}"""),
            ("the policy became binary", """{"data": null, "binaryData": {"policy.json": "e30="}}"""),
            ("the labels were removed", """{"metadata": {"labels": null}}"""),
            ("the owner was removed", """{"metadata": {"ownerReferences": [{"$patch": "replace"}]}}"""),
            ("who owns what was forgotten", """{"metadata": {"managedFields": [{}]}}"""),
        ],
        _ =>
        [
            ("the rules were replaced", """{"spec": {"rules": [{"host": "other.example.org"}]}}"""),
            ("a rule was added", """{"spec": {"rules": [{"host": "tools.example.org", "http": {"paths": [{"path": "/web/mcp", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}},{"host": "other.example.org", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}"""),
            ("the rules became a default backend", """{"spec": {"rules": null, "defaultBackend": {"service": {"name": "other", "port": {"number": 80}}}}}"""),
            ("the port is named instead of numbered", """{"spec": {"rules": [{"host": "tools.example.org", "http": {"paths": [{"path": "/web/mcp", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"name": "http"}}}}]}}]}}"""),
            ("the annotations were removed", """{"metadata": {"annotations": null}}"""),
            ("the labels were removed", """{"metadata": {"labels": null}}"""),
            ("the owner was removed", """{"metadata": {"ownerReferences": [{"$patch": "replace"}]}}"""),
            ("who owns what was forgotten", """{"metadata": {"managedFields": [{}]}}"""),
        ],
    };

    /// <summary>Another value that the API server takes.</summary>
    private static JsonArray Replace(OwnedLeaf leaf) => leaf.Path switch
    {
        "/spec/strategy/type" =>
            [Operation("remove", "/spec/strategy/rollingUpdate"), Operation("replace", leaf.Pointer, "Recreate")],
        _ => [Operation("replace", leaf.Pointer, Other(leaf))],
    };

    private static JsonNode Other(OwnedLeaf leaf)
    {
        var name = leaf.Path[(leaf.Path.LastIndexOf('/') + 1)..];
        if (leaf.Value.TryGetValue(out bool flag))
            return !flag;
        if (leaf.Value.TryGetValue(out long number))
            return number + 1;
        var text = (string)leaf.Value!;
        return name switch
        {
            "imagePullPolicy" => "Always",
            "protocol" => "UDP",
            "pathType" => "Exact",
            "type" when text == "ClusterIP" => "NodePort",
            "type" => "Unconfined",
            "cpu" => "75m",
            "memory" => "96Mi",
            "maxSurge" or "maxUnavailable" => "10%",
            _ => text + "x",
        };
    }

    private static JsonObject Operation(string op, string pointer, JsonNode? value = null)
    {
        var operation = new JsonObject { ["op"] = op, ["path"] = pointer };
        if (value is not null)
            operation["value"] = value;
        return operation;
    }

    [GeneratedRegex("generated_at[^,]*,")]
    private static partial Regex GeneratedAt();

    [GeneratedRegex("\"lastTransitionTime\":\"[^\"]*\",?")]
    private static partial Regex LastTransition();

    /// <summary>One object of a server with everything, as it is when it is right.</summary>
    private sealed class Drift(ServerScenario scenario, Resource resource, JsonObject right)
    {

        private readonly List<string> _failures = [];

        public Resource Resource => resource;

        public string Name { get; } = (string)right["metadata"]!["name"]!;

        public KubeClient Client => scenario.Client;

        public IReadOnlyList<OwnedLeaf> Leaves { get; } = OwnedLeaves.Of(right);

        public string Right { get; private set; } = OwnedLeaves.Text(right);

        public static async Task<Drift> StartAsync(ServerScenario scenario, string kind)
        {
            await scenario.CreateServerAsync(FullSpec);
            await scenario.SettledAsync();
            var resource = new[] { Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ConfigMaps }.Single(resource => resource.Plural == kind);
            var name = resource == Resource.ConfigMaps ? Gateways.PolicyName() : ServerScenario.Name;
            return new(scenario, resource, await scenario.Client.GetAsync(resource, scenario.Namespace.Name, name));
        }

        public Task<JsonObject> LiveAsync() => Client.GetAsync(resource, scenario.Namespace.Name, Name);

        public async Task PatchAsync(string path, Func<OwnedLeaf, JsonArray> patch)
        {
            // Where it stands now: the lists around it may have grown.
            var current = OwnedLeaves.Of(await LiveAsync()).Single(leaf => leaf.Path == path);
            await Client.PatchAsync(resource, scenario.Namespace.Name, Name, patch(current), PatchKind.Json);
        }

        /// <summary>
        /// Edits the spec, and takes it back: else whoever changes things without end would be taken for one who contests them, and
        /// wait longer and longer.
        /// </summary>
        public async Task ForgetAsync()
        {
            await scenario.EditServerAsync("""
                {servicePort: 81, envVars: [{name: LOG_LEVEL, value: debug}, {name: EMPTY}], tools: [{name: drift, sideEffect: read}]}
                """);
            await LiveTextAsync("the edit was applied", text => Timeless(text) != Timeless(Right));
            await scenario.EditServerAsync("{servicePort: 80, envVars: [{name: LOG_LEVEL, value: info}, {name: EMPTY}], tools: null}");
            Right = await LiveTextAsync("it was taken back", text => Timeless(text) == Timeless(Right));
            await scenario.SettledAsync();
        }

        private Task<string> LiveTextAsync(string what, Func<string, bool> condition) =>
            Eventually.TrueAsync(what, async () => OwnedLeaves.Text(await LiveAsync()), condition);

        /// <summary>A policy that is written anew has another time.</summary>
        private static string Timeless(string text) => GeneratedAt().Replace(text, "");

        /// <summary>Goes on after a failure, with a new object, so that one run names every field.</summary>
        public async Task IsPutRightAsync(string what)
        {
            try
            {
                await Eventually.TrueAsync($"it was put right after {what}", async () => Difference(OwnedLeaves.Text(await LiveAsync())), text => text.Length == 0);
            }
            catch (TimeoutException e)
            {
                _failures.Add(e.Message);
                await Client.DeleteAsync(resource, scenario.Namespace.Name, Name);
                await Eventually.TrueAsync("it was made again", LiveAsync, live => OwnedLeaves.Text(live) == Right);
            }
        }

        private string Difference(string text) => string.Join('\n',
            Right.Split('\n').Except(text.Split('\n')).Select(line => $"lacks {line}").Concat(text.Split('\n').Except(Right.Split('\n')).Select(line => $"has {line}")));

        public void AssertNoFailures() => Assert.True(_failures.Count == 0, string.Join("\n\n", _failures));
    }
}
