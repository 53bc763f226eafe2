using System.Diagnostics;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Which defaults end up in the spec, and that a user's own fields stay the user's.</summary>
public sealed class DefaultsTests(ControlPlaneFixture fixture)
{
    /// <summary>What a server with an image alone has in its spec in the end.</summary>
    private const string Complete = """
        image: example.org/web
        imageTag: latest
        replicas: 1
        port: 8088
        servicePort: 80
        publicPathPrefix: web
        ingressPath: /web/mcp
        ingressClass: traefik
        ingressPathType: Prefix
        """;

    [Fact]
    public async Task TheDefaultsInEffectAreWrittenIntoTheSpecOnce()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("{image: example.org/web, description: ' as it is ', envVars: [{name: A, value: ' b '}]}");
        var server = await scenario.SettledAsync();

        var expected = Manifest.Parse(Complete);
        expected["description"] = " as it is ";
        expected["envVars"] = """[{"name": "A", "value": " b "}]""".AsJson();
        ServerScenario.AssertJson(expected, server["spec"]);
        // One request: the object was created with generation 1.
        Assert.Equal(2, (long)server["metadata"]!["generation"]!);
        // What the schema fills in is nobody's, and the operator owns what it wrote alone.
        var fields = server["metadata"]!["managedFields"]!.AsArray()
            .Where(entry => (string?)entry!["manager"] == ServerScenario.FieldManager && entry["fieldsV1"]!["f:spec"] is not null);
        Assert.Equal(
            ["f:imageTag", "f:ingressClass", "f:ingressPath", "f:publicPathPrefix"],
            fields.Single()!["fieldsV1"]!["f:spec"]!.AsObject().Select(field => field.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task FieldsThatTheUserSetAreKeptAndOnlyTheOthersWritten()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        const string spec = """
            image: example.org/web:1
            replicas: 0
            port: 9000
            servicePort: 8080
            ingressHost: mcp.example.org
            ingressPath: tools
            ingressClass: nginx
            rollout: {maxSurge: "1"}
            tools: [{name: t, sideEffect: read}]
            """;
        await scenario.CreateServerAsync(spec);
        var server = await scenario.SettledAsync();

        var expected = Manifest.Parse(spec);
        expected["rollout"] = Manifest.Parse("{strategy: RollingUpdate, maxUnavailable: 25%, maxSurge: '1'}");
        expected["tools"]![0]!["requiredTrust"] = "low";
        expected["ingressPathType"] = "Prefix";
        ServerScenario.AssertJson(expected, server["spec"]);
    }

    [Fact]
    public async Task WithoutPersistingTheSpecStaysAsItIsAndTheObjectsAreTheSame()
    {
        fixture.RequireOwn("the audit log");
        await using var with = await ServerScenario.StartAsync(fixture);
        await using var without = await ServerScenario.StartAsync(fixture, null, "--persist-defaults=false");
        var status = new List<JsonNode>();
        foreach (var scenario in (ServerScenario[])[with, without])
        {
            await scenario.CreateServerAsync("image: example.org/web");
            status.Add((await scenario.SettledAsync())["status"]!);
        }

        var server = await without.ServerAsync();
        Assert.Equal(1, (long)server["metadata"]!["generation"]!);
        ServerScenario.AssertJson("{image: example.org/web, replicas: 1, port: 8088, servicePort: 80, ingressPathType: Prefix}", server["spec"]); // the schema's
        Assert.All(await without.WritesAsync(), write => Assert.False(write is { Resource: "mcpservers", Subresource: "" }));
        ServerScenario.AssertJson((await with.DeploymentAsync())["spec"], (await without.DeploymentAsync())["spec"]);
        ServerScenario.AssertJson((await with.ServiceAsync())["spec"]!["ports"], (await without.ServiceAsync())["spec"]!["ports"]);
        ServerScenario.AssertJson((await with.IngressAsync())["spec"], (await without.IngressAsync())["spec"]);
        ServerScenario.AssertJson((await with.IngressAsync())["metadata"]!["annotations"], (await without.IngressAsync())["metadata"]!["annotations"]);
        Assert.Equal(((string?)status[0]["url"], (string?)status[0]["image"]), ((string?)status[1]["url"], (string?)status[1]["image"]));

        await without.EditAndSettleAsync("ingressPath: /tools");
        Assert.Equal("/tools", (string?)(await without.IngressAsync())["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["path"]);
        await without.EditAndSettleAsync("ingressPath: null");
        Assert.Equal("/web/mcp", (string?)(await without.IngressAsync())["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["path"]);
    }

    [Fact]
    public async Task ADefinitionWithoutDefaultsInItsSchemaLeadsToTheSame()
    {
        fixture.RequireOwn("another definition of MCPServers");
        await using var controlPlane = await ControlPlane.StartAsync();
        var crds = Directory.CreateTempSubdirectory("crds-");
        foreach (var crd in Manifest.LoadDirectory(Repository.PathTo("config", "crd")))
        {
            foreach (var version in crd["spec"]!["versions"]!.AsArray())
                RemoveDefaults(version!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!);
            await File.WriteAllTextAsync(Path.Combine(crds.FullName, $"{crd["metadata"]!["name"]}.yaml"), crd.ToJsonString());
        }
        await controlPlane.InstallCrdsAsync(crds.FullName);
        crds.Delete(true);

        await using var with = await ServerScenario.StartAsync(controlPlane);
        var created = await with.CreateServerAsync("image: example.org/web");
        ServerScenario.AssertJson("image: example.org/web", created["spec"]);
        ServerScenario.AssertJson(Complete, (await with.SettledAsync())["spec"]);

        await using var without = await ServerScenario.StartAsync(controlPlane, null, "--persist-defaults=false");
        await without.CreateServerAsync("image: example.org/web");
        ServerScenario.AssertJson("image: example.org/web", (await without.SettledAsync())["spec"]);
        ServerScenario.AssertJson((await with.DeploymentAsync())["spec"], (await without.DeploymentAsync())["spec"]);
        ServerScenario.AssertJson((await with.IngressAsync())["spec"], (await without.IngressAsync())["spec"]);
    }

    [Fact]
    public async Task AServerSideApplyOfTheUsersOwnFieldsHasNoConflict()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await ApplyAsync("{image: example.org/web, replicas: 1, ingressHost: a.example.org, envVars: [{name: A, value: '1'}]}");
        await scenario.SettledAsync();

        await ApplyAsync("{image: example.org/other, replicas: 2, ingressHost: b.example.org, envVars: [{name: A, value: '2'}, {name: B, value: '3'}]}");
        await scenario.SettledAsync();
        Assert.Equal("example.org/other:latest", (string?)(await scenario.ContainerAsync())["image"]);
        Assert.Equal(2, (int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!);
        Assert.Equal("b.example.org", (string?)(await scenario.IngressAsync())["spec"]!["rules"]![0]!["host"]);

        // What goes out of the repository goes out of the cluster.
        await ApplyAsync("{image: example.org/other, replicas: 2, ingressHost: b.example.org, envVars: [{name: B, value: '3'}]}");
        var server = await scenario.SettledAsync();
        ServerScenario.AssertJson("""[{"name": "B", "value": "3"}]""".AsJson(), (await scenario.ContainerAsync())["env"]);
        Assert.Equal("latest", (string?)server["spec"]!["imageTag"]);

        Task<JsonObject> ApplyAsync(string spec) => scenario.Client.ApplyAsync(scenario.ServerManifest(spec), fieldManager: "gitops", force: false);
    }

    [Fact]
    public async Task KubectlApplyOfTheUsersOwnFieldsGoesThrough()
    {
        var kubectl = Kubectl();
        Assert.SkipUnless(File.Exists(kubectl), "needs kubectl beside the API server's binary");
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await ApplyAsync("{image: example.org/web, replicas: 1, envVars: [{name: A, value: '1'}]}");
        await scenario.SettledAsync();

        await ApplyAsync("{image: example.org/other, replicas: 2, publicPathPrefix: tools}");
        var server = await scenario.SettledAsync();
        var expected = Manifest.Parse(Complete);
        expected["image"] = "example.org/other";
        expected["replicas"] = 2;
        expected["publicPathPrefix"] = "tools";
        ServerScenario.AssertJson(expected, server["spec"]);
        Assert.Equal("/tools/mcp", (string?)(await scenario.IngressAsync())["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["path"]);
        Assert.Null((await scenario.ContainerAsync())["env"]);

        // Out of the manifest again: back to the default.
        await ApplyAsync("{image: example.org/other, replicas: 2}");
        await scenario.SettledAsync();
        Assert.Equal("/web/mcp", (string?)(await scenario.IngressAsync())["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["path"]);

        async Task ApplyAsync(string spec)
        {
            using var process = Process.Start(new ProcessStartInfo(
                kubectl, ["--kubeconfig", scenario.ControlPlane.AdminKubeconfig, "apply", "--validate=false", "-f", "-"])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
            await process.StandardInput.WriteAsync(scenario.ServerManifest(spec).ToJsonString());
            process.StandardInput.Close();
            var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, said);
        }
    }

    private static string Kubectl()
    {
        var assets = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS");
        return string.IsNullOrEmpty(assets) ? "" : Path.Combine(assets, "kubectl");
    }

    /// <summary>Takes the defaults of a schema away: a member "default" beside a type is one, not a field of that name.</summary>
    private static void RemoveDefaults(JsonNode schema)
    {
        if (schema is JsonArray items)
        {
            foreach (var item in items)
                RemoveDefaults(item!);
        }
        else if (schema is JsonObject members)
        {
            if (members.ContainsKey("type"))
                members.Remove("default");
            foreach (var (_, value) in members)
                if (value is not null)
                    RemoveDefaults(value);
        }
    }
}
