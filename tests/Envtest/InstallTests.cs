using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// What `make build-installer` writes, applied to a cluster that has nothing of ours, and the operator run as its Deployment says:
/// as its service account, with its arguments, its environment and its share of memory.
/// </summary>
public sealed class InstallTests(ControlPlaneFixture fixture)
{
    private const string Image = "registry.example.org:5000/mcp-operator:1.2.3";
    private const string Servers = "mcp-servers";

    [Theory]
    [InlineData("default", 2)]
    [InlineData("single", 1)]
    [InlineData("namespaced", 2)]
    public async Task WhatIsInstalledIsEnoughForAServerToBecomeReady(string config, int replicas)
    {
        fixture.RequireOwn("a cluster without our CRDs and roles");
        var manifests = await InstallerAsync(config);
        await using var controlPlane = await ControlPlane.StartAsync();
        await controlPlane.InstallCrdsAsync(manifests, withRules: true);
        foreach (var manifest in manifests.Where(manifest => (string)manifest["kind"]! != "CustomResourceDefinition"))
            await ApplyAsync(controlPlane.Client, manifest);
        var deployment = await controlPlane.Client.GetAsync(Resource.Deployments, "mcp-runtime", "mcp-runtime-operator-controller-manager");
        var pod = deployment["spec"]!["template"]!["spec"]!;
        var container = pod["containers"]!.AsArray().Single()!;
        Assert.Equal(replicas, (int)deployment["spec"]!["replicas"]!);
        Assert.Equal(Image, (string)container["image"]!);
        await AdmittedAsync(controlPlane.Client, deployment["spec"]!["template"]!);
        if (await controlPlane.Client.FindAsync(Resource.Namespaces, null, Servers) is null)
            await controlPlane.Client.CreateAsync($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {Servers}}}}}");

        var account = $"system:serviceaccount:mcp-runtime:{(string)pod["serviceAccountName"]!}";
        await OperatorRole.UntilAllowedAsync(controlPlane, account, Servers, "list", Resource.MCPServers.Group, Resource.MCPServers.Plural);
        await OperatorRole.UntilAllowedAsync(controlPlane, account, "mcp-runtime", "create", Resource.Leases.Group, Resource.Leases.Plural);
        await using var process = await RunAsync(controlPlane, (string)pod["serviceAccountName"]!, container);

        await controlPlane.Client.CreateAsync(await File.ReadAllTextAsync(Repository.PathTo("config", "samples", "mcpserver_minimal.yaml")), Servers);
        await Eventually.TrueAsync(
            "the sample was Ready",
            async () =>
            {
                await Kubelet.ServeAllAsync(controlPlane.Client, Servers);
                return await controlPlane.Client.GetAsync(Resource.MCPServers, Servers, "hello");
            },
            server => (string?)server["status"]?["phase"] == "Ready");

        foreach (var probe in new[] { "livenessProbe", "readinessProbe" })
            Assert.Equal(HttpStatusCode.OK, (await process.GetAsync((string)container[probe]!["httpGet"]!["path"]!)).Code);
        Assert.Equal(1, await process.MetricAsync("leader_election_master_status"));
        Assert.Equal(0, await process.StopAsync());
        var requests = (await controlPlane.AuditEventsAsync()).Where(request => request.User == account && request.IsRequest).ToList();
        Assert.NotEmpty(requests);
        Assert.Equal([], requests.Where(request => request.IsDenied || request.Code == 403).Select(request => request.ToString()));
        if (config == "namespaced")
            Assert.Equal(["mcp-runtime", Servers], requests.Select(request => request.Namespace).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task WithoutAnImageThereIsNoInstaller()
    {
        var build = await Command.RunAsync("env", ["-u", "IMG", "OUT=-", Repository.PathTo("hack", "deploy"), "build-installer"]);

        Assert.Equal(1, build.ExitCode);
        Assert.Contains("IMG is not set", build.Errors);
    }

    private static async Task<IReadOnlyList<JsonObject>> InstallerAsync(string config)
    {
        var build = await Command.RunAsync(
            "env", [$"CONFIG={config}", $"IMG={Image}", "OUT=-", Repository.PathTo("hack", "deploy"), "build-installer"]);
        Assert.True(build.ExitCode == 0, build.Errors);
        return Manifest.ParseAll(build.Output);
    }

    private static async Task ApplyAsync(KubeClient client, JsonObject manifest)
    {
        // An API server before 1.21 has it by its older name.
        if ((string)manifest["apiVersion"]! == "policy/v1" && await IsOldAsync(client))
            manifest["apiVersion"] = "policy/v1beta1";
        // The API server refuses a field that it does not know.
        await client.ApplyAsync(manifest, fieldManager: "kubectl");
    }

    // No controller here makes pods of a Deployment: whether one of them would be let in, with the class that it names.
    private static async Task AdmittedAsync(KubeClient client, JsonNode template)
    {
        var pod = template.DeepClone().AsObject();
        pod["metadata"]!["generateName"] = "manager-";
        var admitted = await client.SendAsync(
            HttpMethod.Post, $"{Resource.Pods.PathTo("mcp-runtime")}?dryRun=All", new StringContent(pod.ToJsonString(), Encoding.UTF8, "application/json"));

        Assert.Equal(1_000_000, (int?)admitted["spec"]!["priority"]);
        Assert.Equal("Never", (string?)admitted["spec"]!["preemptionPolicy"]);
    }

    private static async Task<bool> IsOldAsync(KubeClient client) =>
        !(await client.SendAsync(HttpMethod.Get, "apis/policy"))["versions"]!.AsArray().Any(version => (string?)version!["version"] == "v1");

    private static async Task<OperatorProcess> RunAsync(ControlPlane controlPlane, string account, JsonNode container)
    {
        var answer = await controlPlane.Client.SendAsync(
            HttpMethod.Post,
            $"{Resource.ServiceAccounts.PathTo("mcp-runtime", account)}/token",
            new StringContent(
                """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}""", Encoding.UTF8, "application/json"));
        var kubeconfig = Manifest.Parse(await File.ReadAllTextAsync(controlPlane.AdminKubeconfig));
        kubeconfig["users"]![0]!["user"] = new JsonObject { ["token"] = (string)answer["status"]!["token"]! };
        // Where the pod is.
        kubeconfig["contexts"]![0]!["context"]!["namespace"] = "mcp-runtime";
        var path = Path.Combine(controlPlane.Directory, "installed.kubeconfig");
        await File.WriteAllTextAsync(path, kubeconfig.ToJsonString());

        var environment = ((JsonArray?)container["env"] ?? []).ToDictionary(variable => (string)variable!["name"]!, variable => (string?)variable!["value"]);
        // In a container the runtime limits itself to three quarters of the memory; here nothing else does.
        environment["DOTNET_GCHeapHardLimit"] = (Bytes((string)container["resources"]!["limits"]!["memory"]!) * 3 / 4).ToString("X", CultureInfo.InvariantCulture);
        return await OperatorProcess.RunAsync(
            OperatorBinary.Find(),
            [
                .. ((JsonArray?)container["args"] ?? []).Select(argument => (string)argument!),
                "--kubeconfig", path, "--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0",
            ],
            environment);
    }

    private static long Bytes(string mebibytes)
    {
        Assert.EndsWith("Mi", mebibytes, StringComparison.Ordinal);
        return long.Parse(mebibytes[..^2], CultureInfo.InvariantCulture) << 20;
    }
}
