using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>
/// Somebody else keeps changing an object back. How often it is put right is read off the audit log: after each repair comes a pause,
/// twice as long as the one before, whatever the machine does.
/// </summary>
public sealed partial class ContestTests(ControlPlaneFixture fixture)
{
    private const string Mirror = "mirror.example.org/";
    private const string Traefik = "traefik.ingress.kubernetes.io/router.entrypoints";

    private static readonly Dictionary<string, string?> Web = new(ServerScenario.Permissive) { ["MCP_DEFAULT_INGRESS_ENTRYPOINTS"] = "web" };

    [Fact]
    public async Task TwoOperatorsOfUnlikeSettingsSlowDownAndSayIt()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, Web, "--metrics-bind-address", "127.0.0.1:0");
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.CreateServerAsync("{image: example.org/other, ingressClass: nginx}", "other");
        await scenario.SettledAsync("other");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var second = await scenario.Namespace.GrantLeaseAsync();
        await using var other = await StartOtherAsync(scenario, second, new(Web) { ["MCP_DEFAULT_INGRESS_ENTRYPOINTS"] = "websecure" });

        var status = await scenario.EventuallyStatusAsync(
            "the Ingress was contested", status => ServerScenario.StatusAndReason(status, "IngressReady") == "True Contested");
        Assert.StartsWith(
            $"another operator with other settings keeps changing metadata.annotations[{Traefik}] of Ingress web: ",
            (string?)ServerScenario.Condition(status, "IngressReady")!["message"], StringComparison.Ordinal);
        Assert.Equal("False Contested", ServerScenario.StatusAndReason(status, "Ready"));
        var (of, by) = (scenario.Namespace.OperatorUser, Resource.Ingresses);
        await EventuallyWritesAsync(scenario, of, by, 5);
        await EventuallyWritesAsync(scenario, second, by, 5);

        // The creation, and then nothing but repairs.
        AssertSlowsDown((await WritesAsync(scenario, of, by))[1..]);
        AssertSlowsDown(await WritesAsync(scenario, second, by));
        // Both say the same: no status is changed back and forth.
        Assert.InRange((await WritesAsync(scenario, second, Resource.MCPServers, "status")).Count, 0, 3);
        // Nobody else has to wait.
        await scenario.EditAndSettleAsync("image: example.org/other:2", "other");
        Assert.Single(await WritesAsync(scenario, of, Resource.Ingresses, name: "other"));
        foreach (var process in (OperatorProcess[])[scenario.Operator!, other])
            Assert.Single(process.Log, entry => (string?)entry["event"] == "ObjectContested");
        Assert.InRange(await scenario.Operator!.MetricAsync("mcp_operator_contested_repairs_total", "kind=\"Ingress\""), 1, 10);
        var events = await Eventually.TrueAsync(
            "it was told", () => scenario.Client.ListAsync(Resource.Events, scenario.Namespace.Name),
            events => events.Any(e => (string?)e["reason"] == "Contested"));
        Assert.All(events.Where(e => (string?)e["reason"] == "Contested"), e => Assert.Equal("Warning", (string?)e["type"]));
    }

    [Fact]
    public async Task AStatusThatTwoOperatorsJudgeDifferentlyIsNotWrittenForEver()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        var second = await scenario.Namespace.GrantLeaseAsync();
        await using var other = await StartOtherAsync(scenario, second, []);
        await scenario.CreateServerAsync("image: example.org/web");

        foreach (var user in (string[])[scenario.Namespace.OperatorUser, second])
        {
            var repeated = await Eventually.TrueAsync(
                "the same status was written again and again",
                async () => (await WritesAsync(scenario, user, Resource.MCPServers, "status"))
                    .GroupBy(write => Volatile().Replace(write.RequestObject, "")).Select(group => group.ToList()).MaxBy(group => group.Count) ?? [],
                writes => writes.Count >= 5);
            // The first one, and then nothing but repairs.
            AssertSlowsDown(repeated[1..]);
        }
    }

    /// <summary>Whoever is first has filled in what the other one finds there.</summary>
    [Fact]
    public async Task DefaultsOfTwoOperatorsAreThoseOfTheFirst()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, new Dictionary<string, string?>(Web) { ["DEFAULT_INGRESS_CLASS"] = "nginx" });
        var second = await scenario.Namespace.GrantLeaseAsync();
        await using var other = await StartOtherAsync(scenario, second, new(Web) { ["DEFAULT_INGRESS_CLASS"] = "traefik" });
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();

        await scenario.EditAndSettleAsync("image: example.org/web:2");

        var users = (string[])[scenario.Namespace.OperatorUser, second];
        var written = new List<AuditEvent>();
        foreach (var user in users)
            written.AddRange(await WritesAsync(scenario, user, Resource.MCPServers));
        Assert.Single(written);
        foreach (var user in users)
            Assert.InRange((await WritesAsync(scenario, user, Resource.Ingresses)).Count, 0, 2);
    }

    /// <summary>Each writes a document of its own, with a revision and a time that go with it.</summary>
    [Fact]
    public async Task TwoOperatorsThatWantDifferentPoliciesSlowDownToo()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, new Dictionary<string, string?>(Web) { ["MCP_CLUSTER_NAME"] = "one" });
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        var second = await scenario.Namespace.GrantLeaseAsync();
        await using var other = await StartOtherAsync(scenario, second, new(Web) { ["MCP_CLUSTER_NAME"] = "two" });

        await scenario.EventuallyStatusAsync(
            "the policy was contested", status => ServerScenario.StatusAndReason(status, "PolicyReady").EndsWith(" Contested", StringComparison.Ordinal));

        // The first one of each is no repair: it made the policy, or found another one there.
        foreach (var user in (string[])[scenario.Namespace.OperatorUser, second])
            AssertSlowsDown((await Eventually.TrueAsync(
                $"{user} had written five times", () => WritesAsync(scenario, user, Resource.ConfigMaps, name: Gateways.PolicyName()),
                writes => writes.Count >= 5, TimeSpan.FromMinutes(1)))[1..]);
    }

    [Fact]
    public async Task AnAutoscalerOnTheDeploymentIsAnsweredEverMoreRarelyAndNamed()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web, replicas: 2}");
        await scenario.SettledAsync();
        await using (var autoscaler = new Opponent(
            scenario.Client, Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name,
            live => (int)live["spec"]!["replicas"]! == 5, """{"spec": {"replicas": 5}}""", "kube-controller-manager"))
        {
            await autoscaler.ChangesAsync(5);

            var status = await scenario.EventuallyStatusAsync(
                "the Deployment was contested", status => ServerScenario.StatusAndReason(status, "DeploymentReady") == "False Contested");
            Assert.StartsWith(
                "kube-controller-manager (Update) keeps changing spec.replicas of Deployment web: ",
                (string?)ServerScenario.Condition(status, "DeploymentReady")!["message"], StringComparison.Ordinal);
            AssertSlowsDown((await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.Deployments))[1..]);
            // One read tells who it is.
            Assert.Single(await scenario.Namespace.OperatorRequestsAsync(), request => request is { Verb: "get", Resource: "deployments" });
        }

        // What the user wants is done at once, and is no contest.
        await scenario.EditServerAsync("replicas: 3");
        await scenario.EventuallyStatusAsync(
            "nobody contested it", status => ServerScenario.StatusAndReason(status, "DeploymentReady") == "False DeploymentProgressing");
        Assert.Equal(3, (int)(await scenario.DeploymentAsync())["spec"]!["replicas"]!);
    }

    /// <summary>By it the next one to ask for the route is told who serves it.</summary>
    [Fact]
    public async Task TheUrlIsThatOfTheIngressWhichStandsAlsoWhileItIsContested()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, Web);
        await scenario.CreateServerAsync("{image: example.org/web, ingressHost: tools.example.org}");
        await scenario.SettledAsync();
        await using (var opponent = new Opponent(
            scenario.Client, Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name,
            live => (string?)live["metadata"]!["annotations"]![Traefik] == "websecure",
            new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Traefik] = "websecure" } } }.ToJsonString(), "helm"))
            await opponent.ChangesAsync(3);
        await Eventually.TrueAsync("it was put right", () => scenario.IngressAsync(), live => (string?)live["metadata"]!["annotations"]![Traefik] == "web");
        await scenario.EventuallyStatusAsync(
            "it was contested", status => ServerScenario.StatusAndReason(status, "IngressReady") == "True Contested");

        // What another operator, of another host, has left there.
        await scenario.Client.PatchStatusAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, new JsonObject { ["url"] = "https://other.example.org/web/mcp" });

        await scenario.EventuallyStatusAsync("the URL was right again", status => (string?)status["url"] == "http://tools.example.org/web/mcp");
    }

    /// <summary>As cert-manager edits an Ingress in place, for the time of a challenge.</summary>
    [Fact]
    public async Task AnEditInPlaceOfAnIngressIsAnsweredEverMoreRarelyAndNamed()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web, ingressHost: tools.example.org}");
        await scenario.SettledAsync();
        await using var issuer = new Opponent(
            scenario.Client, Resource.Ingresses, scenario.Namespace.Name, ServerScenario.Name,
            live => live["spec"]!["rules"]![0]!["http"]!["paths"]!.AsArray().Count == 2,
            """
            {"spec": {"rules": [{"host": "tools.example.org", "http": {"paths": [
              {"path": "/.well-known/acme-challenge/x", "pathType": "ImplementationSpecific", "backend": {"service": {"name": "solver", "port": {"number": 8089}}}},
              {"path": "/web/mcp", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}
            """,
            "cert-manager");
        await issuer.ChangesAsync(5);

        var status = await scenario.EventuallyStatusAsync(
            "the Ingress was contested", status => ServerScenario.StatusAndReason(status, "IngressReady") == "True Contested");
        Assert.Contains("cert-manager (Update) keeps changing spec.rules[0].http.paths", (string?)status["message"], StringComparison.Ordinal);
        AssertSlowsDown((await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.Ingresses))[1..]);
    }

    [Fact]
    public async Task AnObjectThatSomebodyDeletesEachTimeIsMadeAnewEverMoreRarely()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        for (var i = 0; i < 4; i++)
        {
            await Eventually.TrueAsync("it was there", () => scenario.Client.FindAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name), live => live is not null);
            await scenario.Client.DeleteAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name);
        }

        var status = await scenario.EventuallyStatusAsync(
            "the Service was contested", status => ServerScenario.StatusAndReason(status, "ServiceReady") == "True Contested");
        Assert.Contains("somebody keeps deleting Service web: ", (string?)status["message"], StringComparison.Ordinal);
        AssertSlowsDown((await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.Services))[1..]);
    }

    /// <summary>What is taken away is another document.</summary>
    [Fact]
    public async Task ARevocationDoesNotWaitForWhoeverContestsThePolicy()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("revoked");
        await scenario.IsAcceptedAsync("revoked");
        var before = (await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.ConfigMaps, name: Gateways.PolicyName())).Count;
        await using var forger = new Opponent(
            scenario.Client, Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(),
            live => (string?)live["data"]!["policy.json"] == "{}", """{"data": {"policy.json": "{}"}}""", "forger");
        await forger.ChangesAsync(5);
        var status = await scenario.EventuallyStatusAsync(
            "the policy was contested", status => ServerScenario.StatusAndReason(status, "PolicyReady").EndsWith(" Contested", StringComparison.Ordinal));
        Assert.Contains("forger (Update) keeps changing data[policy.json] of ConfigMap", (string?)status["message"], StringComparison.Ordinal);
        var repairs = (await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.ConfigMaps, name: Gateways.PolicyName()))[before..];
        AssertSlowsDown(repairs);

        // The next repair is seconds away.
        await scenario.Client.DeleteAsync(Resource.MCPAccessGrants, scenario.Namespace.Name, "revoked");

        await forger.ChangesAsync(6);
        var written = (await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.ConfigMaps, name: Gateways.PolicyName()))[(before + repairs.Count)];
        Assert.DoesNotContain("revoked", written.RequestObject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWebhookThatRewritesTheImageIsNoContestAndCostsNoWrite()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await using var webhook = await StartMirrorAsync(scenario);
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        Assert.StartsWith(Mirror, (string?)(await scenario.ContainerAsync())["image"], StringComparison.Ordinal);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var writes = (await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.Deployments)).Count;
        Assert.Equal(1, writes);

        for (var i = 0; i < 3; i++)
        {
            await scenario.RollOutAsync();
            await scenario.PassAsync();
        }

        Assert.Equal(writes, (await WritesAsync(scenario, scenario.Namespace.OperatorUser, Resource.Deployments)).Count);
        await scenario.EventuallyPhaseAsync("Ready");
    }

    /// <summary>The long way round, by hand: <c>-explicit only -method '*TenMinutes*'</c>.</summary>
    [Fact(Explicit = true)]
    public async Task TenMinutesOfContestsAreFewWritesForEachObjectAndOthersAreAsFastAsEver()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, Web, "--metrics-bind-address", "127.0.0.1:0");
        await using var webhook = await StartMirrorAsync(scenario);
        var second = await scenario.Namespace.GrantLeaseAsync();
        await using var otherOperator = await StartOtherAsync(scenario, second, new(Web) { ["MCP_DEFAULT_INGRESS_ENTRYPOINTS"] = "websecure" });
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.CreateServerAsync("{image: example.org/scaled, replicas: 2, ingressClass: nginx}", "scaled");
        await scenario.CreateServerAsync("{image: example.org/other, ingressClass: nginx}", "other");
        await using var autoscaler = new Opponent(
            scenario.Client, Resource.Deployments, scenario.Namespace.Name, "scaled",
            live => (int)live["spec"]!["replicas"]! == 5, """{"spec": {"replicas": 5}}""", "kube-controller-manager");

        var clock = Stopwatch.StartNew();
        var edits = new List<TimeSpan>();
        while (clock.Elapsed < TimeSpan.FromMinutes(10))
        {
            var begun = clock.Elapsed;
            await scenario.EditAndSettleAsync($"image: example.org/other:{edits.Count}", "other");
            edits.Add(clock.Elapsed - begun);
            await Task.Delay(TimeSpan.FromSeconds(10));
        }

        var writes = (await scenario.Namespace.OperatorRequestsAsync()).Concat(await scenario.Namespace.RequestsOfAsync(second))
            .Where(request => request.IsWrite).CountBy(request => $"{request.Name} {request.Resource} {request.Subresource}").OrderBy(count => count.Key).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{edits.Count} edits of another server, settled after {edits.Order().ElementAt(edits.Count / 2).TotalMilliseconds:0} ms (median), "
            + $"{edits.Max().TotalMilliseconds:0} ms at most\n{string.Join('\n', writes.Select(count => $"{count.Key}: {count.Value}"))}");
        Assert.All(writes.Where(count => count.Key.StartsWith("web ", StringComparison.Ordinal) || count.Key.StartsWith("scaled ", StringComparison.Ordinal)),
            count => Assert.InRange(count.Value, 1, 39));
    }

    /// <summary>A webhook that has the servers' images come from a mirror.</summary>
    private static async Task<AdmissionWebhook> StartMirrorAsync(ServerScenario scenario)
    {
        var webhook = await AdmissionWebhook.StartAsync(scenario.ControlPlane, scenario.Namespace.Name);
        webhook.Change = static request =>
            AdmissionWebhook.ResourceOf(request) == "deployments"
            && (string?)request["object"]?["spec"]?["template"]?["spec"]?["containers"]?[0]?["image"] is { } image
            && !image.StartsWith(Mirror, StringComparison.Ordinal)
                ? [new JsonObject { ["op"] = "replace", ["path"] = "/spec/template/spec/containers/0/image", ["value"] = Mirror + image }]
                : null;
        return webhook;
    }

    private static Task<OperatorProcess> StartOtherAsync(ServerScenario scenario, string user, Dictionary<string, string?> environment) =>
        OperatorProcess.StartAsync(scenario.ControlPlane, scenario.Namespace, new() { Kubeconfig = scenario.ControlPlane.Kubeconfig(user), Environment = environment });

    private static async Task<List<AuditEvent>> WritesAsync(
        ServerScenario scenario, string user, Resource resource, string subresource = "", string name = ServerScenario.Name) =>
        [.. (await scenario.Namespace.RequestsOfAsync(user)).Where(request => request.IsWrite && request.Code < 300 && request.Resource == resource.Plural
            && request.Subresource == subresource && request.Name == name).OrderBy(request => request.Received)];

    private static Task<List<AuditEvent>> EventuallyWritesAsync(ServerScenario scenario, string user, Resource resource, int count) => Eventually.TrueAsync(
        $"{user} had written {count} times", () => WritesAsync(scenario, user, resource), writes => writes.Count >= count, TimeSpan.FromMinutes(3));

    /// <summary>The first repair is at once, the second comes a second after it at the earliest, then two, four …</summary>
    private static void AssertSlowsDown(List<AuditEvent> repairs)
    {
        Assert.InRange(repairs.Count, 3, 12);
        for (var i = 1; i < repairs.Count; i++)
            Assert.True(repairs[i].Received - repairs[i - 1].Received >= TimeSpan.FromSeconds(1 << (i - 1)), $"repair {i + 1} came too early:\n{string.Join('\n', repairs.Select(repair => $"{repair.Received:mm:ss.fff} {repair}"))}");
    }

    [GeneratedRegex("\"(lastTransitionTime|resourceVersion)\":\"[^\"]*\",?")]
    private static partial Regex Volatile();
}
