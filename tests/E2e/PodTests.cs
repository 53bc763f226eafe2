namespace McpOperator.E2e;

/// <summary>Pods of which the spec says more than an image.</summary>
public sealed class PodTests(Cluster cluster)
{
    /// <summary>A startup probe gives a slow server its time: with the default probes alone the kubelet would have ended it after 35 s.</summary>
    [Fact]
    public async Task ASlowServerWithArgumentsVolumesAndASidecarComesUpWithoutARestart()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.Client.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {level: info}}", ns.Name);
        var hello = await ns.HelloAsync(
            "hello",
            """
            args: [--level, info],
            envVars: [{name: HELLO_FAULT, value: slow=40}, {name: HELLO_DRAIN, value: '0'}],
            probes: {startup: {periodSeconds: 5, failureThreshold: 30}},
            podTemplate: {
              metadata: {labels: {team: support}},
              spec: {
                volumes: [{name: settings, configMap: {name: settings}}, {name: scratch, emptyDir: {}}],
                containers: [
                  {name: hello, volumeMounts: [{name: settings, mountPath: /settings, readOnly: true}, {name: scratch, mountPath: /scratch}]},
                  {name: sidecar, image: 'localhost/pod:1', env: [{name: PORT, value: '9090'}], resources: {limits: {memory: 16Mi}},
                    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}
            """);

        var pod = Assert.Single(await ns.PodsAsync("hello"));
        Assert.Equal("support", (string?)pod["metadata"]!["labels"]!["team"]);
        var statuses = BrokenServers.Statuses(pod).ToList();
        Assert.Equal(["hello", "sidecar"], statuses.Select(status => (string)status["name"]!).Order(StringComparer.Ordinal));
        Assert.All(statuses, status => Assert.Equal((0, true), ((int)status["restartCount"]!, (bool)status["ready"]!)));
        var container = pod["spec"]!["containers"]!.AsArray().Single(one => (string?)one!["name"] == "hello")!;
        Assert.NotEmpty(container["args"]!.AsArray());
        Assert.Equal(["/settings", "/scratch"], container["volumeMounts"]!.AsArray().Select(mount => (string)mount!["mountPath"]!).Where(path => path[1] == 's'));
        await using var caller = await hello.ConnectAsync();
        Assert.Equal(3, (await caller.ListAsync()).Count);
    }

    [Fact]
    public async Task AConfigMapThatChangesReplacesThePodsThatReferToIt()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.Client.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {LEVEL: info}}", ns.Name);
        var hello = await ns.HelloAsync("hello", "restartOnChange: true, envFrom: [{configMapRef: {name: settings}}]");
        var before = (string)Assert.Single(await ns.PodsAsync("hello"))["metadata"]!["name"]!;

        await cluster.Client.PatchAsync(Resource.ConfigMaps, ns.Name, "settings", """{"data": {"LEVEL": "debug"}}""");

        await Eventually.TrueAsync(
            "another pod was alone", () => ns.PodsAsync("hello"),
            pods => pods.Count == 1 && (string?)pods[0]["metadata"]!["name"] != before && BrokenServers.Statuses(pods[0]).All(status => (bool)status["ready"]!),
            Cluster.Limit);
        await using var caller = await hello.ConnectAsync();
        Assert.Equal(3, (await caller.ListAsync()).Count);
    }

    [Fact]
    public async Task AnAffinityThatCannotBeMetIsSaidInTheSchedulersWords()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.ServerAsync(
            "nowhere",
            "podTemplate: {spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]}}}}}");
        var server = await Eventually.TrueAsync(
            "the scheduler's words were in the status",
            () => cluster.Client.GetAsync(Resource.MCPServers, ns.Name, "nowhere"),
            live => (string?)Hello.Condition(live, "DeploymentReady")?["reason"] == "Unschedulable",
            Cluster.Limit);
        Assert.Contains("affinity", (string)Hello.Condition(server, "DeploymentReady")!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatWouldMountTheNodesDiskIsRefusedBeforeAnythingRuns()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.ServerAsync("disk", "podTemplate: {spec: {volumes: [{name: disk, hostPath: {path: /}}]}}");
        var server = await Eventually.TrueAsync(
            "it was refused",
            () => cluster.Client.GetAsync(Resource.MCPServers, ns.Name, "disk"),
            live => (string?)Hello.Condition(live, "Ready")?["reason"] == "InvalidSpec",
            Cluster.Limit);
        Assert.Contains("spec.podTemplate.spec.volumes[disk].hostPath", (string)server["status"]!["message"]!, StringComparison.Ordinal);
        Assert.Null(await cluster.Client.FindAsync(Resource.Deployments, ns.Name, "disk"));
    }

    [Fact]
    public async Task ASuspendedServerKeepsItsRouteAndAnswersAgainWhenItIsResumed()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", Hello.EndsAtOnce);
        var url = (string?)(await hello.GetAsync())["status"]!["url"];
        var route = (await cluster.Client.GetAsync(Resource.Ingresses, ns.Name, "hello"))["metadata"]!["uid"]!.ToString();

        await hello.EditAsync("{suspend: true}");
        var suspended = await hello.ReadyAsync();
        Assert.Equal(("Suspended", "Suspended", url), (
            (string?)suspended["status"]!["phase"], (string?)Hello.Condition(suspended, "Ready")!["reason"], (string?)suspended["status"]!["url"]));
        await Eventually.TrueAsync("no pod was left", () => ns.PodsAsync("hello"), pods => pods.Count == 0, Cluster.Limit);

        await hello.EditAsync("{suspend: false}");
        await hello.ReadyAsync();
        Assert.Equal(route, (await cluster.Client.GetAsync(Resource.Ingresses, ns.Name, "hello"))["metadata"]!["uid"]!.ToString());
        await using var caller = await hello.ConnectAsync();
        Assert.Contains("by hello-mcp", await caller.CallAsync("time"), StringComparison.Ordinal);
    }
}
