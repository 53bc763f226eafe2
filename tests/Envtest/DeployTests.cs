using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>
/// `make deploy` into clusters that have something already: it goes through, or it says what has to go before anything is changed. The Go
/// operator's two installs are those of Data/go-operator, applied as people apply them.
/// </summary>
public sealed partial class DeployTests(ControlPlaneFixture fixture)
{
    private const string Image = "registry.example.org:5000/mcp-operator:1.2.3";
    private const string Namespace = "mcp-runtime";
    private const string Name = "mcp-runtime-operator-controller-manager";
    private const string RemoveDeployment = $"kubectl --namespace {Namespace} delete deployment {Name}";
    private const string RemoveBudget = $"kubectl --namespace {Namespace} delete poddisruptionbudget {Name}";
    private const string RemoveMutating = "kubectl delete mutatingwebhookconfiguration mutating-webhook-configuration";
    private const string RemoveValidating = "kubectl delete validatingwebhookconfiguration validating-webhook-configuration";

    [Fact]
    public async Task AnEmptyClusterIsDeployedToAndOnceMoreChangesNothing()
    {
        await using var controlPlane = await StartAsync();

        Assert.Empty(Removals(await DeployAsync(controlPlane)));
        await IsOursAsync(controlPlane);
        var before = await StateAsync(controlPlane);
        Assert.Empty(Removals(await DeployAsync(controlPlane)));
        Assert.Equal(before, await StateAsync(controlPlane));
    }

    [Fact]
    public async Task OverItsKustomizeInstallNothingIsChangedUntilTheDeploymentAndTheBudgetAreGone()
    {
        await using var controlPlane = await StartAsync();
        await InstallGoOperatorAsync(controlPlane, "kustomize");
        var before = await StateAsync(controlPlane);

        var refused = await DeployAsync(controlPlane, expectedExitCode: 1);

        Assert.Equal([RemoveDeployment, RemoveBudget], Removals(refused));
        Assert.Equal(before, await StateAsync(controlPlane));
        await RunAsync(controlPlane, Removals(refused));
        Assert.Empty(Removals(await DeployAsync(controlPlane)));
        await IsOursAsync(controlPlane);
    }

    [Fact]
    public async Task OverItsInstallersInstallNothingIsChangedUntilItsWebhooksAreGoneAndThenTheirCertificateGoes()
    {
        await using var controlPlane = await StartAsync();
        await InstallGoOperatorAsync(controlPlane, "installer");
        var before = await StateAsync(controlPlane);

        var refused = await DeployAsync(controlPlane, expectedExitCode: 1);

        Assert.Equal([RemoveMutating, RemoveValidating], Removals(refused));
        Assert.Equal(before, await StateAsync(controlPlane));
        await RunAsync(controlPlane, Removals(refused));
        Assert.Empty(Removals(await DeployAsync(controlPlane)));
        var deployment = await IsOursAsync(controlPlane);
        // The same Deployment, rolled out.
        Assert.Contains($"Deployment/{Name} {(string)deployment["metadata"]!["uid"]!}", before.Select(line => line[..line.LastIndexOf(' ')]));
    }

    [Theory]
    [InlineData("installer")]
    [InlineData("kustomize")]
    public async Task AskedToReplaceItTakesAwayByItselfWhatIsInTheWay(string install)
    {
        await using var controlPlane = await StartAsync();
        await InstallGoOperatorAsync(controlPlane, install);

        await DeployAsync(controlPlane, replace: true);

        await IsOursAsync(controlPlane);
    }

    [Fact]
    public async Task OverAnInstallThatEndedHalfwayNothingIsChangedEither()
    {
        await using var controlPlane = await StartAsync();
        await InstallGoOperatorAsync(controlPlane, "kustomize");
        var file = Path.Combine(controlPlane.Directory, "install.yaml");
        var build = await Command.RunAsync("env", [$"IMG={Image}", $"OUT={file}", Repository.PathTo("hack", "deploy"), "build-installer"]);
        Assert.True(build.ExitCode == 0, build.Errors);
        await controlPlane.InstallCrdsAsync(Manifest.ParseAll(await File.ReadAllTextAsync(file)), withRules: true);
        // What happens to those who do not look first.
        var half = await KubectlAsync(controlPlane, ["apply", "--server-side", "--force-conflicts", "-f", file]);
        Assert.NotEqual(0, half.ExitCode);
        Assert.Contains(
            "patch", (await controlPlane.Client.GetAsync(Resource.ClusterRoles, null, "mcp-runtime-operator-role"))["rules"]!.ToJsonString());
        var before = await StateAsync(controlPlane);

        var refused = await DeployAsync(controlPlane, expectedExitCode: 1);

        Assert.Contains(RemoveDeployment, Removals(refused));
        Assert.Equal(before, await StateAsync(controlPlane));
        await RunAsync(controlPlane, Removals(refused));
        await DeployAsync(controlPlane);
        await IsOursAsync(controlPlane);
    }

    [Fact]
    public async Task WebhooksOfOthersAreNoneOfItsBusiness()
    {
        await using var controlPlane = await StartAsync();
        await InstallGoOperatorAsync(controlPlane, "installer");
        // Another program's pods, whose webhooks ask about the same objects.
        await controlPlane.Client.PatchAsync(
            Resource.Services, Namespace, "mcp-runtime-operator-webhook-service", """{"spec":{"selector":{"control-plane":"policy-engine"}}}""");

        Assert.Empty(Removals(await DeployAsync(controlPlane)));
    }

    [Fact]
    public async Task AConfigurationWithWebhooksOfOthersIsNotDeleted()
    {
        await using var controlPlane = await StartAsync();
        await InstallGoOperatorAsync(controlPlane, "installer");
        var configurations = new Resource("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", false);
        var shared = await controlPlane.Client.GetAsync(configurations, null, "validating-webhook-configuration");
        var other = shared["webhooks"]![0]!.DeepClone();
        other["name"] = "another.example.org";
        other["clientConfig"]!["service"]!["namespace"] = "another";
        shared["webhooks"]!.AsArray().Add(other);
        await controlPlane.Client.SendAsync(
            HttpMethod.Put, configurations.PathTo(null, "validating-webhook-configuration"), new StringContent(shared.ToJsonString(), null, "application/json"));
        var before = await StateAsync(controlPlane);

        var refused = await DeployAsync(controlPlane, expectedExitCode: 1);

        Assert.Equal([RemoveMutating], Removals(refused));
        Assert.Contains("kubectl edit", refused.Errors);
        Assert.Equal(before, await StateAsync(controlPlane));
    }

    private async Task<ControlPlane> StartAsync()
    {
        fixture.RequireOwn("a cluster without our CRDs and roles");
        return await ControlPlane.StartAsync();
    }

    private static async Task InstallGoOperatorAsync(ControlPlane controlPlane, string install)
    {
        var versions = await KubectlAsync(controlPlane, ["api-versions"]);
        foreach (var part in new[] { "installed", install })
        {
            var yaml = await File.ReadAllTextAsync(Repository.PathTo("tests", "Envtest", "Data", "go-operator", $"{part}.yaml"));
            // An API server before 1.21 has it by its older name.
            if (!versions.Output.Split('\n').Contains("policy/v1"))
                yaml = yaml.Replace("policy/v1\n", "policy/v1beta1\n", StringComparison.Ordinal);
            var file = Path.Combine(controlPlane.Directory, $"{part}.yaml");
            await File.WriteAllTextAsync(file, yaml);
            var applied = await KubectlAsync(controlPlane, ["apply", "-f", file]);
            Assert.True(applied.ExitCode == 0, applied.Errors);
        }
        await KubectlAsync(controlPlane, ["wait", "--for", "condition=established", "--timeout=60s", "crd/mcpservers.mcpruntime.org"]);
    }

    // Each object that a deploy could change or make, with its uid and its version.
    private static async Task<IReadOnlyList<string>> StateAsync(ControlPlane controlPlane)
    {
        var all = await KubectlAsync(controlPlane,
        [
            "get",
            "namespaces,customresourcedefinitions,priorityclasses,clusterroles,clusterrolebindings,mutatingwebhookconfigurations,"
                + "validatingwebhookconfigurations,deployments,serviceaccounts,roles,rolebindings,poddisruptionbudgets,networkpolicies,services",
            "--all-namespaces", "-o",
            "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.resourceVersion}{\"\\n\"}{end}",
        ]);
        Assert.True(all.ExitCode == 0, all.Errors);
        return all.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<JsonObject> IsOursAsync(ControlPlane controlPlane)
    {
        var deployment = await controlPlane.Client.GetAsync(Resource.Deployments, Namespace, Name);
        var pod = deployment["spec"]!["template"]!["spec"]!;
        var container = Assert.Single(pod["containers"]!.AsArray())!;
        Assert.Equal(Image, (string?)container["image"]);
        Assert.DoesNotContain((JsonArray?)pod["volumes"] ?? [], volume => volume!["secret"] is not null);
        Assert.DoesNotContain((JsonArray?)container["volumeMounts"] ?? [], mount => (string?)mount!["name"] != "tmp");
        Assert.Equal("control-plane", Assert.Single(deployment["spec"]!["selector"]!["matchLabels"]!.AsObject()).Key);
        var budget = await KubectlAsync(controlPlane, ["--namespace", Namespace, "get", "pdb", Name, "-o", "jsonpath={.spec}"]);
        Assert.Contains("maxUnavailable", budget.Output);
        // The CRD is ours, and nobody's webhook keeps a server out.
        await controlPlane.Client.CreateAsync(await File.ReadAllTextAsync(Repository.PathTo("config", "samples", "mcpserver_minimal.yaml")), "default");
        var refused = await Assert.ThrowsAsync<KubeException>(() => controlPlane.Client.PatchAsync(
            Resource.MCPServers, "default", "hello", """{"spec":{"replicas":"three"}}"""));
        Assert.Contains("spec.replicas", refused.Message);
        await controlPlane.Client.DeleteAsync(Resource.MCPServers, "default", "hello");
        return deployment;
    }

    private static async Task<Command> DeployAsync(ControlPlane controlPlane, int expectedExitCode = 0, bool replace = false)
    {
        var deploy = await Command.RunAsync(
            "env", [.. await EnvironmentAsync(controlPlane), $"IMG={Image}", $"REPLACE={(replace ? "true" : "")}", Repository.PathTo("hack", "deploy"), "deploy"]);
        Assert.True(deploy.ExitCode == expectedExitCode, deploy.Errors + deploy.Output);
        return deploy;
    }

    private static IReadOnlyList<string> Removals(Command deploy) => [.. Removal().Matches(deploy.Errors).Select(match => match.Groups[1].Value)];

    private static async Task RunAsync(ControlPlane controlPlane, IReadOnlyList<string> commands)
    {
        foreach (var command in commands)
        {
            var ran = await Command.RunAsync("env", [.. await EnvironmentAsync(controlPlane), .. command.Split(' ')]);
            Assert.True(ran.ExitCode == 0, ran.Errors);
        }
    }

    private static async Task<Command> KubectlAsync(ControlPlane controlPlane, IReadOnlyList<string> arguments) =>
        await Command.RunAsync("env", [.. await EnvironmentAsync(controlPlane), "kubectl", .. arguments]);

    // The kubectl that comes with the API server goes before the machine's.
    private static async Task<string[]> EnvironmentAsync(ControlPlane controlPlane)
    {
        var binaries = await TestBinaries.FindAsync(_ => { });
        return
        [
            $"KUBECONFIG={controlPlane.AdminKubeconfig}",
            $"HOME={controlPlane.Directory}",
            $"PATH={Path.GetDirectoryName(binaries.KubeApiServer)}:{Environment.GetEnvironmentVariable("PATH")}",
        ];
    }

    [GeneratedRegex("^    (kubectl .*)$", RegexOptions.Multiline)]
    private static partial Regex Removal();
}
