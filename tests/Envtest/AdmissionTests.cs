using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// A policy engine of the cluster denies what the operator writes, with whatever code it likes. It is the object that was denied, and
/// whoever looks at the server is told by whom; a code that means something else when the API server uses it means nothing here.
/// </summary>
public sealed class AdmissionTests(ControlPlaneFixture fixture)
{
    private const string Said = "ask the platform team";

    [Theory]
    [InlineData(401, "Unauthorized")]
    [InlineData(403, null)]
    [InlineData(404, "NotFound")]
    [InlineData(409, "Conflict")]
    [InlineData(409, "AlreadyExists")]
    [InlineData(410, "Gone")]
    [InlineData(422, "Invalid")]
    [InlineData(429, "TooManyRequests")]
    [InlineData(429, "TooManyRequests", 1)]
    [InlineData(500, "InternalError")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task WhoeverDeniesAnObjectIsNamedInTheStatusWhateverTheCode(int code, string? reason, int? retryAfter = null)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.DenyWrites("deployments", code, reason, Said, retryAfter);
        await scenario.CreateServerAsync("image: example.org/web:1");

        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Equal("False ApplyFailed", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Contains(Denial, (string)status["message"]!, StringComparison.Ordinal);
        Assert.Contains(Said, (string)status["message"]!, StringComparison.Ordinal);
        // The others are not held up by it.
        Assert.True((bool)status["serviceReady"]!);
        Assert.Equal("ObjectRefused", (string?)Assert.Single(scenario.Operator!.Complaints)["event"]);
        // It is tried again, later and later.
        await Eventually.TrueAsync("it was tried again", () => Task.FromResult(webhook.Denied), count => count > 2);

        webhook.Deny = _ => null;
        await scenario.EditServerAsync("image: example.org/web:2");
        await Eventually.TrueAsync("it was made", () => scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web"), found => found is not null);
        await scenario.EventuallyStatusAsync("the status said so", seen => ServerScenario.StatusAndReason(seen, "DeploymentReady") == "False DeploymentProgressing");
    }

    [Theory]
    [InlineData("serviceaccounts", 409, "AlreadyExists")]
    [InlineData("serviceaccounts", 401, "Unauthorized")]
    [InlineData("secrets", 404, "NotFound")]
    [InlineData("secrets", 409, "Conflict")]
    public async Task SoIsWhoeverDeniesWhatTheServersOfANamespaceShare(string resource, int code, string reason)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, new Dictionary<string, string?>(ServerScenario.Permissive)
        {
            ["PROVISIONED_REGISTRY_URL"] = "registry.example.org",
            ["PROVISIONED_REGISTRY_USERNAME"] = "robot",
            ["PROVISIONED_REGISTRY_PASSWORD"] = "secret",
        });
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.DenyWrites(resource, code, reason, Said);
        await scenario.CreateServerAsync("image: example.org/web:1");

        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Equal("False ApplyFailed", ServerScenario.StatusAndReason(status, "DeploymentReady"));
        Assert.Contains(Said, (string)status["message"]!, StringComparison.Ordinal);
        webhook.Deny = _ => null;
        await scenario.EventuallyStatusAsync("it was made", seen => (string?)seen["phase"] != "Error");
    }

    [Theory]
    [InlineData(401, "Unauthorized")]
    [InlineData(404, "NotFound")]
    [InlineData(409, "Conflict")]
    [InlineData(429, "TooManyRequests")]
    public async Task AnObjectThatMayNotBeDeletedIsSaid(int code, string reason)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1}}");
        await scenario.SettledAsync();
        webhook.Deny = request => (string?)request["operation"] != "DELETE" ? null : new() { ["code"] = code, ["reason"] = reason, ["message"] = Said };

        await scenario.EditAndSettleAsync("rollout: {strategy: RollingUpdate}");
        await scenario.RollOutAsync();

        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Contains(Said, (string)status["message"]!, StringComparison.Ordinal);
        webhook.Deny = _ => null;
        await Eventually.TrueAsync("it was gone", () => scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web-canary"), found => found is null);
    }

    [Theory]
    [InlineData(401, "Unauthorized")]
    [InlineData(404, "NotFound")]
    [InlineData(409, "Conflict")]
    [InlineData(429, "TooManyRequests")]
    public async Task DefaultsThatAreDeniedAreInEffectAllTheSame(int code, string reason)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.Deny = request => AdmissionWebhook.ResourceOf(request) == "mcpservers" && (string?)request["operation"] == "UPDATE"
            ? new() { ["code"] = code, ["reason"] = reason, ["message"] = Said }
            : null;
        await scenario.CreateServerAsync("image: example.org/web:1");

        await scenario.SettledAsync();

        Assert.Equal("example.org/web:1", (string?)(await scenario.ContainerAsync())["image"]);
        var line = Assert.Single(scenario.Operator!.Complaints);
        Assert.Equal("DefaultsNotPersisted", (string?)line["event"]);
        Assert.Contains(Said, (string)line["msg"]!, StringComparison.Ordinal);
        webhook.Deny = _ => null;
        await scenario.EventuallyAsync("they were written", server => (string?)server["spec"]!["ingressPath"] == "/web/mcp");
    }

    [Theory]
    [InlineData("mcpservers/status", 401, "Unauthorized")]
    [InlineData("mcpservers/status", 404, "NotFound")]
    [InlineData("mcpservers/status", 409, "Conflict")]
    [InlineData("mcpservers/status", 429, "TooManyRequests")]
    [InlineData("mcpaccessgrants/status", 401, "Unauthorized")]
    [InlineData("mcpaccessgrants/status", 404, "NotFound")]
    [InlineData("mcpaccessgrants/status", 409, "Conflict")]
    public async Task AStatusThatIsDeniedIsOneLineThatSaysByWhom(string resource, int code, string reason)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.DenyWrites(resource, code, reason, Said);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', gateway: {enabled: true, image: 'example.org/gateway:1'}}");
        await GrantAsync(scenario);

        var line = await scenario.Operator!.WaitForLogAsync("it was said", entry => (string?)entry["level"] is "warn" or "error");
        Assert.Contains(Said, (string?)line["error"] + (string?)line["msg"], StringComparison.Ordinal);
        await Eventually.TrueAsync("it was tried again", () => Task.FromResult(webhook.Denied), count => count > 2);
        Assert.Single(scenario.Operator.Complaints);

        webhook.Deny = _ => null;
        await scenario.SettledAsync();
        await Eventually.TrueAsync(
            "the grant was told", () => scenario.Client.GetAsync(Resource.MCPAccessGrants, scenario.Namespace.Name, "one"), grant => grant["status"] is not null);
    }

    [Theory]
    [InlineData(401, "Unauthorized")]
    [InlineData(404, "NotFound")]
    [InlineData(409, "Conflict")]
    [InlineData(429, "TooManyRequests", 1)]
    public async Task APolicyThatIsDeniedIsSaidAndNoGatewayRunsWithoutIt(int code, string reason, int? retryAfter = null)
    {
        fixture.RequireOwn("a webhook");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await using var webhook = await AdmissionWebhook.StartAsync(fixture.ControlPlane, scenario.Namespace.Name);
        webhook.DenyWrites("configmaps", code, reason, Said, retryAfter);
        await scenario.CreateServerAsync("{image: 'example.org/web:1', gateway: {enabled: true, image: 'example.org/gateway:1'}}");

        var status = await scenario.EventuallyPhaseAsync("Error");

        Assert.Equal("False ApplyFailed", ServerScenario.StatusAndReason(status, "PolicyReady"));
        Assert.Contains(Said, (string)status["message"]!, StringComparison.Ordinal);
        Assert.Null(await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web"));
        webhook.Deny = _ => null;
        await Eventually.TrueAsync("its pods ran", () => scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web"), found => found is not null);
    }

    private static string Denial => $"admission webhook \"{AdmissionWebhook.Name}\" denied the request";

    private static Task<JsonObject> GrantAsync(ServerScenario scenario) => scenario.Client.CreateAsync(
        "{apiVersion: mcpruntime.org/v1alpha1, kind: MCPAccessGrant, metadata: {name: one}, spec: {serverRef: {name: web}, subject: {humanID: ann}}}",
        scenario.Namespace.Name);
}
