using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A namespace with an operator in it, and what a test does with MCPServers there. A server is called "web" unless told
/// otherwise. In an own control plane no kubelet and no ingress controller runs: a test plays them with
/// <see cref="RollOutAsync"/> and <see cref="ServeIngressAsync"/>.
/// </summary>
public sealed class ServerScenario : IAsyncDisposable
{
    public const string Name = "web";
    public const string FieldManager = "mcp-runtime-operator";

    /// <summary>Readiness asks an ingress controller for nothing.</summary>
    public static readonly IReadOnlyDictionary<string, string?> Permissive =
        new Dictionary<string, string?> { ["MCP_INGRESS_READINESS_MODE"] = "permissive" };

    /// <summary>Arguments: the queue is worked off in turn, as <see cref="PassAsync"/> needs it, and metrics are served.</summary>
    public static readonly IReadOnlyList<string> OneWorker = ["--workers", "1", "--metrics-bind-address", "127.0.0.1:0"];

    /// <summary>Begins the name of every server that <see cref="PassAsync"/> makes.</summary>
    public const string Barrier = "barrier-";

    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private int _barriers;

    private ServerScenario(ControlPlane controlPlane, TestNamespace ns, OperatorProcess process)
    {
        ControlPlane = controlPlane;
        Namespace = ns;
        Operator = process;
    }

    public ControlPlane ControlPlane { get; }

    public KubeClient Client => ControlPlane.Client;

    public TestNamespace Namespace { get; }

    /// <summary>The operator that runs; null after <see cref="StopOperatorAsync"/>.</summary>
    public OperatorProcess? Operator { get; private set; }

    /// <param name="environment">Of the operator.</param>
    /// <param name="arguments">Of the operator, after the default ones.</param>
    public static Task<ServerScenario> StartAsync(
        ControlPlaneFixture fixture, IReadOnlyDictionary<string, string?>? environment = null, params IReadOnlyList<string> arguments) =>
        StartAsync(fixture.ControlPlane, environment, arguments);

    /// <inheritdoc cref="StartAsync(ControlPlaneFixture, IReadOnlyDictionary{string, string?}?, IReadOnlyList{string})"/>
    public static async Task<ServerScenario> StartAsync(
        ControlPlane controlPlane, IReadOnlyDictionary<string, string?>? environment = null, params IReadOnlyList<string> arguments)
    {
        return await StartAsync(controlPlane, await TestNamespace.CreateAsync(controlPlane), environment, arguments);
    }

    /// <inheritdoc cref="StartAsync(ControlPlaneFixture, IReadOnlyDictionary{string, string?}?, IReadOnlyList{string})"/>
    /// <param name="ns">Made before, for a test that prepares something in it; disposed with the scenario.</param>
    public static async Task<ServerScenario> StartAsync(
        ControlPlane controlPlane, TestNamespace ns, IReadOnlyDictionary<string, string?>? environment = null, params IReadOnlyList<string> arguments) =>
        new(controlPlane, ns, await RunAsync(controlPlane, ns, environment, arguments));

    /// <inheritdoc cref="StartAsync(ControlPlane, TestNamespace, IReadOnlyDictionary{string, string?}?, IReadOnlyList{string})"/>
    public static async Task<ServerScenario> StartAsync(ControlPlane controlPlane, TestNamespace ns, OperatorOptions options) =>
        new(controlPlane, ns, await OperatorProcess.StartAsync(controlPlane, ns, options));

    public async Task StopOperatorAsync()
    {
        if (Operator is null)
            return;
        await Operator.StopAsync();
        await Operator.DisposeAsync();
        Operator = null;
    }

    /// <summary>Starts another operator in the place of a stopped one.</summary>
    public async Task StartOperatorAsync(IReadOnlyDictionary<string, string?>? environment = null, params IReadOnlyList<string> arguments)
    {
        await StopOperatorAsync();
        Operator = await RunAsync(ControlPlane, Namespace, environment, arguments);
    }

    // === Servers ===

    /// <param name="spec">YAML or JSON.</param>
    public Task<JsonObject> CreateServerAsync(string spec, string name = Name) => Client.CreateAsync(ServerManifest(spec, name));

    public JsonObject ServerManifest(string spec, string name = Name) => new()
    {
        ["apiVersion"] = Resource.MCPServers.ApiVersion,
        ["kind"] = Resource.MCPServers.Kind,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace.Name },
        ["spec"] = Manifest.Parse(spec),
    };

    /// <summary>Merges into the spec, as a user who edits it; null takes a field away.</summary>
    /// <param name="spec">YAML or JSON.</param>
    public Task<JsonObject> EditServerAsync(string spec, string name = Name) =>
        Client.PatchAsync(Resource.MCPServers, Namespace.Name, name, new JsonObject { ["spec"] = Manifest.Parse(spec) });

    /// <summary>Edits the spec, and waits until the operator is through with it.</summary>
    public async Task<JsonObject> EditAndSettleAsync(string spec, string name = Name)
    {
        await EditServerAsync(spec, name);
        return await SettledAsync(name);
    }

    public Task<JsonObject> AnnotateServerAsync(string key, string value, string name = Name) => Client.PatchAsync(
        Resource.MCPServers, Namespace.Name, name,
        new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [key] = value } } });

    public Task<JsonObject> ServerAsync(string name = Name) => Client.GetAsync(Resource.MCPServers, Namespace.Name, name);

    /// <summary>
    /// Waits until the status describes the current generation: then a pass over it has ended, and all that it has to
    /// write is written.
    /// </summary>
    public Task<JsonObject> SettledAsync(string name = Name) => EventuallyAsync(
        "the status described the current generation",
        server => (long?)server["status"]?["observedGeneration"] == (long)server["metadata"]!["generation"]!,
        name);

    /// <param name="what">Completes the sentence "it never happened that …".</param>
    public Task<JsonObject> EventuallyAsync(string what, Func<JsonObject, bool> condition, string name = Name) =>
        Eventually.TrueAsync(what, () => ServerAsync(name), condition);

    /// <summary>Waits for a status; false while there is none.</summary>
    /// <returns>The status.</returns>
    public async Task<JsonNode> EventuallyStatusAsync(string what, Func<JsonNode, bool> condition, string name = Name) =>
        (await EventuallyAsync(what, server => server["status"] is { } status && condition(status), name))["status"]!;

    /// <summary>Waits for a phase that describes the current generation.</summary>
    /// <returns>The status.</returns>
    public async Task<JsonNode> EventuallyPhaseAsync(string phase, string name = Name) => (await EventuallyAsync(
        $"the phase was {phase}",
        server => (string?)server["status"]?["phase"] == phase
            && (long?)server["status"]!["observedGeneration"] == (long)server["metadata"]!["generation"]!,
        name))["status"]!;

    /// <summary>Waits for a condition that is <paramref name="expected"/>, as <see cref="StatusAndReason"/> has it.</summary>
    /// <returns>The status.</returns>
    public Task<JsonNode> EventuallyConditionAsync(string type, string expected, string name = Name) =>
        EventuallyStatusAsync($"{type} was {expected}", status => StatusAndReason(status, type) == expected, name);

    public static JsonNode? Condition(JsonNode status, string type) =>
        ((JsonArray?)status["conditions"] ?? []).FirstOrDefault(condition => (string?)condition!["type"] == type);

    /// <summary>The condition as <c>False NameConflict</c>; empty when there is none.</summary>
    public static string StatusAndReason(JsonNode status, string type) =>
        Condition(status, type) is { } condition ? $"{(string?)condition["status"]} {(string?)condition["reason"]}" : "";

    // === Its objects ===

    public Task<JsonObject> DeploymentAsync(string name = Name) => Client.GetAsync(Resource.Deployments, Namespace.Name, name);

    public Task<JsonObject> ServiceAsync(string name = Name) => Client.GetAsync(Resource.Services, Namespace.Name, name);

    public Task<JsonObject> IngressAsync(string name = Name) => Client.GetAsync(Resource.Ingresses, Namespace.Name, name);

    /// <summary>The server's own container of its Deployment.</summary>
    public async Task<JsonNode> ContainerAsync(string name = Name) =>
        (await DeploymentAsync(name))["spec"]!["template"]!["spec"]!["containers"]!.AsArray()
            .Single(container => (string?)container!["name"] == name)!;

    /// <summary>What a user makes of an object who copies it under another name.</summary>
    public static JsonObject CopyOf(JsonObject live, string name, bool withOwner)
    {
        var copy = live.DeepClone().AsObject();
        copy.Remove("status");
        copy["metadata"] = new JsonObject { ["name"] = name, ["labels"] = live["metadata"]!["labels"]!.DeepClone() };
        if (withOwner)
            copy["metadata"]!["ownerReferences"] = live["metadata"]!["ownerReferences"]!.DeepClone();
        return copy;
    }

    public Task<JsonObject> RollOutAsync(string name = Name) => Kubelet.RollOutAsync(Client, Namespace.Name, name);

    public Task<JsonObject> ServeIngressAsync(string? ip = "192.0.2.1", string name = Name) =>
        Kubelet.ServeIngressAsync(Client, Namespace.Name, name, ip);

    // === What the operator did ===

    /// <summary>The events about a server, in the order in which they came.</summary>
    public async Task<IReadOnlyList<JsonObject>> EventsAsync(string name = Name) =>
        [.. (await Client.ListAsync(Resource.Events, Namespace.Name))
            .Where(told => (string?)told["regarding"]?["name"] == name)
            .OrderBy(told => (string?)told["eventTime"], StringComparer.Ordinal)];

    /// <summary>The writes that this test's operator has sent so far, refused ones included.</summary>
    public async Task<IReadOnlyList<AuditEvent>> WritesAsync(string name = Name) =>
        [.. (await Namespace.OperatorRequestsAsync()).Where(request => request.IsWrite && request.Name == name)];

    /// <summary>
    /// Has the operator look at the server again, and waits until it has. Needs --workers 1: then the queue is worked off
    /// in turn, and a second server that is created after the first was touched is reported after it. (An edit of one would
    /// overtake it.)
    /// </summary>
    /// <returns>The second server's name.</returns>
    public async Task<string> PassAsync(string name = Name)
    {
        var barrier = $"{Barrier}{++_barriers}";
        await AnnotateServerAsync("example.org/touched", $"{_barriers}", name);
        await CreateServerAsync($"{{image: example.org/barrier:1, ingressHost: {barrier}.example.org}}", barrier);
        await SettledAsync(barrier);
        return barrier;
    }

    // === Comparing ===

    /// <summary>
    /// Compares without regard to the order of members, and to a <c>creationTimestamp: null</c>, which newer API servers leave out of a pod
    /// template, and shows both in full when they differ.
    /// </summary>
    /// <param name="expected">YAML or JSON of an object.</param>
    public static void AssertJson(string expected, JsonNode? actual) => AssertJson(Manifest.Parse(expected), actual);

    /// <inheritdoc cref="AssertJson(string, JsonNode?)"/>
    public static void AssertJson(JsonNode? expected, JsonNode? actual) => Assert.Equal(Text(expected), Text(actual));

    public async ValueTask DisposeAsync()
    {
        if (Operator is not null)
            await Operator.DisposeAsync();
        await Namespace.DisposeAsync();
    }

    private static Task<OperatorProcess> RunAsync(
        ControlPlane controlPlane, TestNamespace ns, IReadOnlyDictionary<string, string?>? environment, IReadOnlyList<string> arguments) =>
        OperatorProcess.StartAsync(controlPlane, ns, new()
        {
            Arguments = arguments,
            Environment = environment ?? new Dictionary<string, string?>(),
        });

    private static string Text(JsonNode? node) => Sorted(node)?.ToJsonString(Indented) ?? "null";

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Where(member => member is not { Key: "creationTimestamp", Value: null })
            .OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}

internal static class JsonText
{
    public static JsonNode AsJson(this string json) => JsonNode.Parse(json)!;
}
