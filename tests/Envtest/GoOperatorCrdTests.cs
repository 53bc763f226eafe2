using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Only the image was changed: the CRDs are those of the Go project, which know less of a status, and list conditions plainly.</summary>
public sealed class GoOperatorCrdTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static readonly string[] Booleans = ["deploymentReady", "serviceReady", "ingressReady", "gatewayReady", "policyReady", "canaryReady"];

    [Fact]
    public async Task StatusesAreWrittenAsFarAsItsCrdGoesAndAllOfThemOnceOursIsInstalled()
    {
        var controlPlane = own.Require();
        await InstallItsCrdAsync(controlPlane);
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantInAsync(other);
        var recorded = new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name);
        await recorded.WriteAsync();
        string[] arguments = ["--watch-namespaces", $"{ns},{other}", .. ServerScenario.OneWorker];

        await using var scenario = await ServerScenario.StartAsync(controlPlane, ns, GoOperatorObjects.Environment, arguments);
        foreach (var name in GoOperatorObjects.Servers)
        {
            var status = await scenario.EventuallyStatusAsync("it was reported", seen => (string?)seen["message"] != "All resources reconciled", name);
            Assert.Contains((string?)status["phase"], (string[])["Ready", "PartiallyReady"]);
            Assert.Null(status["observedGeneration"]);
            Assert.Equal(ConditionsOf(name), Types(status));
        }

        var told = Assert.Single(scenario.Operator!.Log, entry => (string?)entry["event"] == "StatusFieldsUndeclared");
        Assert.Equal("warn", (string?)told["level"]);
        Assert.Contains("status.observedGeneration, ", (string)told["msg"]!, StringComparison.Ordinal);
        Assert.Contains("status.url", (string)told["msg"]!, StringComparison.Ordinal);
        Assert.InRange(await scenario.Operator!.MetricAsync("mcp_operator_status_fields_undeclared", "kind=\"MCPServer\""), 4, 8);

        // Another process finds nothing to write, but for the one refusal that tells it what there is.
        await scenario.StopOperatorAsync();
        var before = (await ns.OperatorRequestsAsync()).Count(request => request is { IsWrite: true, Code: < 300 });
        await scenario.StartOperatorAsync(GoOperatorObjects.Environment, arguments);
        await Eventually.TrueAsync(
            "each was looked at", () => scenario.Operator!.MetricAsync("controller_runtime_reconcile_total", "controller=\"mcpserver\""), count => count >= GoOperatorObjects.Servers.Count);
        await Eventually.TrueAsync("it was at rest", () => scenario.Operator!.MetricAsync("workqueue_depth", "controller=\"mcpserver\""), depth => depth == 0);
        // The pull secret, which nobody may read, is applied once a process.
        var after = (await ns.OperatorRequestsAsync()).Where(request => request is { IsWrite: true, Code: < 300 }).Skip(before)
            .Where(request => request.Resource != "secrets").ToList();
        Assert.True(after.Count == 0, string.Join('\n', after));
        await scenario.StopOperatorAsync();

        await OwnControlPlaneCrdsAsync(controlPlane);
        await scenario.StartOperatorAsync(GoOperatorObjects.Environment, arguments);
        foreach (var name in GoOperatorObjects.Servers)
        {
            await scenario.SettledAsync(name);
            Assert.Equal(ConditionsOf(name), Types((await scenario.ServerAsync(name))["status"]!));
        }
    }

    internal static IEnumerable<string> ConditionsOf(string server) => ((string[])
    [
        "Ready", "DeploymentReady", "ServiceReady", "IngressReady", .. server is "counted" or "gated" or "oauthed" ? ["GatewayReady", "PolicyReady"] : Array.Empty<string>(),
        .. server == "birdy" ? ["CanaryReady"] : Array.Empty<string>(),
    ]).Order(StringComparer.Ordinal);

    internal static IEnumerable<string> Types(JsonNode status) =>
        status["conditions"]!.AsArray().Select(condition => (string)condition!["type"]!).Order(StringComparer.Ordinal);

    private static Task OwnControlPlaneCrdsAsync(ControlPlane controlPlane) => controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"));

    /// <summary>Ours in the shape of its: no defaults, no scale, plain lists, and a status of its fields alone.</summary>
    private static Task InstallItsCrdAsync(ControlPlane controlPlane)
    {
        var crd = Manifest.LoadDirectory(Repository.PathTo("config", "crd")).Single(manifest => (string?)manifest["metadata"]!["name"] == "mcpservers.mcpruntime.org");
        foreach (var version in crd["spec"]!["versions"]!.AsArray())
        {
            version!["subresources"]!.AsObject().Remove("scale");
            version["additionalPrinterColumns"] = new JsonArray();
            var properties = version["schema"]!["openAPIV3Schema"]!["properties"]!.AsObject();
            Plain(properties["spec"]!);
            var text = new JsonObject { ["type"] = "string" };
            properties["status"] = new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject(
                [
                    .. Booleans.Select(name => KeyValuePair.Create<string, JsonNode?>(name, new JsonObject { ["type"] = "boolean" })),
                    KeyValuePair.Create<string, JsonNode?>("phase", text.DeepClone()),
                    KeyValuePair.Create<string, JsonNode?>("message", text.DeepClone()),
                    KeyValuePair.Create<string, JsonNode?>("conditions", new JsonObject
                    {
                        ["type"] = "array",
                        ["items"] = new JsonObject
                        {
                            ["type"] = "object",
                            ["properties"] = new JsonObject(
                            [
                                .. ((string[])["type", "status", "reason", "message", "lastTransitionTime"]).Select(name => KeyValuePair.Create<string, JsonNode?>(name, text.DeepClone())),
                                KeyValuePair.Create<string, JsonNode?>("observedGeneration", new JsonObject { ["type"] = "integer", ["format"] = "int64" }),
                            ]),
                        },
                    }),
                ]),
            };
        }

        return controlPlane.InstallCrdsAsync([crd]);
    }

    private static void Plain(JsonNode schema)
    {
        if (schema is JsonArray items)
        {
            foreach (var item in items)
                Plain(item!);
        }
        else if (schema is JsonObject members)
        {
            foreach (var name in members.Select(member => member.Key).Where(name => name is "default" or "pattern" || name.StartsWith("x-kubernetes-list", StringComparison.Ordinal)).ToList())
                if (members[name] is not JsonObject)
                    members.Remove(name);
            foreach (var (_, below) in members)
                if (below is JsonObject or JsonArray)
                    Plain(below);
        }
    }
}
