using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Commands;
using McpOperator.Commands.Manifests;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Commands.Manifests;

/// <summary>What <c>diff</c> makes of answers that a cluster seldom gives.</summary>
public sealed class ClusterDiffTests : IDisposable
{
    private const string Api = "apiVersion: mcpruntime.org/v1alpha1\n";
    private const string Gateway = "{image: 'a:1', gateway: {enabled: true, image: 'g:1'}}";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Cluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task WhatMayNotBeListedIsNamedAndTheRestIsCompared()
    {
        _cluster.IsDenied = line => !line.Contains("/namespaces/default/", StringComparison.Ordinal);

        var (diff, errors) = await DiffAsync(
            $"{Api}kind: MCPServer\nmetadata: {{name: web}}\nspec: {Gateway}\n---\n{Grant("far", "{name: other, namespace: closed}")}");

        Assert.True(diff.IsComplete);
        Assert.Contains("+++ wanted/deployments.apps/default/web\n", diff.Text, StringComparison.Ordinal);
        const string kinds = "mcpservers.mcpruntime.org, mcpaccessgrants.mcpruntime.org, mcpagentsessions.mcpruntime.org are not readable in";
        Assert.Equal(2, errors.Count);
        Assert.StartsWith($"note: {kinds} all namespaces: ", errors[0], StringComparison.Ordinal);
        Assert.StartsWith($"note: {kinds} namespace closed: ", errors[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST https://api.test/api/v1/namespaces/default/serviceaccounts", "ServiceAccount default/mcp-workload")]
    [InlineData("PATCH https://api.test/apis/apps/v1/namespaces/default/deployments/web", "Deployment default/web")]
    [InlineData("GET https://api.test/api/v1/namespaces/default/services/web", "MCPServer default/web")]
    public async Task ARefusalTakesNothingElseAlong(string denied, string what)
    {
        _cluster.IsDenied = line => line.StartsWith(denied, StringComparison.Ordinal);

        var (diff, errors) = await DiffAsync(string.Join("---\n", new[] { "web", "zzz" }.Select(name => $"{Api}kind: MCPServer\nmetadata: {{name: {name}}}\nspec: {{image: 'a:1'}}\n")));

        Assert.False(diff.IsComplete);
        Assert.StartsWith($"mcp-operator: {what} cannot be compared: ", Assert.Single(errors), StringComparison.Ordinal);
        Assert.Contains("+++ wanted/deployments.apps/default/zzz\n", diff.Text, StringComparison.Ordinal);
        Assert.Equal(what != "MCPServer default/web", diff.Text.Contains("+++ wanted/services/default/web\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AGrantThatMovesChangesThePolicyThatItLeavesToo()
    {
        foreach (var name in new[] { "web", "old", "none" })
            _cluster.Stored[$"/apis/mcpruntime.org/v1alpha1/namespaces/default/mcpservers/{name}"] = Server(name, "{\"image\": \"a:1\", \"gateway\": {\"enabled\": true, \"image\": \"g:1\"}}");
        _cluster.Stored["/apis/mcpruntime.org/v1alpha1/namespaces/default/mcpaccessgrants/g"] =
            """{"metadata": {"name": "g", "namespace": "default", "uid": "u-g"}, "spec": {"serverRef": {"name": "old"}, "subject": {"humanID": "h"}}}""";

        var (diff, errors) = await DiffAsync(Grant("g", "{name: web}"));

        Assert.Empty(errors);
        Assert.Contains("+++ wanted/configmaps/default/web-gateway-policy\n", diff.Text, StringComparison.Ordinal);
        Assert.Contains("+++ wanted/configmaps/default/old-gateway-policy\n", diff.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("none-gateway-policy", diff.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutItsPolicyAServerRunsNoPods()
    {
        _cluster.Stored["/api/v1/namespaces/default/configmaps/web-gateway-policy"] =
            """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-gateway-policy", "namespace": "default", "uid": "u"}}""";
        const string yaml = Api + "kind: MCPServer\nmetadata: {name: web}\nspec: " + Gateway + "\n";

        var (diff, errors) = await DiffAsync(yaml);

        Assert.StartsWith("note: MCPServer default/web: NameConflict: ConfigMap default/web-gateway-policy ", Assert.Single(errors), StringComparison.Ordinal);
        Assert.DoesNotContain("deployments.apps", diff.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("serviceaccounts", diff.Text, StringComparison.Ordinal);
        Assert.Contains("+++ wanted/services/default/web\n", diff.Text, StringComparison.Ordinal);

        _cluster.Stored.Clear();
        Assert.Contains("+++ wanted/deployments.apps/default/web\n", (await DiffAsync(yaml)).Diff.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFullPolicyDoesWithoutTheSessionsThatHaveExpired()
    {
        const int each = 1700;
        for (var i = 0; i < each; i++)
        {
            foreach (var (kind, created, expires) in new[] { ("old", 2024, 2025), ("new", 2025, 2027) })
            {
                var name = $"{kind}-{i}-{new string('x', 180)}";
                _cluster.Stored[$"/apis/mcpruntime.org/v1alpha1/namespaces/default/mcpagentsessions/{name}"] = $$$"""
                    {"metadata": {"name": "{{{name}}}", "namespace": "default", "uid": "{{{name}}}", "creationTimestamp": "{{{created}}}-01-01T00:00:00Z"},
                     "spec": {"serverRef": {"name": "web"}, "subject": {"humanID": "h"}, "expiresAt": "{{{expires}}}-01-01T00:00:00Z"}}
                    """;
            }
        }

        var (diff, _) = await DiffAsync(Api + "kind: MCPServer\nmetadata: {name: web}\nspec: " + Gateway + "\n");

        Assert.Equal(each, Count("\"name\": \"new-"));
        Assert.InRange(Count("\"name\": \"old-"), 0, each - 1);

        int Count(string text) => diff.Text.Split(text).Length - 1;
    }

    private async Task<(ClusterDiff Diff, List<string> Errors)> DiffAsync(string yaml)
    {
        using var output = new StringWriter();
        using var error = new StringWriter { NewLine = "\n" };
        var given = ManifestInput.Read(["-f", "-"], DiffCommand.Flags, "diff", () => new MemoryStream(Encoding.UTF8.GetBytes(yaml)), output, error, out _)!;
        using var api = new ApiClient(Product.Identity, _cluster, new Uri("https://api.test"), _time);
        var diff = new ClusterDiff(api, given, _time, error);
        await diff.RunAsync();
        return (diff, [.. error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
    }

    private static string Grant(string name, string server) => $"{Api}kind: MCPAccessGrant\nmetadata: {{name: {name}}}\nspec: {{serverRef: {server}, subject: {{humanID: h}}}}\n";

    private static string Server(string name, string spec) =>
        $$$"""{"metadata": {"name": "{{{name}}}", "namespace": "default", "uid": "u-{{{name}}}", "generation": 1, "creationTimestamp": "2025-01-01T00:00:00Z"}, "spec": {{{spec}}}}""";

    /// <summary>Objects by their paths. A dry run answers with what was sent.</summary>
    private sealed class Cluster : HttpMessageHandler
    {
        public Dictionary<string, string> Stored { get; } = [];

        /// <summary>By method and address.</summary>
        public Predicate<string> IsDenied { get; set; } = _ => false;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var path = request.RequestUri!.AbsolutePath;
            if (IsDenied($"{request.Method} {request.RequestUri}"))
                return ScenarioHandler.Status(403, "Forbidden", "no right to");
            if (request.Method != HttpMethod.Get)
            {
                Assert.Contains("dryRun=All", request.RequestUri.Query, StringComparison.Ordinal);
                var body = await request.Content!.ReadAsStringAsync(cancellationToken);
                if (request.Method == HttpMethod.Post && Stored.ContainsKey($"{path}/{JsonNode.Parse(body)!["metadata"]!["name"]}"))
                    return ScenarioHandler.Status(409, "AlreadyExists", "there");
                return ScenarioHandler.Json(body);
            }

            if (Stored.TryGetValue(path, out var found))
                return ScenarioHandler.Json(found);
            var plural = path[(path.LastIndexOf('/') + 1)..];
            return plural.StartsWith("mcp", StringComparison.Ordinal) && plural.EndsWith('s')
                ? ScenarioHandler.Json($$"""{"metadata": {"resourceVersion": "1"}, "items": [{{string.Join(',', Stored.Where(one => one.Key.Contains($"/{plural}/", StringComparison.Ordinal)).Select(one => one.Value))}}]}""")
                : ScenarioHandler.Status(404, "NotFound", "not there");
        }
    }
}
