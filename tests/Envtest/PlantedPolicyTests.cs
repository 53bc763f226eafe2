using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// Somebody made the policy's ConfigMap before the server, with our labels and a document that is right by itself. Gateways run only with a
/// document of the server's own.
/// </summary>
public sealed class PlantedPolicyTests(ControlPlaneFixture fixture)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public enum Plan
    {
        /// <summary>The server is made after it.</summary>
        NewServer,

        /// <summary>The server runs, and its gateway is switched on.</summary>
        SwitchedOn,

        /// <summary>Likewise, and it is made to look as if the server controlled it.</summary>
        SwitchedOnWithOwner,
    }

    [Theory]
    [InlineData(Plan.NewServer, HttpStatusCode.Forbidden, "Forbidden", "admission webhook \"no\" denied the request")]
    [InlineData(Plan.NewServer, HttpStatusCode.Forbidden, "Forbidden", "exceeded quota: objects, requested: count/configmaps=1, used: count/configmaps=9, limited: count/configmaps=9")]
    [InlineData(Plan.NewServer, HttpStatusCode.InternalServerError, "InternalError", "failed calling webhook \"no\": connection refused")]
    [InlineData(Plan.NewServer, HttpStatusCode.UnprocessableEntity, "Invalid", "ConfigMap \"web-gateway-policy\" is invalid")]
    [InlineData(Plan.SwitchedOn, HttpStatusCode.Forbidden, "Forbidden", "admission webhook \"no\" denied the request")]
    [InlineData(Plan.SwitchedOnWithOwner, HttpStatusCode.Forbidden, "Forbidden", "admission webhook \"no\" denied the request")]
    public async Task NoGatewayRunsWithItWhileOurOwnCannotBeWritten(Plan plan, HttpStatusCode code, string reason, string message)
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        string[] arguments = [.. ServerScenario.OneWorker, "--kubeconfig", front.Kubeconfig];
        await using var scenario = await ServerScenario.StartAsync(fixture.ControlPlane, ns, ServerScenario.Permissive, arguments);
        if (plan != Plan.NewServer)
        {
            await scenario.CreateServerAsync("{image: 'example.org/web:1'}");
            await scenario.SettledAsync();
            await scenario.RollOutAsync();
            await scenario.EventuallyPhaseAsync("Ready");
        }

        await scenario.StopOperatorAsync();
        var manifest = Planted(ns.Name);
        if (plan == Plan.SwitchedOnWithOwner)
            manifest["metadata"]!["ownerReferences"] = OwnerReferences(await scenario.ServerAsync());

        var planted = await fixture.Client.CreateAsync(manifest);
        using var refusal = front.Fail(
            request => request.IsWrite && request.IsOf(Resource.ConfigMaps), exchange => exchange.RefuseAsync(code, reason, message));
        if (plan != Plan.NewServer)
            await scenario.EditServerAsync("{image: 'example.org/web:2', gateway: {enabled: true, image: 'example.org/gateway:1'}}");
        else
            await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.StartOperatorAsync(ServerScenario.Permissive, arguments);

        await refusal.WaitAsync();
        await scenario.CreateGrantAsync("g");
        var status = await scenario.EventuallyPhaseAsync("Error");
        await scenario.PassAsync();
        await scenario.PassAsync();

        Assert.StartsWith("False ", ServerScenario.StatusAndReason(status, "PolicyReady"), StringComparison.Ordinal);
        ServerScenario.AssertJson(planted, await scenario.ConfigMapAsync());
        var deployment = await scenario.Client.FindAsync(Resource.Deployments, ns.Name, ServerScenario.Name);
        Assert.Equal(plan != Plan.NewServer ? 1 : null, (long?)deployment?["metadata"]!["generation"]);
        Assert.Null((await scenario.Client.GetAsync(Resource.MCPAccessGrants, ns.Name, "g"))["status"]);

        refusal.Dispose();
        await Eventually.TrueAsync(
            "the pods had a gateway", () => scenario.DeploymentAsync(),
            live => live["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Any(container => (string?)container!["name"] == "mcp-gateway"));
        await AssertOwnAsync(scenario);
        await scenario.IsAcceptedAsync("g");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        // Nothing refers to it as something that the pods still hold.
        Assert.Null((await scenario.DeploymentAsync())["spec"]!["template"]!["metadata"]!["annotations"]?[ImmutablePolicyTests.Annotation]);
    }

    [Fact]
    public async Task ItIsReplacedBeforeTheFirstPodWhenOurOwnCanBeWritten()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await fixture.Client.CreateAsync(Planted(scenario.Namespace.Name));
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();

        await AssertOwnAsync(scenario);
        var writes = await scenario.AllWritesAsync();
        var document = writes.ToList().FindIndex(write => write is { Resource: "configmaps", Code: 200 or 201 });
        Assert.InRange(document, 0, writes.ToList().FindIndex(write => write.Resource == "deployments") - 1);
    }

    /// <summary>Labels are enough to adopt, not to delete.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task WithoutAGatewayItIsLeftAlone(bool withOwner, bool whileRollingOut)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        var server = await scenario.CreateServerAsync("{image: 'example.org/web:1'}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var manifest = Planted(scenario.Namespace.Name);
        if (withOwner)
            manifest["metadata"]!["ownerReferences"] = OwnerReferences(server);
        if (whileRollingOut)
            await scenario.EditAndSettleAsync("image: example.org/web:2");
        var planted = await fixture.Client.CreateAsync(manifest);
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await scenario.PassAsync();
        ServerScenario.AssertJson(planted, await scenario.ConfigMapAsync());

        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();
        ServerScenario.AssertJson(planted, await scenario.ConfigMapAsync());
    }

    /// <summary>An `immutable` one cannot be written at all, but replaced.</summary>
    [Fact]
    public async Task AnImmutableOneIsReplacedBeforeTheFirstPod()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        var manifest = Planted(scenario.Namespace.Name);
        manifest["immutable"] = true;
        var planted = await fixture.Client.CreateAsync(manifest);
        await scenario.CreateServerAsync(Gateways.Spec);

        await Eventually.TrueAsync(
            "it was replaced, or said to be in the way",
            async () => (Live: await scenario.ConfigMapAsync(), Server: await scenario.ServerAsync()),
            seen => (string?)seen.Live["metadata"]!["uid"] != (string?)planted["metadata"]!["uid"] || (string?)seen.Server["status"]?["phase"] == "Error");
        // Deletion needs proof that we made it; either way no pod mounts it.
        if (await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name) is not null)
            await AssertOwnAsync(scenario);
    }

    private static async Task AssertOwnAsync(ServerScenario scenario)
    {
        var live = await scenario.ConfigMapAsync();
        var owner = live["metadata"]!["ownerReferences"]!.AsArray().Single()!;
        Assert.Equal(((string)(await scenario.ServerAsync())["metadata"]!["uid"]!, true), ((string)owner["uid"]!, (bool)owner["controller"]!));
        Assert.Equal("deny", (string?)Gateways.Policy(live)["policy"]!["default_decision"]);
        Assert.DoesNotContain("intruder", Gateways.NamesIn(Gateways.Policy(live), "grants"));
    }

    private static JsonArray OwnerReferences(JsonObject server) => new(new JsonObject
    {
        ["apiVersion"] = Resource.MCPServers.ApiVersion,
        ["kind"] = Resource.MCPServers.Kind,
        ["name"] = ServerScenario.Name,
        ["uid"] = (string)server["metadata"]!["uid"]!,
        ["controller"] = true,
    });

    /// <summary>Everything about it is as ours would be, and it lets everybody in.</summary>
    private static JsonObject Planted(string ns)
    {
        var document = new JsonObject
        {
            ["schema_version"] = "v1",
            ["revision"] = "",
            ["generated_at"] = "2026-01-02T03:04:05Z",
            ["server"] = new JsonObject { ["name"] = ServerScenario.Name, ["namespace"] = ns, ["cluster"] = "local" },
            ["auth"] = new JsonObject { ["mode"] = "none" },
            ["policy"] = new JsonObject { ["mode"] = "allow-list", ["default_decision"] = "allow" },
            ["grants"] = new JsonArray(new JsonObject { ["name"] = "intruder", ["namespace"] = ns, ["max_trust"] = "high" }),
        };
        document["revision"] = Gateways.Rehash(document.ToJsonString());
        return new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject
            {
                ["name"] = Gateways.PolicyName(),
                ["namespace"] = ns,
                ["labels"] = new JsonObject { ["app"] = ServerScenario.Name, ["app.kubernetes.io/managed-by"] = "mcp-runtime" },
            },
            ["data"] = new JsonObject { ["policy.json"] = document.ToJsonString(Indented) },
        };
    }
}
