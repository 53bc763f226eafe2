using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// Ingress controllers are particular about paths: ingress-nginx (strict-validate-path-type) takes only letters, digits, '/', '-' and '_' in
/// one of type Prefix or Exact, and refuses the whole Ingress for another one.
/// </summary>
public sealed partial class IngressRefusalTests(ControlPlaneFixture fixture)
{
    private const string Metadata = "/.well-known/oauth-protected-resource/web/mcp";
    private const string Spec = "{image: 'example.org/web:1', ingressClass: nginx, ingressHost: a.example.org, ingressPath: /web/mcp, "
        + "gateway: {enabled: true, image: 'example.org/gateway:1'}, auth: {mode: oauth, issuerURL: 'https://id.example.org'}}";

    [Fact]
    public async Task AMetadataPathThatIsRefusedIsServedInAnotherWayAndTheServersOwnAsEver()
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.Deny = AsNginx;
        await scenario.CreateServerAsync(Spec);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();

        var status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("http://a.example.org/web/mcp", (string?)status["url"]);
        Assert.Equal([("/web/mcp", "Prefix"), (Metadata, "ImplementationSpecific")], await PathsAsync(scenario));

        // It is not tried otherwise again and again, not by another process either.
        var writes = await IngressWritesAsync(scenario);
        await scenario.PassAsync();
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.PassAsync();
        Assert.Equal(writes, await IngressWritesAsync(scenario));

        // An edit, drift, and a route without OAuth.
        await scenario.EditAndSettleAsync("{ingressHost: b.example.org}");
        Assert.Equal("b.example.org", (string?)(await scenario.IngressAsync())["spec"]!["rules"]![0]!["host"]);
        Assert.Equal([("/web/mcp", "Prefix"), (Metadata, "ImplementationSpecific")], await PathsAsync(scenario));
        await scenario.Client.PatchAsync(Resource.Ingresses, scenario.Namespace.Name, "web", """{"spec": {"ingressClassName": "drift"}}""");
        await Eventually.TrueAsync("it was put right", () => scenario.IngressAsync(), live => (string?)live["spec"]!["ingressClassName"] == "nginx");
        await scenario.EditAndSettleAsync("{auth: {mode: header}}");
        Assert.Equal([("/web/mcp", "Prefix")], await PathsAsync(scenario));
    }

    [Fact]
    public async Task AnIngressFromBeforeTheControllerWasSoParticularLosesNoPathByTheChange()
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        await scenario.CreateServerAsync(Spec);
        await scenario.SettledAsync();
        Assert.Equal([("/web/mcp", "Prefix"), (Metadata, "Prefix")], await PathsAsync(scenario));
        var before = await scenario.IngressAsync();

        webhook.Deny = AsNginx;
        await scenario.EditAndSettleAsync("servicePort: 8080");

        Assert.Equal([("/web/mcp", "Prefix"), (Metadata, "ImplementationSpecific")], await PathsAsync(scenario));
        // In one step.
        Assert.Equal((long)before["metadata"]!["generation"]! + 1, (long)(await scenario.IngressAsync())["metadata"]!["generation"]!);
    }

    [Fact]
    public async Task WhereNoMetadataPathIsTakenTheServersOwnIsServedAndTheStatusSaysWhoRefused()
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.Deny = request => PathsOf(request["object"]).FirstOrDefault(path => path.Path.StartsWith("/.well-known/", StringComparison.Ordinal)) is ({ } path, _)
            ? Denial($"path {path} is the platform's")
            : null;
        await scenario.CreateServerAsync(Spec);

        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Equal("True ApplyFailed", ServerScenario.StatusAndReason(status, "IngressReady"));
        Assert.Contains($"path {Metadata} is the platform's", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal("http://a.example.org/web/mcp", (string?)status["url"]);
        Assert.Equal([("/web/mcp", "Prefix")], await PathsAsync(scenario));
        var denied = webhook.Denied;
        await Eventually.TrueAsync("it was tried again", () => Task.FromResult(webhook.Denied), count => count > denied + 2);
        Assert.Equal(1, (long)(await scenario.IngressAsync())["metadata"]!["generation"]!);
        // Each refusal is said when it is new.
        Assert.InRange(scenario.Operator!.Complaints.Count(), 1, 3);

        webhook.Deny = AsNginx;
        await Eventually.TrueAsync("the path was served", () => PathsAsync(scenario), paths => paths.Count == 2);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Fact]
    public async Task TheSpecMaySayHowPathsAreMatched()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', ingressPath: /v1.0/mcp, ingressPathType: ImplementationSpecific}");
        await scenario.SettledAsync();
        Assert.Equal([("/v1.0/mcp", "ImplementationSpecific")], await PathsAsync(scenario));

        await scenario.EditAndSettleAsync("ingressPathType: Exact");
        Assert.Equal([("/v1.0/mcp", "Exact")], await PathsAsync(scenario));

        // The schema's default.
        Assert.Equal("Prefix", (string?)(await scenario.EditAndSettleAsync("ingressPathType: null"))["spec"]!["ingressPathType"]);
        Assert.Equal([("/v1.0/mcp", "Prefix")], await PathsAsync(scenario));
    }

    private static JsonObject? AsNginx(JsonNode request) =>
        PathsOf(request["object"]).FirstOrDefault(path => path.Type != "ImplementationSpecific" && !Plain().IsMatch(path.Path)) is ({ } path, var type)
            ? Denial($"ingress contains invalid paths: path {path} cannot be used with pathType {type}")
            : null;

    private static JsonObject Denial(string message) => new() { ["code"] = 400, ["reason"] = "BadRequest", ["message"] = message };

    private static async Task<List<(string Path, string Type)>> PathsAsync(ServerScenario scenario) => [.. PathsOf(await scenario.IngressAsync())];

    private static IEnumerable<(string Path, string Type)> PathsOf(JsonNode? live) => (string?)live?["kind"] != "Ingress"
        ? []
        : from rule in live["spec"]!["rules"]!.AsArray()
          from path in rule!["http"]!["paths"]!.AsArray()
          select ((string)path!["path"]!, (string)path["pathType"]!);

    private static async Task<int> IngressWritesAsync(ServerScenario scenario) =>
        (await scenario.WritesAsync()).Count(write => write.Resource == "ingresses");

    [GeneratedRegex("^/[A-Za-z0-9_/-]*$")]
    private static partial Regex Plain();
}
