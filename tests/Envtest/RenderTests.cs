using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>
/// What <c>render</c> prints is what the operator applies, object by object and field by field, but for secrets; and <c>diff</c> finds nothing to change
/// in what runs.
/// </summary>
public sealed partial class RenderTests(HttpRouteTests.WithGatewayApi own) : IClassFixture<HttpRouteTests.WithGatewayApi>
{
    private readonly ControlPlaneFixture fixture = own.Fixture;

    private static readonly Resource[] Kinds =
        [Resource.ConfigMaps, Resource.ServiceAccounts, Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.NetworkPolicies, Resource.HttpRoutes];

    [Fact]
    public void TheCorpusHasEveryField()
    {
        Assert.Empty(PlanCorpus.MissingFields());
        Assert.True(PlanCorpus.Servers.Count >= 60, $"{PlanCorpus.Servers.Count} servers");
    }

    [Fact]
    public async Task ItPrintsWhatTheOperatorAppliesAndDiffFindsNoChanges()
    {
        fixture.RequireOwn("users of its own, and the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, PlanCorpus.Environment);
        var ns = scenario.Namespace.Name;
        await CreateAsync(scenario);
        var directory = Directory.CreateTempSubdirectory("plan-");
        var written = Path.Combine(directory.FullName, "written.yaml");
        await File.WriteAllTextAsync(written, string.Join("---\n", PlanCorpus.Documents.OfType<string>()));
        var stored = Path.Combine(directory.FullName, "stored.yaml");
        await File.WriteAllTextAsync(stored, await StoredAsync(ns));

        var ofStored = await RenderAsync(ns, stored);
        await AssertAppliedAsync(scenario, ofStored);
        // Nothing is known of the servers there, and all else is the same.
        var ofWritten = await RenderAsync(ns, written);
        foreach (var item in ofStored)
            item["metadata"]!.AsObject().Remove("ownerReferences");
        ServerScenario.AssertJson(ByName(ofStored), ByName(ofWritten));

        var reviewer = $"reviewer-{ns}";
        await OperatorRole.GrantAsync(fixture.ControlPlane, reviewer, ns);
        await AssertNoChangesAsync(ns, reviewer, stored);
        await AssertNoChangesAsync(ns, reviewer, written);
        // Each alone: what is not among the manifests is as the cluster has it.
        var numbered = PlanCorpus.Servers.Select((text, i) => (Text: text, File: Path.Combine(directory.FullName, $"{i}.yaml"))).ToList();
        await Parallel.ForEachAsync(numbered, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (one, _) =>
        {
            await File.WriteAllTextAsync(one.File, one.Text, CancellationToken.None);
            await AssertNoChangesAsync(ns, reviewer, one.File);
        });
        var requests = await scenario.Namespace.RequestsOfAsync(reviewer);
        Assert.NotEmpty(requests);
        Assert.All(requests, request =>
        {
            Assert.NotEqual("secrets", request.Resource);
            Assert.True(!request.IsWrite || request.RequestUri.Contains("dryRun=All", StringComparison.Ordinal), $"{request}");
        });
        directory.Delete(recursive: true);
    }

    private static async Task CreateAsync(ServerScenario scenario)
    {
        var ns = scenario.Namespace.Name;
        var rest = PlanCorpus.Documents.ToList();
        while (rest.Count > 0)
        {
            var stage = rest.TakeWhile(text => text is not null).Select(text => Manifest.Parse(text!)).ToList();
            rest.RemoveRange(0, Math.Min(rest.Count, stage.Count + 1));
            await Parallel.ForEachAsync(stage, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (manifest, _) => await scenario.Client.CreateAsync(manifest, ns));
            foreach (var manifest in stage)
            {
                await Eventually.TrueAsync(
                    $"{manifest["metadata"]!["name"]} was reported",
                    () => scenario.Client.GetAsync(Resource.Of(manifest), ns, (string)manifest["metadata"]!["name"]!),
                    seen => (long?)seen["status"]?["observedGeneration"] == (long)seen["metadata"]!["generation"]!);
            }
        }

        // What a server has beside its status, such as a policy with a late grant, is there when the next look finds nothing to do.
        await Task.WhenAll(PlanCorpus.Servers.Select(text => Eventually.TrueAsync(
            "the policy was current", () => scenario.ServerAsync((string)Manifest.Parse(text)["metadata"]!["name"]!),
            server => ServerScenario.StatusAndReason(server["status"]!, "PolicyReady") is "" or "True PolicyCurrent")));
    }

    /// <summary>As kubectl gives it, with its status, uid and all; without kubectl, in JSON.</summary>
    private async Task<string> StoredAsync(string ns)
    {
        var kubectl = Path.Combine(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") ?? "", "kubectl");
        if (!File.Exists(kubectl))
        {
            var items = new List<JsonNode>();
            foreach (var kind in new[] { Resource.MCPServers, Resource.MCPAccessGrants, Resource.MCPAgentSessions })
                items.AddRange(await fixture.Client.ListAsync(kind, ns));
            return new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. items.Select(item => item.DeepClone())]) }.ToJsonString();
        }

        var got = await Command.RunAsync(
            kubectl,
            ["--kubeconfig", fixture.ControlPlane.AdminKubeconfig, "-n", ns, "get", "mcpservers,mcpaccessgrants,mcpagentsessions", "-o", "yaml"]);
        Assert.True(got.ExitCode == 0, got.Errors);
        return got.Output;
    }

    private async Task AssertNoChangesAsync(string ns, string user, string file)
    {
        var diff = await Command.OperatorAsync(
            ["diff", "--kubeconfig", fixture.ControlPlane.Kubeconfig(user), "-n", ns, "-f", file, .. PlanCorpus.Arguments]);
        Assert.True((diff.ExitCode, diff.Output) == (0, "No changes\n"), $"{file}: {diff.ExitCode}\n{diff.Output}{diff.Errors}");
        Assert.DoesNotContain(PlanCorpus.Password, diff.Errors, StringComparison.Ordinal);
    }

    private static async Task<List<JsonObject>> RenderAsync(string ns, string file)
    {
        var rendered = await Command.OperatorAsync(["render", "-n", ns, "-o", "json", "-f", file, .. PlanCorpus.Arguments]);
        Assert.True(rendered.ExitCode == 0, rendered.Errors);
        Assert.DoesNotContain("dockerconfigjson", rendered.Output, StringComparison.Ordinal);
        Assert.Contains($"note: Secret {ns}/mcp-runtime-registry-pull is left out: ", rendered.Errors, StringComparison.Ordinal);
        return [.. JsonNode.Parse(rendered.Output)!["items"]!.AsArray().Select(item => item!.AsObject())];
    }

    /// <summary>Every object of the operator's is among the rendered ones, with all that it owns of it and nothing else.</summary>
    private static async Task AssertAppliedAsync(ServerScenario scenario, List<JsonObject> rendered)
    {
        var ns = scenario.Namespace.Name;
        var live = new Dictionary<string, JsonObject>();
        foreach (var kind in Kinds)
        {
            foreach (var item in await scenario.Client.ListAsync(kind, ns, "app.kubernetes.io/managed-by=mcp-runtime"))
            {
                item["kind"] = kind.Kind; // lists leave it out
                live.Add(Name(item), item);
            }
        }

        Assert.Equal(live.Keys.Order(StringComparer.Ordinal), rendered.Select(Name).Order(StringComparer.Ordinal));
        Assert.Equal(live.Count, rendered.Count);
        foreach (var item in rendered)
        {
            var there = live[Name(item)];
            if (there["data"]?["policy.json"] is { } policy)
                there["data"]!["policy.json"] = GeneratedAt().Replace((string)policy!, "");
            Assert.Equal($"{Name(item)}\n{Owned(there, there)}", $"{Name(item)}\n{Owned(there, item)}");
            // That it names nothing else, either.
            Assert.Equal($"{Name(item)} {OwnedLeaves.Of(there).Count}", $"{Name(item)} {CountOf(item) - 4}");
        }
    }

    /// <summary>Of an object, what the operator owns of the live one.</summary>
    private static string Owned(JsonObject live, JsonObject of)
    {
        // The ServiceAccount is created once, and never applied.
        var entries = live["metadata"]!["managedFields"]!.DeepClone().AsArray();
        foreach (var entry in entries)
            entry!["operation"] = (string?)live["kind"] == "ServiceAccount" ? "Apply" : (string?)entry["operation"];
        live["metadata"]!["managedFields"] = entries;
        var copy = of.DeepClone().AsObject();
        copy["metadata"]!["managedFields"] = entries.DeepClone();
        // API servers leave out what is empty.
        return string.Join('\n', OwnedLeaves.Text(copy).Split('\n').Where(leaf => !leaf.EndsWith(" = \"\"", StringComparison.Ordinal)));
    }

    /// <summary>Values in it that are not empty; apiVersion, kind, name and namespace among them.</summary>
    private static int CountOf(JsonNode? node) => node switch
    {
        JsonObject members => members.Sum(member => CountOf(member.Value)),
        JsonArray items => items.Sum(CountOf),
        JsonValue value when value.TryGetValue<string>(out var text) && text.Length == 0 => 0,
        _ => 1,
    };

    private static string Name(JsonObject item) => $"{item["kind"]}/{item["metadata"]!["name"]}";

    private static JsonObject ByName(IEnumerable<JsonObject> items) =>
        new(items.Select(item => KeyValuePair.Create<string, JsonNode?>(Name(item), item.DeepClone())));

    [GeneratedRegex("\"generated_at\": \"[^\"]*\",\n *")]
    private static partial Regex GeneratedAt();
}
