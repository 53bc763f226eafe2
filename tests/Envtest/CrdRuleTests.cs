using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// The rules in CEL of our definitions: what an API server refuses by them is what the operator refuses where none checks them. Only here,
/// and where the sample is installed, are they in force: every other test finds the same on an API server that does not know them.
/// </summary>
public sealed class CrdRuleTests(CrdRuleTests.WithRules plane) : IClassFixture<CrdRuleTests.WithRules>
{
    private const string Rules = "x-kubernetes-validations";

    /// <summary>What breaks each of them and nothing else, and the field that the operator names.</summary>
    private static readonly (string Message, string Kind, string Spec, string Field)[] Broken =
    [
        ("gateway.port must differ from port", "MCPServer", "{image: x, port: 8092, gateway: {enabled: true, image: y, port: 8092}}", "spec.gateway.port"),
        ("port must not be 9103 with the gateway on", "MCPServer", "{image: x, port: 9103, gateway: {enabled: true, image: y}}", "spec.port"),
        ("servicePort must not be 9103", "MCPServer", "{image: x, servicePort: 9103, gateway: {enabled: true, image: y}}", "spec.servicePort"),
        ("auth.issuerURL is required", "MCPServer", "{image: x, auth: {mode: oauth}, gateway: {enabled: true, image: y}}", "spec.auth.issuerURL"),
        ("analytics needs the gateway", "MCPServer", "{image: x, analytics: {ingestURL: 'http://a'}}", "spec.analytics"),
        ("rollout.strategy Canary needs", "MCPServer", "{image: x, replicas: 3, rollout: {strategy: Canary}}", "spec.rollout.canaryReplicas"),
        ("port must not be 9103: ", "MCPServer", "{image: x, gateway: {enabled: true, image: y, port: 9103}}", "spec.gateway.port"),
        ("maxUnavailable and maxSurge", "MCPServer", "{image: x, rollout: {maxUnavailable: '0', maxSurge: 0%}}", "spec.rollout.maxUnavailable"),
        ("must name a humanID", "MCPAgentSession", "{serverRef: {name: x}, subject: {}}", "spec.subject"),
    ];

    [Fact]
    public async Task WhatBreaksOneIsRefusedByTheApiServerOrTheOperator()
    {
        var controlPlane = plane.Require();
        var messages = Manifest.LoadDirectory(Repository.PathTo("config", "crd")).SelectMany(MessagesIn).ToList();
        // The next one needs a line above.
        Assert.Equal(Broken.Length, messages.Count);
        foreach (var (message, kind, spec, field) in Broken)
        {
            Assert.Single(messages, one => one.StartsWith(message, StringComparison.Ordinal));
            var manifest = Object(kind, spec);
            var file = Path.GetTempFileName();
            await File.WriteAllTextAsync(file, manifest.ToJsonString(), CancellationToken.None);
            var validated = await Command.OperatorAsync("validate", "-o", "json", "-f", file);
            File.Delete(file);
            Assert.Equal(
                [field], JsonNode.Parse(validated.Output)!.AsArray().Where(fault => (string?)fault!["severity"] == "error").Select(fault => (string?)fault!["field"]));
            if (!plane.AreKnown)
                continue;
            var refusal = await Assert.ThrowsAsync<KubeException>(() => controlPlane.Client.CreateAsync(manifest));
            Assert.Equal(422, (int)refusal.Code);
            Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task WhatPeopleWriteIsTaken()
    {
        var controlPlane = plane.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        foreach (var document in PlanCorpus.Documents.OfType<string>())
            await controlPlane.Client.CreateAsync(document, ns.Name);
    }

    private static JsonObject Object(string kind, string spec) => new()
    {
        ["apiVersion"] = Resource.MCPServers.ApiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = "web" },
        ["spec"] = Manifest.Parse(spec),
    };

    private static IEnumerable<string> MessagesIn(JsonNode? schema) => schema switch
    {
        JsonObject members => (members[Rules] as JsonArray ?? []).Select(rule => (string)rule!["message"]!)
            .Concat(members.Where(member => member.Key != Rules).SelectMany(member => MessagesIn(member.Value))),
        JsonArray items => items.SelectMany(MessagesIn),
        _ => [],
    };

    public sealed class WithRules : IAsyncLifetime
    {
        private readonly OwnControlPlane _plane = new();

        /// <summary>Whether this API server checks them.</summary>
        public bool AreKnown { get; private set; }

        public ControlPlane Require() => _plane.Require();

        public async ValueTask InitializeAsync()
        {
            await _plane.InitializeAsync();
            if (new ControlPlaneOptions().UseExistingCluster)
                return;
            await _plane.ControlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"), withRules: true);
            var live = await _plane.ControlPlane.Client.GetAsync(Resource.CustomResourceDefinitions, null, "mcpservers.mcpruntime.org");
            AreKnown = live["spec"]!.ToJsonString().Contains(Rules, StringComparison.Ordinal);
        }

        public ValueTask DisposeAsync() => _plane.DisposeAsync();
    }
}
