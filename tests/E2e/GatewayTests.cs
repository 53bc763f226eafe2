using System.Diagnostics;

namespace McpOperator.E2e;

/// <summary>Who gets through a gateway: the stand-in of hack/TestGateway, which follows the policy file.</summary>
public sealed class GatewayTests(Cluster cluster)
{
    [Fact]
    public async Task ItComesAndGoesWithoutAFailedCallOrAnUnguardedOne()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", "replicas: 2");
        await GrantedServer.GrantAsync(cluster, ns, hello, "ann");
        await using var ann = await Load.StartAsync(hello, "ann");
        await using var eve = await Load.StartAsync(hello, "eve", clients: 2);
        await eve.MoreAsync(20);
        Assert.DoesNotContain(eve.Calls, call => call.Failure is not null);

        await hello.EditAsync(GrantedServer.Gateway);
        await hello.ReadyAsync();
        // The Service has moved; kube-proxy follows a moment later.
        var clock = Stopwatch.StartNew();
        await Eventually.TrueAsync("eve was kept out", () => Task.FromResult(eve.Calls), calls => calls.TakeLast(10).All(call => call.Failure is not null), Cluster.Limit);
        Report.Line($"a gateway that is switched on keeps callers out {clock.Elapsed.TotalSeconds:0.0} s after the server is ready");
        var guarded = eve.Calls.Count;
        await eve.MoreAsync(60);
        await ann.MoreAsync(20);
        Assert.All(eve.Calls.Where(call => call.After >= guarded), call => Assert.Contains("not_granted", call.Failure, StringComparison.Ordinal));

        await hello.EditAsync("{gateway: {enabled: false}}");
        await hello.ReadyAsync();
        await Eventually.TrueAsync("nobody kept eve out", () => Task.FromResult(eve.Calls), calls => calls.TakeLast(10).All(call => call.Failure is null), Cluster.Limit);
        await ann.MoreAsync(20);
        Assert.DoesNotContain(ann.Calls, call => call.Failure is not null);
        // She is let in, kept out, and let in: never otherwise.
        Assert.All(eve.Calls, call => Assert.True(call.Failure is null || call.Failure.Contains("not_granted", StringComparison.Ordinal), call.Failure));
    }

    [Fact]
    public async Task AServerThatIsCreatedWithItIsNeverCalledAroundIt()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        // From before its first pod is there.
        using var stop = new CancellationTokenSource();
        var eve = Task.Run(() => CallAsync(new($"http://{ns.Name}.example.test/{ns.Name}/hello/mcp"), stop.Token));
        await ns.HelloAsync("hello", GrantedServer.Gateway[1..^1]);
        await Task.Delay(TimeSpan.FromSeconds(2));
        await stop.CancelAsync();

        var outcomes = await eve;
        Assert.DoesNotContain("let through", outcomes);
        Assert.Contains(outcomes, outcome => outcome.Contains("not_granted", StringComparison.Ordinal));

        async Task<IReadOnlyCollection<string>> CallAsync(Uri url, CancellationToken ended)
        {
            var seen = new HashSet<string>();
            while (!ended.IsCancellationRequested)
            {
                try
                {
                    await using var caller = await ToolCaller.ConnectAsync(url, new Dictionary<string, string> { ["X-MCP-Human-ID"] = "eve" }, cluster.IngressAddress, CancellationToken.None);
                    await caller.CallAsync("time", cancellation: CancellationToken.None);
                    seen.Add("let through");
                }
                catch (CallException e)
                {
                    seen.Add(e.Message);
                }
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
            return seen;
        }
    }

    [Fact]
    public async Task AGrantIsSeenByTheClientWhenItIsGivenAndWhenItIsRevoked()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", GrantedServer.Gateway[1..^1]);
        await GrantedServer.SwapAsync(cluster, ns, hello, "with --policy-refresh");
    }
}
