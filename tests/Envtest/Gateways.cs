using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What a test does with gateways, their policies, and the grants and sessions in them.</summary>
internal static class Gateways
{
    /// <summary>The smallest server with a gateway.</summary>
    public const string Spec = "{image: 'example.org/web:1', gateway: {enabled: true, image: 'example.org/gateway:1'}}";

    private static int _sentinels;

    public static string PolicyName(string server = ServerScenario.Name) => $"{server}-gateway-policy";

    public static Task<JsonObject> ConfigMapAsync(this ServerScenario scenario, string server = ServerScenario.Name) =>
        scenario.Client.GetAsync(Resource.ConfigMaps, scenario.Namespace.Name, PolicyName(server));

    public static Task<JsonObject?> FindConfigMapAsync(this ServerScenario scenario, string server = ServerScenario.Name) =>
        scenario.Client.FindAsync(Resource.ConfigMaps, scenario.Namespace.Name, PolicyName(server));

    /// <summary>The document that a gateway would read, after a look at its hash.</summary>
    public static async Task<JsonObject> PolicyAsync(this ServerScenario scenario, string server = ServerScenario.Name) =>
        Policy(await scenario.ConfigMapAsync(server));

    public static JsonObject Policy(JsonObject configMap)
    {
        var text = (string)configMap["data"]!["policy.json"]!;
        var policy = JsonNode.Parse(text)!.AsObject();
        Assert.Equal(Rehash(text), (string?)policy["revision"]);
        return policy;
    }

    public static async Task<JsonObject> EventuallyPolicyAsync(
        this ServerScenario scenario, string what, Func<JsonObject, bool> condition, string server = ServerScenario.Name) =>
        await Eventually.TrueAsync(what, () => scenario.PolicyAsync(server), condition);

    /// <summary>The names of the grants, or the sessions, that a policy holds, in its order.</summary>
    public static IEnumerable<string> NamesIn(JsonObject policy, string list) =>
        ((JsonArray?)policy[list] ?? []).Select(member => (string)member!["name"]!);

    /// <param name="spec">Beside the serverRef, as members of a YAML flow mapping: <c>subject: {}, maxTrust: low</c>.</param>
    /// <param name="server">The serverRef's name, or all of it: <c>web, namespace: other</c>.</param>
    public static Task<JsonObject> CreateGrantAsync(
        this ServerScenario scenario, string name, string spec = "subject: {humanID: h}", string server = ServerScenario.Name, TestNamespace? ns = null) =>
        CreateAsync(scenario, "MCPAccessGrant", name, spec, server, ns);

    /// <inheritdoc cref="CreateGrantAsync"/>
    public static Task<JsonObject> CreateSessionAsync(
        this ServerScenario scenario, string name, string spec = "subject: {agentID: a}", string server = ServerScenario.Name, TestNamespace? ns = null) =>
        CreateAsync(scenario, "MCPAgentSession", name, spec, server, ns);

    /// <summary>Merges into the spec; null takes a field away.</summary>
    public static Task<JsonObject> EditAsync(this ServerScenario scenario, Resource resource, string name, string spec) =>
        scenario.Client.PatchAsync(resource, scenario.Namespace.Name, name, new JsonObject { ["spec"] = Manifest.Parse(spec) });

    /// <summary>Waits until a grant or a session was told so of its current generation, and looks at all of its status.</summary>
    /// <returns>The status.</returns>
    public static async Task<JsonNode> IsToldAsync(
        this ServerScenario scenario, Resource resource, string name, string phase, string reason, TestNamespace? ns = null)
    {
        var member = await Eventually.TrueAsync(
            $"{resource.Kind} {name} was told {reason}",
            () => scenario.Client.GetAsync(resource, (ns ?? scenario.Namespace).Name, name),
            live => (string?)live["status"]?["conditions"]?[0]?["reason"] == reason
                && (long?)live["status"]!["observedGeneration"] == (long)live["metadata"]!["generation"]!);
        var status = member["status"]!;
        var condition = Assert.Single(status["conditions"]!.AsArray())!;
        Assert.Equal(phase, (string?)status["phase"]);
        Assert.Equal("Accepted", (string?)condition["type"]);
        Assert.Equal(reason is "Accepted" or "Disabled" ? "True" : "False", (string?)condition["status"]);
        Assert.Equal((long)status["observedGeneration"]!, (long)condition["observedGeneration"]!);
        Assert.Equal((string?)status["message"], (string?)condition["message"]);
        return status;
    }

    public static Task<JsonNode> IsAcceptedAsync(this ServerScenario scenario, string grant, TestNamespace? ns = null) =>
        scenario.IsToldAsync(Resource.MCPAccessGrants, grant, "Accepted", "Accepted", ns);

    /// <summary>
    /// Waits until the operator is through with every grant and session that was changed before. Needs --workers 1: changes
    /// wait for the others of their burst equally long, so that those of a newer one are told of last.
    /// </summary>
    public static async Task AccessPassAsync(this ServerScenario scenario)
    {
        var name = $"sentinel-{Interlocked.Increment(ref _sentinels)}";
        await scenario.CreateSessionAsync(name, server: name);
        await scenario.IsToldAsync(Resource.MCPAgentSessions, name, "Rejected", "ServerNotFound");
        await scenario.CreateGrantAsync(name, server: name);
        await scenario.IsToldAsync(Resource.MCPAccessGrants, name, "Rejected", "ServerNotFound");
    }

    /// <summary>A pod of a server, as its Deployment makes them; nobody runs it.</summary>
    /// <param name="containers">Without any: the server's and the gateway's.</param>
    public static Task CreatePodAsync(
        this ServerScenario scenario, string name, string app = ServerScenario.Name, bool isManaged = true, string phase = "Running",
        params IReadOnlyList<string> containers) => CreatePodAsync(scenario.Client, scenario.Namespace.Name, name, app, isManaged, phase, containers);

    /// <inheritdoc cref="CreatePodAsync(ServerScenario, string, string, bool, string, IReadOnlyList{string})"/>
    public static async Task CreatePodAsync(
        KubeClient client, string ns, string name, string app = ServerScenario.Name, bool isManaged = true, string phase = "Running",
        params IReadOnlyList<string> containers)
    {
        var labels = new JsonObject { ["app"] = app };
        if (isManaged)
            labels["app.kubernetes.io/managed-by"] = "mcp-runtime";
        await client.CreateAsync(
            new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Pod",
                ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels },
                ["spec"] = new JsonObject
                {
                    ["automountServiceAccountToken"] = false,
                    ["containers"] = new JsonArray(
                    [
                        .. (containers.Count == 0 ? [app, "mcp-gateway"] : containers)
                            .Select(container => new JsonObject { ["name"] = container, ["image"] = "example.org/x:1" }),
                    ]),
                },
            },
            ns);
        await client.PatchStatusAsync(Resource.Pods, ns, name, new JsonObject { ["phase"] = phase });
    }

    public static bool IsSentinel(AuditEvent request) => request.Name?.StartsWith("sentinel-", StringComparison.Ordinal) == true;

    /// <summary>
    /// Of this test's operator, but those about sentinels and barriers, and events: that something is waited for is one after half a minute, which
    /// a test takes on a busy machine.
    /// </summary>
    public static async Task<IReadOnlyList<AuditEvent>> AllWritesAsync(this ServerScenario scenario) =>
    [
        .. (await scenario.Namespace.OperatorRequestsAsync()).Where(request =>
            request.IsWrite && request.Resource != "events" && !IsSentinel(request) && request.Name?.StartsWith(ServerScenario.Barrier, StringComparison.Ordinal) != true),
    ];

    /// <summary>The revision that a gateway computes: docs/policy.md, with no eye to cost.</summary>
    public static string Rehash(string stored)
    {
        var document = JsonNode.Parse(stored)!.AsObject();
        document.Remove("generated_at");
        document["revision"] = "";
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Compact(document))));
    }

    private static string Compact(JsonNode node) => node switch
    {
        JsonObject members => $"{{{string.Join(',', members.Select(member => $"{Quote(member.Key)}:{Compact(member.Value!)}"))}}}",
        JsonArray items => $"[{string.Join(',', items.Select(item => Compact(item!)))}]",
        _ => node.GetValueKind() == JsonValueKind.True ? "true" : Quote(node.GetValue<string>()),
    };

    private static string Quote(string text) => $"\"{string.Concat(text.EnumerateRunes().Select(rune => rune.Value switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\f' => "\\f",
        '\r' => "\\r",
        < 0x20 or '<' or '>' or '&' or 0x2028 or 0x2029 => "\\u" + rune.Value.ToString("x4", CultureInfo.InvariantCulture),
        _ => rune.ToString(),
    }))}\"";

    private static Task<JsonObject> CreateAsync(
        ServerScenario scenario, string kind, string name, string spec, string server, TestNamespace? ns) => scenario.Client.CreateAsync(
        $$"""
        apiVersion: mcpruntime.org/v1alpha1
        kind: {{kind}}
        metadata: {name: {{name}}}
        spec: {serverRef: {name: {{server}}}, {{spec}} }
        """,
        (ns ?? scenario.Namespace).Name);
}
