using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// Few but large objects. Whoever may create a server in one namespace must not keep the servers of the others waiting. The definitions
/// are those of before there were bounds in them.
/// </summary>
public sealed class LargeSpecTests(LargeSpecTests.Unbounded plane) : IClassFixture<LargeSpecTests.Unbounded>
{
    private const long Limit = 48 << 20;

    private static readonly IReadOnlyDictionary<string, string?> Settings =
        new Dictionary<string, string?>(ServerScenario.Permissive) { ["MCP_GATEWAY_PROXY_IMAGE"] = "example.org/gateway:1" };

    [Fact]
    public async Task FourTooLargeServersInASmallContainerKeepNobodyElseWaiting()
    {
        var controlPlane = plane.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var theirs = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantInAsync(theirs);
        for (var i = 0; i < 4; i++)
            await CreateAsync(theirs, $"large-{i}", tools: 3000, description: 300);
        await using var group = await GroupAsync(controlPlane);
        await using var scenario = await StartAsync(controlPlane, ns, group, "--watch-namespaces", $"{ns},{theirs}");

        await CreateAsync(ns, "small", tools: 3, description: 30);
        await GrantAsync(ns, "reader", "small");
        await EventuallyInPolicyAsync(ns, "small", "reader");
        for (var i = 0; i < 4; i++)
        {
            var status = await EventuallyReportedAsync(theirs, $"large-{i}");
            Assert.Equal("Error", (string?)status["phase"]);
            Assert.Contains("spec: has 1", (string?)status["message"], StringComparison.Ordinal);
            Assert.Contains("must not have more than 524288", (string?)status["message"], StringComparison.Ordinal);
        }

        // And once more from the lists.
        await scenario.StopOperatorAsync();
        await using var again = await StartAsync(controlPlane, ns, group, "--watch-namespaces", $"{ns},{theirs}");
        await GrantAsync(ns, "writer", "small");
        await EventuallyInPolicyAsync(ns, "small", "writer");
        await again.StopOperatorAsync();
        Assert.Equal(0, group.OutOfMemoryKills);
    }

    [Fact]
    public async Task TheLargestThatAreTakenGetTheirPoliciesInASmallContainer()
    {
        var controlPlane = plane.Require();
        var namespaces = new List<TestNamespace>();
        for (var i = 0; i < 4; i++)
            namespaces.Add(await TestNamespace.CreateAsync(controlPlane));
        foreach (var other in namespaces.Skip(1))
            await namespaces[0].GrantInAsync(other);
        await using var group = await GroupAsync(controlPlane);
        await using var scenario = await StartAsync(controlPlane, namespaces[0], group, "--watch-namespaces", string.Join(',', namespaces));
        await scenario.Operator!.WaitForLogAsync("WorkersStarted");

        // All at once.
        await Task.WhenAll(namespaces.SelectMany(ns => Enumerable.Range(0, 2).Select(i => CreateAsync(ns, $"large-{i}", tools: 1300, description: 300))));
        foreach (var ns in namespaces)
        {
            for (var i = 0; i < 2; i++)
            {
                await GrantAsync(ns, $"reader-{i}", $"large-{i}");
                await EventuallyInPolicyAsync(ns, $"large-{i}", $"reader-{i}");
                await EventuallyReportedAsync(ns, $"large-{i}", status => (string?)ServerScenario.Condition(status, "PolicyReady")?["reason"] == "PolicyCurrent");
                Assert.NotNull(await controlPlane.Client.FindAsync(Resource.Deployments, ns.Name, $"large-{i}"));
            }
        }

        await scenario.StopOperatorAsync();
        Assert.Equal(0, group.OutOfMemoryKills);
        foreach (var ns in namespaces.Skip(1))
            await ns.DisposeAsync();
    }

    [Fact]
    public async Task WhatIsTakenAwayIsGoneFromThePolicyOfAServerThatHasBecomeTooLarge()
    {
        await using var scenario = await ServerScenario.StartAsync(plane.Require(), Settings);
        var ns = scenario.Namespace;
        await CreateAsync(ns, "web", tools: 3, description: 30);
        await GrantAsync(ns, "leaver", "web");
        await GrantAsync(ns, "stayer", "web");
        await EventuallyInPolicyAsync(ns, "web", "leaver");
        await EventuallyInPolicyAsync(ns, "web", "stayer");

        await scenario.EditServerAsync($$"""{"image": "example.org/new:2", "tools": {{Tools(3000, 300)}}}""");
        var status = await scenario.EventuallyStatusAsync("the size was reported", status => ((string?)status["message"])?.Contains("spec: has 1", StringComparison.Ordinal) == true);
        Assert.Equal("Error", (string?)status["phase"]);
        await scenario.Client.DeleteAsync(Resource.MCPAccessGrants, ns.Name, "leaver");
        var policy = await EventuallyPolicyAsync(ns, "web", "the grant was gone", policy => !policy.Contains("leaver", StringComparison.Ordinal));
        Assert.Contains("stayer", policy, StringComparison.Ordinal);
        // And what was made of the last spec that could be read stays.
        Assert.Contains("tool-2", policy, StringComparison.Ordinal);
        Assert.Equal("example.org/x:1", (string?)(await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]);

        await scenario.EditServerAsync($$"""{"tools": {{Tools(4, 30)}}}""");
        await EventuallyPolicyAsync(ns, "web", "the new spec was in the policy", policy => policy.Contains("tool-3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WithoutMemoryItEndsAtOnceWithOneLineThatSaysWhatToDo()
    {
        var controlPlane = plane.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        var rules = JsonSerializer.Serialize(Enumerable.Range(0, 650).Select(i => new { name = $"{i}-{new string('x', 30)}" }));
        for (var i = 0; i < 250; i++)
        {
            await controlPlane.Client.CreateAsync(
                $"{{apiVersion: mcpruntime.org/v1alpha1, kind: MCPAccessGrant, metadata: {{name: large-{i}}}, spec: {{serverRef: {{name: web}}, subject: {{humanID: ann}}, toolRules: {rules}}}}}",
                ns.Name);
        }

        // Eight MiB, in hexadecimal; a grant has a twentieth of one.
        await using var process = await OperatorProcess.StartAsync(controlPlane, ns, new()
        {
            Environment = new Dictionary<string, string?>(Settings) { ["DOTNET_GCHeapHardLimit"] = "800000" },
        });

        Assert.Equal(1, await process.Exited.WaitAsync(Eventually.Limit));
        var line = Assert.Single(process.Log, entry => (string?)entry["level"] == "critical");
        Assert.Equal("OutOfMemory", (string?)line["event"]);
        Assert.Contains("of the container's limit of 10 MiB objects may take 8 MiB", (string?)line["msg"], StringComparison.Ordinal);
        Assert.Contains($"The largest object that was read is MCPAccessGrant {ns}/large-", (string?)line["msg"], StringComparison.Ordinal);
        Assert.Contains("Raise the limit, or make that object smaller", (string?)line["msg"], StringComparison.Ordinal);
        Assert.InRange(DateTimeOffset.Parse((string)line["ts"]!, CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        Assert.Equal(process.Lines[^1], process.Lines.Single(text => text.Contains("OutOfMemory", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Bounds that come with a newer definition refuse no more than new specs. An old API server checks the whole object also when
    /// only its status is written, and refuses that: then the log says so, and the rest is done.
    /// </summary>
    [Fact]
    public async Task AServerFromBeforeTheBoundsIsRunAllTheSame()
    {
        Assert.SkipWhen(new ControlPlaneOptions().UseExistingCluster, "replaces the definition of MCPServer");
        await using var controlPlane = await ControlPlane.StartAsync();
        await Unbounded.InstallAsync(controlPlane);
        await OperatorRole.InstallAsync(controlPlane);
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await CreateAsync(ns, "web", tools: 2500, description: 10, controlPlane.Client);
        await controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"));
        await Eventually.TrueAsync("the bounds are in force", async () =>
        {
            try
            {
                await CreateAsync(ns, "more", tools: 2500, description: 10, controlPlane.Client);
                await controlPlane.Client.DeleteAsync(Resource.MCPServers, ns.Name, "more");
                return false;
            }
            catch (KubeException exception) when ((int)exception.Code == 422)
            {
                return true;
            }
        }, inForce => inForce);

        await using var scenario = await ServerScenario.StartAsync(controlPlane, ns, Settings);
        await GrantAsync(ns, "reader", "web", controlPlane.Client);
        await Eventually.TrueAsync(
            "the policy holds the grant",
            () => controlPlane.Client.FindAsync(Resource.ConfigMaps, ns.Name, "web-gateway-policy"),
            live => ((string?)live?["data"]?["policy.json"])?.Contains("\"reader\"", StringComparison.Ordinal) == true);
        foreach (var kind in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses })
            await Eventually.TrueAsync($"the {kind.Kind} was made", () => controlPlane.Client.FindAsync(kind, ns.Name, "web"), live => live is not null);
        await Eventually.TrueAsync(
            "the status was written, or its refusal said",
            () => scenario.ServerAsync(),
            server => server["status"]?["observedGeneration"] is not null
                || scenario.Operator!.Log.Any(entry => (string?)entry["event"] == "ReconcileFailed" && entry.ToJsonString().Contains("spec.tools", StringComparison.Ordinal)));
    }

    private static Task<ServerScenario> StartAsync(ControlPlane controlPlane, TestNamespace ns, MemoryGroup group, params IReadOnlyList<string> arguments) =>
        ServerScenario.StartAsync(controlPlane, ns, new OperatorOptions { Environment = Settings, Binary = group.Script, Arguments = arguments });

    private static async Task<MemoryGroup> GroupAsync(ControlPlane controlPlane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux (memory cgroups)");
        var reasons = new List<string>();
        var group = MemoryGroup.TryCreate(Limit, controlPlane.Directory, reasons.Add);
        Assert.SkipWhen(group is null, $"no memory cgroup can be made here: {string.Join("; ", reasons)}");
        await group!.WriteScriptAsync();
        return group;
    }

    private Task<JsonObject> CreateAsync(TestNamespace ns, string name, int tools, int description, KubeClient? client = null) =>
        (client ?? plane.ControlPlane.Client).CreateAsync(new JsonObject
        {
            ["apiVersion"] = Resource.MCPServers.ApiVersion,
            ["kind"] = Resource.MCPServers.Kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns.Name },
            ["spec"] = JsonNode.Parse($$"""{"image": "example.org/x:1", "gateway": {"enabled": true}, "tools": {{Tools(tools, description)}}}"""),
        });

    private Task<JsonObject> GrantAsync(TestNamespace ns, string name, string server, KubeClient? client = null) =>
        (client ?? plane.ControlPlane.Client).CreateAsync(
            $"{{apiVersion: mcpruntime.org/v1alpha1, kind: MCPAccessGrant, metadata: {{name: {name}}}, spec: {{serverRef: {{name: {server}}}, subject: {{humanID: ann}}}}}}", ns.Name);

    private Task<string> EventuallyInPolicyAsync(TestNamespace ns, string server, string grant) => EventuallyPolicyAsync(
        ns, server, $"the policy of {server} holds {grant}", policy => policy.Contains($"\"{grant}\"", StringComparison.Ordinal));

    private async Task<string> EventuallyPolicyAsync(TestNamespace ns, string server, string what, Predicate<string> matches)
    {
        var live = await Eventually.TrueAsync(
            what,
            () => plane.ControlPlane.Client.FindAsync(Resource.ConfigMaps, ns.Name, $"{server}-gateway-policy"),
            live => (string?)live?["data"]?["policy.json"] is { } policy && matches(policy));
        return (string)live!["data"]!["policy.json"]!;
    }

    private async Task<JsonNode> EventuallyReportedAsync(TestNamespace ns, string server, Func<JsonNode, bool>? condition = null) => (await Eventually.TrueAsync(
        $"{server} was reported",
        () => plane.ControlPlane.Client.GetAsync(Resource.MCPServers, ns.Name, server),
        live => live["status"]?["observedGeneration"] is not null && condition?.Invoke(live["status"]!) != false))["status"]!;

    private static string Tools(int count, int description) => JsonSerializer.Serialize(Enumerable.Range(0, count).Select(i => new
    {
        name = $"tool-{i}",
        sideEffect = "read",
        description = new string('x', description),
    }));

    /// <summary>A control plane with definitions without bounds.</summary>
    public sealed class Unbounded : IAsyncLifetime
    {
        private readonly OwnControlPlane _plane = new();

        public ControlPlane ControlPlane => _plane.ControlPlane;

        public ControlPlane Require() => _plane.Require();

        public async ValueTask InitializeAsync()
        {
            await _plane.InitializeAsync();
            if (!new ControlPlaneOptions().UseExistingCluster)
                await InstallAsync(ControlPlane);
        }

        public static Task InstallAsync(ControlPlane controlPlane)
        {
            var definitions = Manifest.LoadDirectory(Repository.PathTo("config", "crd")).ToList();
            foreach (var definition in definitions)
                Unbind(definition);
            return controlPlane.InstallCrdsAsync(definitions);
        }

        public ValueTask DisposeAsync() => _plane.DisposeAsync();

        private static void Unbind(JsonNode? node)
        {
            foreach (var bound in new[] { "maxItems", "maxLength", "maxProperties" })
                (node as JsonObject)?.Remove(bound);
            foreach (var child in node switch
            {
                JsonObject fields => fields.Select(field => field.Value),
                JsonArray items => items,
                _ => [],
            })
                Unbind(child);
        }
    }
}
