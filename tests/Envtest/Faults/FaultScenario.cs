using System.Net;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest.Faults;

/// <summary>
/// A scenario whose operator reaches the API server through a <see cref="FaultyApiServer"/>: one server is there and
/// settled before anything fails.
/// </summary>
internal sealed class FaultScenario : IAsyncDisposable
{
    private const string Name = ServerScenario.Name;

    private int _edits;

    private FaultScenario(FaultyApiServer front, ServerScenario servers)
    {
        Front = front;
        Servers = servers;
    }

    public FaultyApiServer Front { get; }

    public ServerScenario Servers { get; }

    public OperatorProcess Operator => Servers.Operator!;

    /// <summary>
    /// The operator's, but an event that was not written: it may be on its way at any time, and is no part of what recovers.
    /// </summary>
    public IReadOnlyList<JsonObject> Complaints =>
        [.. Operator.Complaints.Where(entry => (string?)entry["event"] != "EventNotWritten")];

    public static Task<FaultScenario> StartAsync(ControlPlaneFixture fixture, params string[] arguments)
    {
        fixture.RequireOwn("a front that is a user of its own");
        return StartAsync(fixture.ControlPlane, arguments);
    }

    public static async Task<FaultScenario> StartAsync(ControlPlane controlPlane, params string[] arguments)
    {
        var scenario = await BeginAsync(controlPlane, arguments);
        await scenario.Servers.CreateServerAsync($"image: {Image(0)}");
        await scenario.Servers.SettledAsync();
        return scenario;
    }

    /// <summary>The operator is started, and there is no server yet.</summary>
    public static async Task<FaultScenario> BeginAsync(
        ControlPlane controlPlane, IReadOnlyList<string> arguments, Action<FaultyApiServer>? beforeTheOperator = null)
    {
        var ns = await TestNamespace.CreateAsync(controlPlane);
        var front = await FaultyApiServer.StartAsync(controlPlane, ns.OperatorUser);
        beforeTheOperator?.Invoke(front);
        return new(front, await ServerScenario.StartAsync(
            controlPlane, ns,
            // Pods that nobody makes are no part of what is looked at here.
            new Dictionary<string, string?>(ServerScenario.Permissive) { ["MCP_DIAGNOSE_AFTER"] = "1h" },
            ["--log-level", "debug", "--metrics-bind-address", "127.0.0.1:0", "--kubeconfig", front.Kubeconfig, .. arguments]));
    }

    /// <summary>A user's edit, which the Deployment has to follow.</summary>
    public Task EditAsync() => Servers.EditServerAsync($"image: {Image(++_edits)}");

    /// <summary>
    /// Waits until every watch is older than a second: one that ends before, and without an event, does not work, and is
    /// begun again with a delay and a word.
    /// </summary>
    public async Task WatchesLastAsync()
    {
        await Eventually.TrueAsync(
            "every kind was watched",
            () => Task.FromResult(Front.Requests.Count(request => request.IsWatch)),
            count => count >= Crowd.Kinds.Count);
        await Task.Delay(TimeSpan.FromSeconds(1.2));
    }

    /// <summary>
    /// What has to hold after every fault: the last edit has come through, new servers and new edits do, nothing was
    /// written twice, the log says each thing once, and the process lives.
    /// </summary>
    /// <param name="complaints">The events that may be logged at warn, each once for a kind or server and text.</param>
    public async Task AssertRecoveredAsync(params string[] complaints)
    {
        await AssertCarriedOutAsync();
        await EditAsync();
        await AssertCarriedOutAsync();
        await Servers.CreateServerAsync("image: example.org/after", "after");
        await Servers.SettledAsync("after");
        foreach (var resource in (Resource[])[Resource.Deployments, Resource.Services, Resource.Ingresses])
            Assert.NotNull(await Servers.Client.FindAsync(resource, Servers.Namespace.Name, "after"));
        Assert.Equal("PartiallyReady", (string?)(await Servers.ServerAsync("after"))["status"]!["phase"]);
        Assert.Equal("PartiallyReady", (string?)(await Servers.ServerAsync())["status"]!["phase"]);

        Assert.False(Operator.Exited.IsCompleted);
        Assert.Equal(HttpStatusCode.OK, (await Operator.GetAsync("/readyz")).Code);
        AssertNothingIsWrittenTwice();
        AssertComplaints(complaints);
    }

    /// <summary>
    /// Nobody else writes here, so that the same body twice in a row is a write without a cause, unless the answer to the
    /// first was lost: then nobody knows, and an apply may be repeated.
    /// </summary>
    public void AssertNothingIsWrittenTwice()
    {
        foreach (var writes in Front.Requests
            .Where(request => request is { IsWrite: true, Code: 200 or 201 })
            .GroupBy(request => request.Path))
        {
            foreach (var (first, second) in writes.Zip(writes.Skip(1)))
                Assert.False(first.Body == second.Body && !first.IsLost, $"sent twice: {first}\n{first.Body}");
        }
    }

    public void AssertComplaints(params string[] complaints)
    {
        Assert.All(Complaints, entry => Assert.Contains((string)entry["event"]!, complaints));
        var repeated = Complaints
            .GroupBy(entry => (entry["event"], entry["verb"], entry["resource"], entry["kind"], entry["name"], entry["error"], entry["reason"]) switch
            {
                var (a, b, c, d, e, f, g) => $"{a} {b} {c} {d} {e} {f} {g}",
            })
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Count()} times: {group.Key}");
        Assert.Empty(repeated);
    }

    public async ValueTask DisposeAsync()
    {
        await Servers.DisposeAsync();
        await Front.DisposeAsync();
    }

    private static string Image(int edits) => $"example.org/web:{edits + 1}";

    private async Task AssertCarriedOutAsync()
    {
        await Eventually.TrueAsync(
            $"the Deployment had the image {Image(_edits)}",
            () => Servers.ContainerAsync(),
            container => (string?)container["image"] == Image(_edits));
        await Servers.SettledAsync(Name);
    }
}
