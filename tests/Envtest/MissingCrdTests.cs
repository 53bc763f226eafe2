namespace McpOperator.Envtest;

public sealed class MissingCrdTests
{
    [Fact]
    public async Task TheOperatorMayBeStartedBeforeItsCrdIsInstalled()
    {
        Assert.SkipWhen(new ControlPlaneOptions().UseExistingCluster, "needs a control plane of its own, and USE_EXISTING_CLUSTER is set");
        await using var controlPlane = await ControlPlane.StartAsync();
        await OperatorRole.InstallAsync(controlPlane);
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var process = await OperatorProcess.StartAsync(controlPlane, ns, new() { Arguments = ["--metrics-bind-address", "127.0.0.1:0"] });
        var line = await process.WaitForLogAsync("it said what is missing", entry => (string?)entry["event"] == "NotServed");
        Assert.Contains("Is the CRD installed?", (string)line["msg"]!);
        await Eventually.TrueAsync("all but the CRD was listed", () => process.GetAsync("/readyz?verbose"), answer =>
            (int)answer.Code == 500 && answer.Text.Contains("[-]caches failed", StringComparison.Ordinal));
        Assert.Equal(200, (int)(await process.GetAsync("/readyz/shutdown")).Code);
        Assert.Equal(500, (int)(await process.GetAsync("/readyz/caches")).Code);

        await controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"));
        await controlPlane.Client.CreateAsync(ServerText, ns.Name);

        await Eventually.TrueAsync("the server was reported", () => controlPlane.Client.GetAsync(Resource.MCPServers, ns.Name, "web"), server => server["status"]?["observedGeneration"] is not null);
        Assert.Equal("ok", (await process.GetAsync("/readyz")).Text);
        // It repeats itself at level debug only: one line for each of the three kinds.
        var complaints = process.Log.Where(entry => (string?)entry["event"] == "NotServed" && (string?)entry["level"] != "debug").ToList();
        Assert.Equal(3, complaints.Count);
        Assert.Equal(3, complaints.Select(entry => (string?)entry["msg"]).Distinct().Count());
    }

    private const string ServerText = """
        apiVersion: mcpruntime.org/v1alpha1
        kind: MCPServer
        metadata: {name: web}
        spec: {image: example.org/web}
        """;
}
