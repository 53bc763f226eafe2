using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>An MCPServer that cannot come up, and how that shows on its pods.</summary>
/// <param name="Spec">YAML in flow style, without the braces. Null: there is no MCPServer, but a Deployment among the objects.</param>
/// <param name="Shows">Whether the pods (none of them, where none is let in) and the Deployment show it.</param>
/// <param name="Objects">What else is in the namespace, made before it: YAML.</param>
/// <param name="PodPatch">
/// A strategic merge of the Deployment's pod template, as somebody else's fields: for what an MCPServer's spec does not have. The server's
/// name is <c>broken</c>, and so is its container's. It has one replica then.
/// </param>
/// <param name="Deed">What is done when a pod runs.</param>
internal sealed record BrokenServer(
    string? Spec, Func<IReadOnlyList<JsonObject>, JsonObject, bool> Shows, string? Objects = null, string? PodPatch = null,
    Func<KubeClient, string, Task>? Deed = null)
{
    /// <summary>What the operator says of it in the end: "REASON: PART OF THE MESSAGE". Null: nothing that stays.</summary>
    public string? Cause { get; init; }
}

internal static class BrokenServers
{
    public const string Name = "broken";
    private const string Port = "{name: PORT, value: '8088'}";

    /// <summary>Not among the others, whose node it takes. Its containers are ready as far as anybody knows.</summary>
    /// <remarks>The only node's pods are not given up for new ones: the node controller takes it for a fault of the network.</remarks>
    public static readonly BrokenServer OfALostNode = new(
        $"envVars: [{Port}]",
        (pods, _) => pods.Any(pod => !IsReady(pod) && (string?)pod["status"]?["phase"] == "Running" && Statuses(pod).All(status => (bool)status["ready"]!)),
        Deed: async (client, ns) =>
        {
            await Eventually.TrueAsync("the pod was ready", () => client.ListAsync(Resource.Pods, ns), pods => pods.Any(IsReady), Cluster.Limit);
            await Script.RunAsync("node", ["stop", "kubelet"]);
        });

    /// <summary>And then: nobody sees it end, and the new pod has no node.</summary>
    public static readonly BrokenServer DeletedOnALostNode = new(
        null, (pods, deployment) => pods.Any(pod => pod["metadata"]!["deletionTimestamp"] is not null) && Unschedulable(pods, deployment), Deed: DeletePodsAsync);

    public static readonly IReadOnlyDictionary<string, BrokenServer> All = new SortedDictionary<string, BrokenServer>(StringComparer.Ordinal)
    {
        ["image-not-found"] = new("image: 'localhost:5000/status-404/tool:1'", Waiting("ImagePullBackOff")) { Cause = "ImagePullFailed: the registry has no image localhost:5000/status-404/tool:1" },
        ["image-unauthorized"] = new("image: 'localhost:5000/status-401/tool:1'", Waiting("ImagePullBackOff")) { Cause = "ImagePullFailed: the registry does not give image localhost:5000/status-401/tool:1 away" },
        ["image-forbidden"] = new("image: 'localhost:5000/status-403/tool:1'", Waiting("ImagePullBackOff")) { Cause = "ImagePullFailed: the registry does not give image localhost:5000/status-403/tool:1 away" },
        ["image-rate-limited"] = new("image: 'localhost:5000/status-429/tool:1'", Waiting("ImagePullBackOff")) { Cause = "ImagePullFailed: the registry limits how often image localhost:5000/status-429/tool:1 is pulled" },
        ["image-registry-broken"] = new("image: 'localhost:5000/status-503/tool:1'", Waiting("ErrImagePull", "ImagePullBackOff")) { Cause = "ImagePullFailed: localhost:5000/status-503/tool:1" },
        ["image-registry-refuses-connection"] = new("image: 'localhost:5999/tool:1'", Waiting("ImagePullBackOff")) { Cause = "ImagePullFailed: the registry of image localhost:5999/tool:1 is out of reach" },
        ["image-registry-unknown"] = new("image: 'registry.invalid/tool:1'", Waiting("ImagePullBackOff")) { Cause = "ImagePullFailed: the registry of image registry.invalid/tool:1 is out of reach" },
        ["image-not-found-error"] = new("image: 'localhost:5000/status-404/other:1'", Waiting("ErrImagePull")) { Cause = "ImagePullFailed: localhost:5000/status-404/other:1" },
        ["image-unauthorized-error"] = new("image: 'localhost:5000/status-401/other:1'", Waiting("ErrImagePull")) { Cause = "ImagePullFailed: localhost:5000/status-401/other:1" },
        ["image-forbidden-error"] = new("image: 'localhost:5000/status-403/other:1'", Waiting("ErrImagePull")) { Cause = "ImagePullFailed: localhost:5000/status-403/other:1" },
        ["image-rate-limited-error"] = new("image: 'localhost:5000/status-429/other:1'", Waiting("ErrImagePull")) { Cause = "ImagePullFailed: localhost:5000/status-429/other:1" },
        ["image-registry-refuses-connection-error"] = new("image: 'localhost:5999/other:1'", Waiting("ErrImagePull")) { Cause = "ImagePullFailed: localhost:5999/other:1" },
        ["image-registry-unknown-error"] = new("image: 'registry.invalid/other:1'", Waiting("ErrImagePull")) { Cause = "ImagePullFailed: registry.invalid/other:1" },
        ["image-name-invalid"] = new(null, Waiting("InvalidImageName"), Deployment("image: 'localhost/Tool:1'")),
        ["image-other-architecture"] = new("image: 'localhost/other-architecture:1'", Restarted) { Cause = "CrashLoop: it ends with exit code" },
        ["exits-at-once"] = new("envVars: [{name: EXIT_CODE, value: '3'}]", Waiting("CrashLoopBackOff")) { Cause = "CrashLoop: the server: it ends with exit code 3" },
        ["exits-with-message"] = new(
            "envVars: [{name: EXIT_CODE, value: '1'}, {name: TERMINATION_MESSAGE, value: 'config: no key OPENAI_API_KEY'}]", Waiting("CrashLoopBackOff"))
        { Cause = "CrashLoop: config: no key OPENAI_API_KEY" },
        ["exits-with-zero"] = new("envVars: [{name: EXIT_CODE, value: '0'}]", Waiting("CrashLoopBackOff")) { Cause = "CrashLoop: it ends without an error" },
        ["exits-between-restarts"] = new("envVars: [{name: EXIT_CODE, value: '4'}, {name: EXIT_AFTER, value: '4'}]", RestartedAndRunning) { Cause = "CrashLoop: it ends with exit code 4" },
        ["dies-of-a-signal"] = new("envVars: [{name: SEGFAULT, value: 'yes'}]", Waiting("CrashLoopBackOff")) { Cause = "CrashLoop: signal 11 (SEGV)" },
        ["out-of-memory"] = new(
            $"envVars: [{Port}, {{name: EAT, value: '200'}}], resources: {{requests: {{memory: 16Mi}}, limits: {{memory: 32Mi}}}}", Terminated("OOMKilled"))
        { Cause = "OutOfMemory: it needed more memory than its limit 32Mi" },
        ["out-of-memory-loop"] = new(
            $"envVars: [{Port}, {{name: EAT, value: '200'}}], resources: {{requests: {{memory: 16Mi}}, limits: {{memory: 32Mi}}}}", Waiting("CrashLoopBackOff"))
        { Cause = "OutOfMemory: raise spec.resources.limits.memory" },
        ["unschedulable-cpu"] = new("resources: {requests: {cpu: '1000'}, limits: {cpu: '1000'}}", Unschedulable) { Cause = "Unschedulable: Insufficient cpu" },
        ["unschedulable-memory"] = new("resources: {requests: {memory: 100Ti}, limits: {memory: 100Ti}}", Unschedulable) { Cause = "Unschedulable: Insufficient memory" },
        ["unschedulable-selector"] = new($"envVars: [{Port}]", Unschedulable, PodPatch: "{spec: {nodeSelector: {disk: fast}}}") { Cause = "Unschedulable: no node takes the pod: 0/1 nodes are available" },
        ["unschedulable-affinity"] = new(
            $"envVars: [{Port}]", Unschedulable,
            PodPatch: "{spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]}}}}}")
        { Cause = "Unschedulable: affinity" },
        ["unschedulable-volume"] = new(
            $"envVars: [{Port}]", Unschedulable, PodPatch: "{spec: {volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}}")
        { Cause = "Unschedulable: persistentvolumeclaim \"data\" not found" },
        ["secret-missing"] = new("secretEnvVars: [{name: KEY, secretKeyRef: {name: nowhere, key: key}}]", Waiting("CreateContainerConfigError")) { Cause = "CreateContainerConfigError: secret \"nowhere\" not found" },
        ["secret-key-missing"] = new(
            "secretEnvVars: [{name: KEY, secretKeyRef: {name: api, key: key}}]", Waiting("CreateContainerConfigError"),
            "{apiVersion: v1, kind: Secret, metadata: {name: api}, stringData: {another: value}}")
        { Cause = "CreateContainerConfigError: couldn't find key key in Secret" },
        ["configmap-missing"] = new(
            $"envVars: [{Port}]", Waiting("CreateContainerConfigError"),
            PodPatch: "{spec: {containers: [{name: broken, env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}]}]}}")
        { Cause = "CreateContainerConfigError: configmap \"settings\" not found" },
        ["configmap-key-missing"] = new(
            $"envVars: [{Port}]", Waiting("CreateContainerConfigError"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {another: value}}",
            "{spec: {containers: [{name: broken, env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}]}]}}")
        { Cause = "CreateContainerConfigError: couldn't find key level in ConfigMap" },
        ["volume-configmap-missing"] = new(
            $"envVars: [{Port}]", ContainerCreatingFor20Seconds, PodPatch: "{spec: {volumes: [{name: settings, configMap: {name: settings}}], containers: [{name: broken, volumeMounts: [{name: settings, mountPath: /settings}]}]}}")
        { Cause = "DeploymentProgressing: configmap \"settings\" not found" },
        ["root-image"] = new(
            null, Waiting("CreateContainerConfigError"), Deployment("image: 'localhost/root:1', securityContext: {runAsNonRoot: true}")),
        ["root-user"] = new(
            null, Waiting("CreateContainerConfigError"), Deployment("image: 'localhost/root:1', securityContext: {runAsNonRoot: true, runAsUser: 0}")),
        ["never-pulled"] = new(null, Waiting("ErrImageNeverPull"), Deployment("image: 'localhost/nowhere:1', imagePullPolicy: Never")),
        ["entry-point-missing"] = new("image: 'localhost/no-entry:1'", Restarted) { Cause = "ContainerCannotRun: exec: \"/nothing-here\"" },
        ["probe-failing"] = new($"port: 8099, envVars: [{Port}], probes: {{liveness: {{tcpSocket: {{port: 8088}}}}}}", RunningUnreadyFor12Seconds) { Cause = "ProbeFailing: readiness probe (TCP port 8099)" },
        ["probe-kills"] = new("port: 8099", Restarted) { Cause = "CrashLoop: liveness probe (TCP port 8099)" },
        ["gateway-unready"] = new(
            $"envVars: [{Port}], gateway: {{enabled: true, image: 'localhost/unready:1'}}", RunningUnreadyFor12Seconds)
        { Cause = "ProbeFailing: the gateway: " },
        ["gateway-image-not-found"] = new(
            $"envVars: [{Port}], gateway: {{enabled: true, image: 'localhost:5000/status-404/gateway:1'}}", Waiting("ImagePullBackOff"))
        { Cause = "ImagePullFailed: the gateway: " },
        ["one-of-three"] = new(
            $"replicas: 3, envVars: [{Port}], resources: {{requests: {{cpu: 10m}}}}", OneOfThree,
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: pods}, spec: {hard: {pods: '2'}}}")
        { Cause = "QuotaExceeded: exceeded quota: pods" },
        ["quota"] = new(
            $"envVars: [{Port}]", ReplicaFailure, "{apiVersion: v1, kind: ResourceQuota, metadata: {name: pods}, spec: {hard: {pods: '0'}}}")
        { Cause = "QuotaExceeded: exceeded quota: pods" },
        ["limit-range"] = new(
            $"envVars: [{Port}], resources: {{requests: {{memory: 64Mi}}, limits: {{memory: 64Mi}}}}", ReplicaFailure,
            "{apiVersion: v1, kind: LimitRange, metadata: {name: small}, spec: {limits: [{type: Container, max: {memory: 16Mi}}]}}")
        { Cause = "PodRejected: maximum memory usage per Container is 16Mi" },
        ["terminating-stuck"] = new(
            $"envVars: [{Port}]", TerminatingFor20Seconds,
            Deed: async (client, ns) =>
            {
                foreach (var pod in await client.ListAsync(Resource.Pods, ns))
                    await client.PatchAsync(Resource.Pods, ns, (string)pod["metadata"]!["name"]!, """{"metadata": {"finalizers": ["example.org/hold"]}}""");
                await DeletePodsAsync(client, ns);
            }),
        ["ready"] = new($"replicas: 2, envVars: [{Port}]", (pods, _) => pods.Count(IsReady) == 2) { Cause = "DeploymentAvailable: " },
        ["paused"] = new(
            $"envVars: [{Port}]", (_, deployment) => deployment["status"]!["observedGeneration"]!.ToJsonString() == deployment["metadata"]!["generation"]!.ToJsonString()
                && Conditions(deployment).Any(condition => (string?)condition["reason"] == "DeploymentPaused"),
            Deed: async (client, ns) =>
            {
                await client.PatchAsync(Resource.Deployments, ns, Name, """{"spec": {"paused": true}}""");
                await client.PatchAsync(Resource.MCPServers, ns, Name, """{"spec": {"image": "localhost/unready:1"}}""");
            })
        { Cause = "DeploymentPaused: kubectl rollout resume" },
    };

    // For what the operator does not let a server have. Its pods have the labels of a server's.
    private static string Deployment(string container) =>
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: broken}, spec: {selector: {matchLabels: {app: broken}}, template: {"
        + "metadata: {labels: {app: broken, app.kubernetes.io/managed-by: mcp-runtime, mcpruntime.org/rollout-track: stable}}, "
        + $"spec: {{containers: [{{name: broken, {container}}}]}}}}}}}}";

    private static async Task DeletePodsAsync(KubeClient client, string ns)
    {
        foreach (var pod in await client.ListAsync(Resource.Pods, ns))
            await client.DeleteAsync(Resource.Pods, ns, (string)pod["metadata"]!["name"]!);
    }

    public static IEnumerable<JsonObject> Statuses(JsonObject pod) =>
        ((JsonArray?)pod["status"]?["containerStatuses"] ?? []).Select(status => status!.AsObject());

    private static Func<IReadOnlyList<JsonObject>, JsonObject, bool> Waiting(params string[] reasons) => (pods, _) =>
        pods.Any(pod => Statuses(pod).Any(status => reasons.Contains((string?)status["state"]?["waiting"]?["reason"])));

    private static Func<IReadOnlyList<JsonObject>, JsonObject, bool> Terminated(string reason) => (pods, _) =>
        pods.Any(pod => Statuses(pod).Any(status => (string?)status["state"]?["terminated"]?["reason"] == reason));

    private static bool Restarted(IReadOnlyList<JsonObject> pods, JsonObject deployment) =>
        pods.Any(pod => Statuses(pod).Any(status => (int)status["restartCount"]! > 0));

    private static bool RestartedAndRunning(IReadOnlyList<JsonObject> pods, JsonObject deployment) => pods.Any(pod => Statuses(pod).Any(
        status => (int)status["restartCount"]! > 0 && status["state"]?["running"] is not null && status["lastState"]?["terminated"] is not null));

    private static bool Unschedulable(IReadOnlyList<JsonObject> pods, JsonObject deployment) => pods.Any(pod =>
        Conditions(pod).Any(condition => (string?)condition["type"] == "PodScheduled" && (string?)condition["reason"] == "Unschedulable"));

    private static bool ReplicaFailure(IReadOnlyList<JsonObject> pods, JsonObject deployment) =>
        Conditions(deployment).Any(condition => (string?)condition["type"] == "ReplicaFailure" && (string?)condition["status"] == "True");

    private static bool OneOfThree(IReadOnlyList<JsonObject> pods, JsonObject deployment) =>
        pods.Count(IsReady) == 2 && ReplicaFailure(pods, deployment);

    private static bool RunningUnreadyFor12Seconds(IReadOnlyList<JsonObject> pods, JsonObject deployment) => pods.Any(pod =>
        Age(pod) > TimeSpan.FromSeconds(12) && Statuses(pod).All(status => status["state"]?["running"] is not null) && !IsReady(pod));

    private static bool ContainerCreatingFor20Seconds(IReadOnlyList<JsonObject> pods, JsonObject deployment) =>
        pods.Any(pod => Age(pod) > TimeSpan.FromSeconds(20)) && Waiting("ContainerCreating")(pods, deployment);

    // Its deletion timestamp is the end of its grace period.
    private static bool TerminatingFor20Seconds(IReadOnlyList<JsonObject> pods, JsonObject deployment) => pods.Any(pod =>
        (string?)pod["metadata"]!["deletionTimestamp"] is { } time && DateTimeOffset.UtcNow - Time(time) > TimeSpan.FromSeconds(20));

    public static bool IsReady(JsonObject pod) =>
        Conditions(pod).Any(condition => (string?)condition["type"] == "Ready" && (string?)condition["status"] == "True");

    public static IEnumerable<JsonObject> Conditions(JsonObject live) =>
        ((JsonArray?)live["status"]?["conditions"] ?? []).Select(condition => condition!.AsObject());

    private static TimeSpan Age(JsonObject pod) => (string?)pod["status"]?["startTime"] is { } time
        ? DateTimeOffset.UtcNow - Time(time)
        : TimeSpan.Zero;

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
