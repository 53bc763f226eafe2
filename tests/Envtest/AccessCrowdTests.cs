namespace McpOperator.Envtest;

/// <summary>What hundreds of grants cost.</summary>
public sealed class AccessCrowdTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task ABurstOfFiveHundredGrantsIsAFewPoliciesAndOneStatusEach()
    {
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        string[] names = [.. Enumerable.Range(0, 500).Select(i => $"g-{i:000}")];

        await Parallel.ForEachAsync(names, AtOnce, async (name, _) => await scenario.CreateGrantAsync(name));
        await AllAreAcceptedAsync(scenario, names.Length);
        await scenario.AccessPassAsync();

        Assert.Equal(names, Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
        var writes = await scenario.AllWritesAsync();
        var policies = writes.Where(write => write.Resource == "configmaps").ToList();
        TestContext.Current.TestOutputHelper?.WriteLine($"{policies.Count} writes of the policy for {names.Length} grants");
        // Each waited half a second for others, however long the creation took; besides them the first, of the empty policy.
        var halfSeconds = (policies[^1].Received - policies[0].Received) / TimeSpan.FromSeconds(0.5);
        Assert.InRange(policies.Count, 2, (int)halfSeconds + 3);
        Assert.True(policies.Count < names.Length / 5, $"{policies.Count} writes of the policy are not few");
        var told = writes.Where(write => write.Resource == "mcpaccessgrants").ToList();
        Assert.All(told, write => Assert.Equal(200, write.Code));
        Assert.Equal(names, told.Select(write => write.Name).Order(StringComparer.Ordinal));

        await scenario.PassAsync();
        await scenario.AccessPassAsync();
        Assert.Equal(writes.Count, (await scenario.AllWritesAsync()).Count);
    }

    [Fact]
    public async Task OneChangedGrantOfTwoThousandCostsOnePolicyAndOneStatusAndALookAtThoseOfItsServer()
    {
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ServerScenario.Permissive);
        await scenario.StopOperatorAsync();
        string[] servers = [.. Enumerable.Range(0, 200).Select(i => $"web-{i:000}")];
        await Parallel.ForEachAsync(servers, AtOnce, async (server, _) =>
        {
            await scenario.CreateServerAsync(Gateways.Spec, server);
            for (var i = 0; i < 10; i++)
                await scenario.CreateGrantAsync($"{server}-{i}", server: server);
        });
        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--workers", "8", "--metrics-bind-address", "127.0.0.1:0");
        await AllAreAcceptedAsync(scenario, 2000);
        await scenario.AccessPassAsync();
        // The first status of a server follows those of its grants at the latest.
        foreach (var server in servers)
            await scenario.SettledAsync(server);
        var first = await scenario.AllWritesAsync();
        Assert.Equal(200, first.Count(write => write.Resource == "configmaps"));
        Assert.Equal(2000, first.Count(write => write.Resource == "mcpaccessgrants"));
        var requests = (await scenario.Namespace.OperatorRequestsAsync()).Count;
        var judged = await scenario.Operator!.MetricAsync("mcp_operator_access_judged_total");

        await scenario.EditAsync(Grants, "web-100-5", "maxTrust: high");
        await scenario.IsAcceptedAsync("web-100-5");

        Assert.Equal("high", (string?)(await scenario.PolicyAsync("web-100"))["grants"]![5]!["max_trust"]);
        Assert.Equal(
            ["patch configmaps/ web-100-gateway-policy", "patch mcpaccessgrants/status web-100-5"],
            // The events of the two hundred servers are still on their way; the look for pods to refresh has a lane of its own, and what is not
            // installed is looked for every minute.
            (await scenario.Namespace.OperatorRequestsAsync()).Skip(requests).Where(request => request.Resource is not ("events" or "pods" or "poddisruptionbudgets"))
                .Select(request => $"{request.Verb} {request.Resource}/{request.Subresource} {request.Name}"));
        // The policy that comes back by the watch is looked at, too.
        Assert.InRange(await scenario.Operator.MetricAsync("mcp_operator_access_judged_total") - judged, 10, 40);

        // What a restart finds is as it should be.
        var writes = (await scenario.AllWritesAsync()).Count;
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await Eventually.TrueAsync(
            "every grant was looked at", () => scenario.Operator!.MetricAsync("mcp_operator_access_judged_total"), count => count >= 2000);
        await scenario.AccessPassAsync();
        Assert.DoesNotContain((await scenario.AllWritesAsync()).Skip(writes), write => write.Resource != "serviceaccounts");
    }

    private static Task<int> AllAreAcceptedAsync(ServerScenario scenario, int count) => Eventually.TrueAsync(
        $"{count} grants were accepted",
        async () => (await scenario.Client.ListAsync(Grants, scenario.Namespace.Name)).Count(grant => (string?)grant["status"]?["phase"] == "Accepted"),
        accepted => accepted == count,
        TimeSpan.FromMinutes(3));
}
