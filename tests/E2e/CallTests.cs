using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>What a client sees of a server, through the URL that its status names.</summary>
public sealed class CallTests(Cluster cluster)
{
    [Fact]
    public async Task AServerIsCalledThroughTheUrlOfItsStatus()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello");
        Assert.Equal($"http://{ns.Name}.example.test/{ns.Name}/hello/mcp", (string?)(await hello.GetAsync())["status"]!["url"]);

        await using var caller = await hello.ConnectAsync();
        Assert.Equal("hello-mcp 1.0.0", caller.Server);
        Assert.Equal(["add", "echo", "time"], (await caller.ListAsync()).Select(tool => tool.Name).Order());
        Assert.Equal("3", await caller.CallAsync("add", new Dictionary<string, object?> { ["a"] = 1, ["b"] = 2 }));
    }

    [Fact]
    public async Task NoCallFailsWhileImageAndPortAreRolledOut()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", "replicas: 2");
        IReadOnlyList<Call> calls;
        await using (var load = await Load.StartAsync(hello))
        {
            await load.MoreAsync(20);
            await hello.EditAsync("{image: 'ghcr.io/example/hello-mcp:1.1.0'}");
            await hello.ReadyAsync();
            await load.MoreAsync(20);
            var edit = new JsonObject { ["port"] = 9099, ["envVars"] = Hello.Environment(9099) };
            await hello.EditAsync(edit);
            await hello.ReadyAsync();
            await load.MoreAsync(20);
            calls = load.Calls;
        }

        Assert.DoesNotContain(calls, call => call.Failure is not null);
        Assert.Equal(["1.0.0", "1.1.0"], calls.Select(call => call.Version!).Distinct());
        Assert.All(calls.TakeLast(10), call => Assert.Equal("1.1.0", call.Version));
        // Two of each revision at least.
        Assert.InRange(calls.Select(call => call.Pod).Distinct().Count(), 6, int.MaxValue);
    }

    [Fact]
    public async Task NoCallFailsWhileAnHttpRouteTakesTheIngresssPlaceAndBack()
    {
        await Cluster.InstallGatewayApiAsync();
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello");
        var url = (string?)(await hello.GetAsync())["status"]!["url"];
        IReadOnlyList<Call> calls;
        await using (var load = await Load.StartAsync(hello))
        {
            await load.MoreAsync(20);
            for (var i = 0; i < 2; i++)
            {
                await hello.EditAsync("{route: HTTPRoute, httpRoute: {parentRefs: [{namespace: edge, name: shared}]}}");
                await hello.ReadyAsync();
                await GoneAsync(Resource.Ingresses);
                await load.MoreAsync(20);
                await hello.EditAsync("{route: null, httpRoute: null}");
                await hello.ReadyAsync();
                await GoneAsync(Resource.HttpRoutes);
                await load.MoreAsync(20);
            }

            calls = load.Calls;
        }

        Assert.DoesNotContain(calls, call => call.Failure is not null);
        Assert.Equal(url, (string?)(await hello.GetAsync())["status"]!["url"]);

        Task<JsonObject?> GoneAsync(Resource kind) => Eventually.TrueAsync(
            $"the {kind.Kind} was gone", () => cluster.Client.FindAsync(kind, ns.Name, hello.Name), live => live is null, Cluster.Limit);
    }

    /// <summary>A quarter of the pods, which kube-proxy chooses among by chance: of 200 calls fewer than 20 or more than 90 would be a miracle.</summary>
    [Fact]
    public async Task ACanaryGetsTheShareOfItsPods()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync(
            "hello", "replicas: 4, rollout: {strategy: Canary, canaryReplicas: 1, canaryImage: 'ghcr.io/example/hello-mcp:1.1.0'}");
        IReadOnlyList<Call> calls;
        await using (var load = await Load.StartAsync(hello))
        {
            await load.MoreAsync(200);
            calls = load.Calls;
        }

        Assert.DoesNotContain(calls, call => call.Failure is not null);
        Assert.InRange(calls.Take(200).Count(call => call.Version == "1.1.0"), 20, 90);
    }

    [Fact]
    public async Task ItIsScaledByTheScaleSubresourceToThreeAndToZeroAndBack()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello");
        await using var load = await Load.StartAsync(hello);
        await ScaleAsync(3);
        await Eventually.TrueAsync(
            "three pods answered", () => Task.FromResult(load.Calls), calls => calls.TakeLast(60).Select(call => call.Pod).Distinct().Count() == 3, Cluster.Limit);
        await ScaleAsync(1);
        await load.MoreAsync(20);
        Assert.DoesNotContain(load.Calls, call => call.Failure is not null);

        var none = await ScaleAsync(0);
        Assert.Equal("ScaledToZero", (string?)Hello.Condition(none, "DeploymentReady")!["reason"]);
        Assert.Equal(0, (int)none["status"]!["replicas"]!);
        await Eventually.TrueAsync("nobody answered", () => Task.FromResult(load.Calls), calls => calls[^1].Failure is not null, Cluster.Limit);
        await ScaleAsync(1);
        await Eventually.TrueAsync("somebody answered", () => Task.FromResult(load.Calls), calls => calls[^1].Failure is null, Cluster.Limit);

        async Task<JsonObject> ScaleAsync(int replicas)
        {
            await cluster.Client.PatchAsync(
                Resource.MCPServers, ns.Name, hello.Name, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } }, subresource: "scale");
            return await hello.ReadyAsync();
        }
    }

    [Fact]
    public async Task ANamespaceGoesWithTheServersInIt()
    {
        var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", GrantedServer.Gateway[1..^1]);
        await ns.HelloAsync("other", Hello.EndsAtOnce);
        await GrantedServer.GrantAsync(cluster, ns, hello, "ann");
        await ns.DisposeAsync();
        await Eventually.TrueAsync("it was gone", () => cluster.Client.FindAsync(Resource.Namespaces, null, ns.Name), found => found is null, Cluster.Limit);
    }
}
