using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>How the operator proves who it is, what it says when that is refused, and what it never says.</summary>
public sealed class CredentialTests(ControlPlaneFixture fixture)
{
    private const string Account = "operator";

    [Fact]
    public async Task AServiceAccountsTokenWorksUntilItIsRevokedAndIsNeverLogged()
    {
        fixture.RequireOwn("a ServiceAccount with our role");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var token = await TokenAsync(ns);
        var kubeconfig = await KubeconfigAsync(cluster => { }, new JsonObject { ["token"] = token });
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig, Arguments = ["--log-level", "debug"] });
        await CreateAsync(ns, "before");
        await Eventually.TrueAsync("the server was reported", () => fixture.Client.GetAsync(Resource.MCPServers, ns.Name, "before"), Reported);

        await fixture.Client.DeleteAsync(Resource.ServiceAccounts, ns.Name, Account);
        // The API server remembers for some seconds that a token was good.
        for (var i = 0; !process.Log.Any(IsUnauthorized); i++)
        {
            Assert.True(i < 60, "the operator never noticed");
            await CreateAsync(ns, $"after-{i}");
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        Assert.False(process.Exited.IsCompleted);
        Assert.DoesNotContain(process.Lines, line => line.Contains(token, StringComparison.Ordinal) || line.Contains(token[^20..], StringComparison.Ordinal));
        Assert.DoesNotContain(process.Lines, line => line.Contains("Bearer", StringComparison.Ordinal));
        // The log names what was refused, and not only a number.
        var refused = process.Log.First(IsUnauthorized);
        Assert.Contains("Unauthorized", (string)refused["msg"]! + (string?)refused["error"]);
    }

    [Fact]
    public async Task AWrongTokenIsAClearWarningWithoutTheToken()
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        const string Token = "wrong-token-of-which-nothing-is-logged";
        var kubeconfig = await KubeconfigAsync(cluster => { }, new JsonObject { ["token"] = Token });
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig, Arguments = ["--log-level", "debug"] });

        var line = await process.WaitForLogAsync("it said why it cannot list", entry => (string?)entry["event"] == "ReflectorFailed");

        Assert.Equal("warn", (string?)line["level"]);
        Assert.Contains("Unauthorized", (string)line["msg"]!);
        Assert.Equal(500, (int)(await process.GetAsync("/readyz")).Code);
        Assert.Equal(0, await process.StopAsync());
        Assert.DoesNotContain(process.Lines, text => text.Contains(Token, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Suite", "smoke")]
    public async Task AnApiServerThatAnotherAuthoritySignedIsRefusedWithAClearLine()
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        using var other = new TestAuthority();
        var kubeconfig = await KubeconfigAsync(
            cluster => cluster["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(other.CertificatePem)),
            new JsonObject { ["token"] = "never-sent" });
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig });

        var line = await process.WaitForLogAsync("it said why it cannot list", entry => (string?)entry["event"] == "ReflectorFailed");

        Assert.Equal("warn", (string?)line["level"]);
        // A person must be able to tell it from a server that is down, without a stack trace.
        Assert.Contains("The remote certificate is invalid because of errors in the certificate chain", (string)line["msg"]!);
        Assert.Null(line["stacktrace"]);
    }

    [Fact]
    public async Task AKubeconfigMayHaveAnchors()
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        // The one use of a regular expression in the binary, whose engine is linked in parts.
        var yaml = (await File.ReadAllTextAsync(fixture.ControlPlane.AdminKubeconfig))
            .Replace("- name: envtest", "- name: &cluster envtest", StringComparison.Ordinal)
            .Replace("cluster: envtest", "cluster: *cluster", StringComparison.Ordinal);
        Assert.Contains("*cluster", yaml);
        var kubeconfig = Path.Combine(fixture.ControlPlane.Directory, $"{Guid.NewGuid():N}.kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, yaml);

        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig });

        await process.WaitForLogAsync("it listed what is there", entry => (string?)entry["event"] == "Synced");
    }

    [Fact]
    public async Task NoLineOfTheLogCarriesTheRegistrysPasswordNorAKey()
    {
        const string Password = "pass\"word-1f0e";
        var environment = new Dictionary<string, string?>(ServerScenario.Permissive)
        {
            ["PROVISIONED_REGISTRY_URL"] = "registry.example.org",
            ["PROVISIONED_REGISTRY_USERNAME"] = "puller",
            ["PROVISIONED_REGISTRY_PASSWORD"] = Password,
        };
        await using var scenario = await ServerScenario.StartAsync(fixture, environment, "--log-level", "debug");
        await scenario.CreateServerAsync("{image: example.org/web, useProvisionedRegistry: true}");
        await scenario.SettledAsync();
        var secret = await scenario.Client.GetAsync(Resource.Secrets, scenario.Namespace.Name, "mcp-runtime-registry-pull");
        var process = scenario.Operator!;
        await scenario.StopOperatorAsync();

        var stored = (string)secret["data"]![".dockerconfigjson"]!;
        string[] forbidden =
        [
            Password, "word-1f0e", stored, stored[..40],
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Password)), Convert.ToBase64String(Encoding.UTF8.GetBytes($"puller:{Password}")),
            "PRIVATE KEY", "client-key-data",
        ];
        Assert.Contains(Password, (string)JsonNode.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(stored)))!["auths"]!["registry.example.org"]!["password"]!);
        Assert.Contains(process.Lines, line => line.Contains("Secret", StringComparison.Ordinal));
        foreach (var text in forbidden)
            Assert.DoesNotContain(process.Lines, line => line.Contains(text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task InAPodTheServiceAccountsFilesAreFoundWithoutAFlag()
    {
        fixture.RequireOwn("a ServiceAccount with our role");
        await Isolation.RequireAsync("unshare --mount mount -t tmpfs tmpfs /run", "/var/run/secrets is replaced in a mount namespace of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var files = Directory.CreateTempSubdirectory("service-account-");
        await File.WriteAllTextAsync(Path.Combine(files.FullName, "token"), await TokenAsync(ns));
        await File.WriteAllTextAsync(Path.Combine(files.FullName, "namespace"), ns.Name);
        var cluster = Manifest.Parse(await File.ReadAllTextAsync(fixture.ControlPlane.AdminKubeconfig))["clusters"]![0]!["cluster"]!;
        await File.WriteAllBytesAsync(Path.Combine(files.FullName, "ca.crt"), Convert.FromBase64String((string)cluster["certificate-authority-data"]!));
        var script = await Isolation.ScriptAsync(files, $"""
            exec unshare --mount sh -c '
              mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount && cp {files.FullName}/* /run/secrets/kubernetes.io/serviceaccount/ &&
              exec {OperatorBinary.Find()} "$@"' sh "$@"
            """);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Binary = script,
            Kubeconfig = "",
            Environment = new Dictionary<string, string?>
            {
                ["KUBERNETES_SERVICE_HOST"] = fixture.ControlPlane.Server.Host,
                ["KUBERNETES_SERVICE_PORT"] = $"{fixture.ControlPlane.Server.Port}",
            },
        });
        var connecting = await process.WaitForLogAsync("it said where it connects", entry => (string?)entry["event"] == "Connecting");
        Assert.Equal("in-cluster (neither --kubeconfig nor $KUBECONFIG is given)", (string?)connecting["origin"]);
        await CreateAsync(ns, "web");
        await Eventually.TrueAsync("the server was reported", () => fixture.Client.GetAsync(Resource.MCPServers, ns.Name, "web"), Reported);

        Assert.Contains(await fixture.ControlPlane.AuditEventsAsync(), e => e.User == $"system:serviceaccount:{ns}:{Account}" && e is { IsWrite: true, Resource: "deployments" });
        files.Delete(true);
    }

    private static bool Reported(JsonObject server) => server["status"]?["observedGeneration"] is not null;

    private static bool IsUnauthorized(JsonObject entry) => entry.ToJsonString().Contains("Unauthorized", StringComparison.Ordinal);

    /// <summary>A token of a new ServiceAccount that has the operator's role in the namespace.</summary>
    private async Task<string> TokenAsync(TestNamespace ns)
    {
        await fixture.Client.CreateAsync($"{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {Account}}}}}", ns.Name);
        await fixture.Client.CreateAsync($$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: service-account}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{OperatorRole.Name}}}
            subjects: [{kind: ServiceAccount, name: {{Account}}, namespace: {{ns}}}]
            """, ns.Name);
        var answer = await fixture.Client.SendAsync(
            HttpMethod.Post,
            $"{Resource.ServiceAccounts.PathTo(ns.Name, Account)}/token",
            new StringContent("""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}""", Encoding.UTF8, "application/json"));
        return (string)answer["status"]!["token"]!;
    }

    private async Task<string> KubeconfigAsync(Action<JsonObject> changeCluster, JsonObject user)
    {
        var config = Manifest.Parse(await File.ReadAllTextAsync(fixture.ControlPlane.AdminKubeconfig));
        changeCluster(config["clusters"]![0]!["cluster"]!.AsObject());
        config["users"]![0]!["user"] = user;
        var path = Path.Combine(fixture.ControlPlane.Directory, $"{Guid.NewGuid():N}.kubeconfig");
        await File.WriteAllTextAsync(path, config.ToJsonString());
        return path;
    }

    private Task<JsonObject> CreateAsync(TestNamespace ns, string name) => fixture.Client.CreateAsync(
        $$"""{apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: {{name}}}, spec: {image: example.org/web} }""", ns.Name);
}
