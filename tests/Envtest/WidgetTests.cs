using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// Apply, Controller and Kubernetes serve another custom resource without a change: tests/Widgets is an operator made of their
/// sources, and does on an API server what the real one does.
/// </summary>
public sealed class WidgetTests(ControlPlaneFixture fixture)
{
    private static readonly Resource Widgets = new("example.org", "v1", "widgets", "Widget");
    private static readonly Resource Gadgets = new("example.org", "v1", "gadgets", "Gadget");

    /// <summary>The look for a kind that is not installed comes once or twice a minute.</summary>
    private static readonly TimeSpan Patience = 3 * Eventually.Limit;

    [Fact]
    public async Task ItsObjectsAreMadePutRightAndTakenAway()
    {
        await using var scenario = await StartAsync();
        await scenario.CreateAsync("web", "{text: hello, port: 80}");
        await scenario.EventuallyPhaseAsync("web", "Ready");
        var made = await scenario.ConfigMapAsync("web");
        Assert.Equal("hello", (string?)made["data"]!["text"]);
        Assert.Equal("Widget", (string?)made["metadata"]!["ownerReferences"]![0]!["kind"]);
        Assert.Equal(80, (int)(await scenario.Client.GetAsync(Resource.Services, scenario.Name, "web"))["spec"]!["ports"]![0]!["port"]!);

        await scenario.Client.PatchAsync(Resource.ConfigMaps, scenario.Name, "web", """{"data": {"text": "drifted", "other": "stays"}}""");
        var repaired = await Eventually.TrueAsync(
            "the drift was put right", () => scenario.ConfigMapAsync("web"), live => (string?)live["data"]!["text"] == "hello");
        Assert.Equal("stays", (string?)repaired["data"]!["other"]);

        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Name, "web");
        await Eventually.TrueAsync("it was made again", () => scenario.Client.FindAsync(Resource.ConfigMaps, scenario.Name, "web"), live => live is not null);

        await scenario.Client.PatchAsync(Widgets, scenario.Name, "web", """{"spec": {"port": null}}""");
        await Eventually.TrueAsync("what is not wanted was gone", () => scenario.Client.FindAsync(Resource.Services, scenario.Name, "web"), live => live is null);
        await scenario.EventuallyPhaseAsync("web", "Ready");
    }

    [Fact]
    public async Task NothingIsWrittenWhenNothingDiffersNotEvenAfterARestart()
    {
        await using var scenario = await StartAsync();
        await scenario.CreateAsync("web", "{text: hello, port: 80}");
        await scenario.EventuallyPhaseAsync("web", "Ready");
        await scenario.PassAsync();
        var before = await scenario.WritesAsync("web");

        await scenario.Client.PatchAsync(Widgets, scenario.Name, "web", """{"metadata": {"annotations": {"seen": "again"}}}""");
        await scenario.PassAsync();
        await scenario.RestartAsync();
        await scenario.PassAsync();

        Assert.Equal(["patch configmaps ", "patch services ", "patch widgets status"], before.Order());
        Assert.Equal(before, await scenario.WritesAsync("web"));
    }

    [Fact]
    public async Task ANameThatIsTakenIsLeftAlone()
    {
        await using var scenario = await StartAsync();
        var foreign = await scenario.Client.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {text: mine}}", scenario.Name);

        await scenario.CreateAsync("web", "{text: hello, port: 80}");
        var status = await scenario.EventuallyPhaseAsync("web", "NameConflict");

        Assert.Contains("was not made by this operator", (string?)status["message"]);
        Assert.NotNull(await scenario.Client.FindAsync(Resource.Services, scenario.Name, "web"));
        Assert.Equal(foreign.ToJsonString(), (await scenario.ConfigMapAsync("web")).ToJsonString());
        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Name, "web");
        await scenario.EventuallyPhaseAsync("web", "Ready");
    }

    [Fact]
    public async Task AKindThatIsNotInstalledHoldsNobodyUpIsFoundLaterAndMayGoAgain()
    {
        await using var scenario = await StartAsync();
        await scenario.CreateAsync("plain", "{text: hello}");
        await scenario.EventuallyPhaseAsync("plain", "Ready");
        await scenario.CreateAsync("web", "{text: hello, gadget: large}");
        var status = await scenario.EventuallyPhaseAsync("web", "NotInstalled");
        Assert.Equal("the cluster has no Gadget of example.org/v1: install the CustomResourceDefinition gadgets.example.org", (string?)status["message"]);
        Assert.NotNull(await scenario.Client.FindAsync(Resource.ConfigMaps, scenario.Name, "web"));

        await scenario.ControlPlane.InstallCrdsAsync([Scenario.Crd("Gadget", "gadgets")]);
        await scenario.EventuallyPhaseAsync("web", "Ready", Patience);
        Assert.Equal("large", (string?)(await scenario.Client.GetAsync(Gadgets, scenario.Name, "web"))["spec"]!["size"]);
        await scenario.Client.PatchAsync(Gadgets, scenario.Name, "web", """{"spec": {"size": "small"}}""");
        await Eventually.TrueAsync(
            "its drift was put right", () => scenario.Client.GetAsync(Gadgets, scenario.Name, "web"), live => (string?)live["spec"]!["size"] == "large");

        await scenario.Client.DeleteAsync(Resource.CustomResourceDefinitions, null, "gadgets.example.org");
        await scenario.EventuallyPhaseAsync("web", "NotInstalled", Patience);
        await scenario.PassAsync();

        // A look before it was installed and one that found it, or some more where this takes its time; and the watch in between.
        var requests = (await scenario.RequestsAsync()).Where(request => request.Resource == "gadgets").ToList();
        Assert.All(requests, request => Assert.True(request.Verb is "list" or "watch" || request.Name == "web", request.ToString()));
        Assert.InRange(requests.Count(request => request.Verb == "list"), 3, 8);
        // Said when it begins, and when it is gone again.
        Assert.Equal(2, scenario.Operator.Lines.Count(line => line.StartsWith("info", StringComparison.Ordinal) && line.Contains("The cluster has no gadgets", StringComparison.Ordinal)));
        Assert.DoesNotContain(scenario.Operator.Lines, line => line.StartsWith("warn: Widgets[20", StringComparison.Ordinal));
    }

    private Task<Scenario> StartAsync()
    {
        fixture.RequireOwn("it installs a CRD of its own");
        return Scenario.StartAsync(fixture.ControlPlane);
    }

    /// <summary>A namespace with the operator of widgets in it, which is an administrator.</summary>
    private sealed class Scenario : IAsyncDisposable
    {
        private readonly ControlPlane _controlPlane;
        private readonly TestNamespace _namespace;
        private readonly string _user;
        private int _barriers;

        private Scenario(ControlPlane controlPlane, TestNamespace ns)
        {
            _controlPlane = controlPlane;
            _namespace = ns;
            _user = $"widgets-{ns.Name}";
        }

        public string Name => _namespace.Name;

        public ControlPlane ControlPlane => _controlPlane;

        public KubeClient Client => _controlPlane.Client;

        public OperatorProcess Operator { get; private set; } = null!;

        public static async Task<Scenario> StartAsync(ControlPlane controlPlane)
        {
            await controlPlane.InstallCrdsAsync([Crd("Widget", "widgets")]);
            var scenario = new Scenario(controlPlane, await TestNamespace.CreateAsync(controlPlane));
            await scenario.RunAsync();
            return scenario;
        }

        public static JsonObject Crd(string kind, string plural) => Manifest.Parse($$$"""
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: {{{plural}}}.example.org}
            spec:
              group: example.org
              scope: Namespaced
              names: {kind: {{{kind}}}, listKind: {{{kind}}}List, plural: {{{plural}}}, singular: {{{kind.ToLowerInvariant()}}}}
              versions:
                - name: v1
                  served: true
                  storage: true
                  subresources: {status: {}}
                  schema:
                    openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
            """);

        public Task<JsonObject> CreateAsync(string name, string spec) => Client.CreateAsync(
            $"{{apiVersion: example.org/v1, kind: Widget, metadata: {{name: {name}}}, spec: {spec}}}", Name);

        public Task<JsonObject> ConfigMapAsync(string name) => Client.GetAsync(Resource.ConfigMaps, Name, name);

        /// <summary>The status of a widget as it is now written, once it says so.</summary>
        public async Task<JsonObject> EventuallyPhaseAsync(string name, string phase, TimeSpan? limit = null) => (await Eventually.TrueAsync(
            $"{name} was {phase}",
            () => Client.GetAsync(Widgets, Name, name),
            live => (string?)live["status"]?["phase"] == phase
                && (long)live["status"]!["observedGeneration"]! == (long)live["metadata"]!["generation"]!,
            limit))["status"]!.AsObject();

        /// <summary>Until all that was there to be done is done: one worker takes what comes in its turn.</summary>
        public async Task PassAsync()
        {
            var barrier = $"barrier-{++_barriers}";
            await CreateAsync(barrier, "{text: last}");
            await EventuallyPhaseAsync(barrier, "Ready");
        }

        /// <summary>What the operator has written of this name.</summary>
        public async Task<IReadOnlyList<string>> WritesAsync(string name) =>
            [.. (await RequestsAsync()).Where(request => request.IsWrite && request.Name == name).Select(request => $"{request.Verb} {request.Resource} {request.Subresource}")];

        public Task<IReadOnlyList<AuditEvent>> RequestsAsync() => _namespace.RequestsOfAsync(_user);

        public async Task RestartAsync()
        {
            await Operator.DisposeAsync();
            await RunAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Operator.DisposeAsync();
            await _namespace.DisposeAsync();
        }

        private async Task RunAsync()
        {
            // Built beside these tests, for the same configuration.
            var program = Path.Combine(AppContext.BaseDirectory.Replace(
                Repository.PathTo("tests", "Envtest"), Repository.PathTo("tests", "Widgets"), StringComparison.Ordinal), "Widgets.dll");
            Operator = await OperatorProcess.RunAsync(
                "dotnet", [program, _controlPlane.Kubeconfig(_user, "system:masters"), Name], new Dictionary<string, string?>());
        }
    }
}
