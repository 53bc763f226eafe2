using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A server with one member for each way in which access is taken away, one of them from a namespace that the server consents to, and a grant
/// that stays.
/// </summary>
internal sealed class Revocable : IAsyncDisposable
{
    public const string Disabled = "disabled";
    public const string Deleted = "deleted";
    public const string Revoked = "revoked";
    public const string ConsentWithdrawn = "consent-withdrawn";
    public const string MovedAway = "moved-away";
    public const string Stays = "stays";

    public const string Consent = "mcpruntime.org/allow-access-from";

    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly Resource Sessions = Resource.MCPAgentSessions;

    private Revocable(ServerScenario scenario, TestNamespace other)
    {
        Scenario = scenario;
        Other = other;
    }

    /// <summary>Of a theory: the names of the members are those of the ways.</summary>
    public static TheoryData<string> Ways => [Disabled, Deleted, Revoked, ConsentWithdrawn, MovedAway];

    public static IReadOnlyList<string> AllWays { get; } = [Disabled, Deleted, Revoked, ConsentWithdrawn, MovedAway];

    public ServerScenario Scenario { get; }

    /// <summary>The namespace that the server consents to.</summary>
    public TestNamespace Other { get; }

    /// <summary>Watches both namespaces, and leaves ingress controllers aside.</summary>
    /// <param name="arguments">Of the operator.</param>
    public static async Task<Revocable> StartAsync(
        ControlPlane controlPlane, TestNamespace ns, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string spec = Gateways.Spec)
    {
        var other = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantInAsync(other);
        var scenario = await ServerScenario.StartAsync(
            controlPlane, ns, environment ?? ServerScenario.Permissive, ["--watch-namespaces", $"{ns},{other}", .. arguments]);
        var revocable = new Revocable(scenario, other);
        await revocable.CreateAsync(spec);
        return revocable;
    }

    /// <inheritdoc cref="StartAsync(ControlPlane, TestNamespace, IReadOnlyList{string}, IReadOnlyDictionary{string, string?}?, string)"/>
    public static async Task<Revocable> StartAsync(ControlPlane controlPlane, params IReadOnlyList<string> arguments) =>
        await StartAsync(controlPlane, await TestNamespace.CreateAsync(controlPlane), arguments);

    /// <summary>For an operator that was started with options of its own, and watches both namespaces.</summary>
    public static async Task<Revocable> CreateAsync(ServerScenario scenario, TestNamespace other)
    {
        var revocable = new Revocable(scenario, other);
        await revocable.CreateAsync(Gateways.Spec);
        return revocable;
    }

    public Task<JsonObject> PolicyAsync() => Scenario.PolicyAsync();

    public async Task TakeAwayAsync(string way) => await (way switch
    {
        Disabled => Scenario.EditAsync(Grants, way, "disabled: true"),
        Deleted => Scenario.Client.DeleteAsync(Grants, Scenario.Namespace.Name, way),
        Revoked => Scenario.EditAsync(Sessions, way, "revoked: true"),
        MovedAway => Scenario.EditAsync(Grants, way, "serverRef: {name: elsewhere}"),
        _ => Scenario.Client.PatchAsync(
            Resource.MCPServers, Scenario.Namespace.Name, ServerScenario.Name,
            new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Consent] = null } } }),
    });

    /// <summary>Whether a gateway that reads the document goes by what was taken away.</summary>
    public static bool IsGone(JsonObject policy, string way) => ((JsonArray?)policy[way == Revoked ? "sessions" : "grants"] ?? [])
        .Where(member => (string?)member!["name"] == way)
        .All(member => (way == Disabled && (bool?)member!["disabled"] == true) || (way == Revoked && (bool?)member!["revoked"] == true));

    /// <summary>Waits until the stored document says so.</summary>
    public Task<JsonObject> GoneAsync(string way) =>
        Scenario.EventuallyPolicyAsync($"the document went by what was {way}", policy => IsGone(policy, way));

    /// <summary>Waits until the member's own status says so.</summary>
    public async Task IsToldAsync(string way)
    {
        var ns = way == ConsentWithdrawn ? Other : Scenario.Namespace;
        if (way == Deleted)
            return;
        var (phase, reason) = way switch
        {
            Disabled => ("Disabled", "Disabled"),
            Revoked => ("Revoked", "Revoked"),
            MovedAway => ("Rejected", "ServerNotFound"),
            _ => ("Rejected", "NamespaceNotAllowed"),
        };
        await Scenario.IsToldAsync(way == Revoked ? Sessions : Grants, way, phase, reason, ns);
    }

    /// <summary>
    /// From the user's request until the document is stored that goes by it, as requests in the audit log: no
    /// document that was sent later than a moment after says otherwise, and few other writes come first.
    /// </summary>
    /// <param name="most">How many writes of operators may be answered in between; events and leases are not counted.</param>
    public async Task AssertFirstAsync(string way, int most)
    {
        // The API server writes down that it has answered after it has: a document that is stored may not be in its log yet, and the
        // operator may be told of a revocation, and be done, before that one is.
        var (events, revocation, documents, first) = await Eventually.TrueAsync(
            $"the audit log had the document without {way}",
            async () =>
            {
                var seen = await Scenario.ControlPlane.AuditEventsAsync();
                var revoked = seen.Last(request => request is { IsRequest: true, IsWrite: true, User: ControlPlane.Admin } && IsRevocation(request, way));
                var stored = PolicyWrites.Of(seen, Scenario.Namespace.Name).Where(write => write.Request.StageTime > revoked.Received).ToList();
                return (seen, revoked, stored, First: stored.FindIndex(write => IsGone(write.Document, way)));
            },
            seen => seen.First >= 0);
        // One may have been made before the watch told of it.
        Assert.InRange(documents.Take(first).Count(write => write.Request.Received > revocation.StageTime), 0, 1);
        Assert.All(documents.Skip(first), write => Assert.True(IsGone(write.Document, way), $"{way} was back: {write.Request}"));
        var between = events.Where(request =>
            request is { IsRequest: true, IsWrite: true } && request.User.StartsWith(Scenario.Namespace.OperatorUser, StringComparison.Ordinal)
            && request.Resource is not ("events" or "leases")
            && request.StageTime > revocation.Received && request.StageTime < documents[first].Request.StageTime).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine($"{between.Count} writes came before the document without {way}");
        Assert.True(between.Count <= most, $"{between.Count} writes came before the document without {way}:\n{string.Join('\n', between.Take(20))}");
    }

    public async ValueTask DisposeAsync()
    {
        await Scenario.DisposeAsync();
        await Other.DisposeAsync();
    }

    private bool IsRevocation(AuditEvent request, string way) => way == ConsentWithdrawn
        ? request is { Resource: "mcpservers", Subresource: "", Verb: "patch", Name: ServerScenario.Name } && request.Namespace == Scenario.Namespace.Name
        : request.Name == way && request.Subresource.Length == 0 && request.Namespace == Scenario.Namespace.Name;

    private async Task CreateAsync(string spec)
    {
        var server = Scenario.ServerManifest(spec);
        server["metadata"]!["annotations"] = new JsonObject { [Consent] = Other.Name };
        await Scenario.Client.CreateAsync(server);
        foreach (var grant in (string[])[Disabled, Deleted, MovedAway, Stays])
            await Scenario.CreateGrantAsync(grant);
        await Scenario.CreateSessionAsync(Revoked);
        await Scenario.CreateGrantAsync(ConsentWithdrawn, server: $"web, namespace: {Scenario.Namespace}", ns: Other);
        foreach (var grant in (string[])[Disabled, Deleted, MovedAway, Stays])
            await Scenario.IsAcceptedAsync(grant);
        await Scenario.IsToldAsync(Sessions, Revoked, "Accepted", "Accepted");
        await Scenario.IsAcceptedAsync(ConsentWithdrawn, Other);
        await Scenario.SettledAsync();
    }
}
