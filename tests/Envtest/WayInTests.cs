using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpOperator.Envtest;

/// <summary>
/// What a client goes through in the tests on a node: hack/call, an Ingress controller, the stand-in of a gateway, and a server. Here
/// without pods. HELLO_MCP_BINARY and TEST_GATEWAY_BINARY name the published programs (<c>hack/pod-image hello binary</c>);
/// else those run that were built with the tests.
/// </summary>
public sealed class WayInTests
{
    private const string Class = "way-in";

    [Fact]
    public async Task TheServerListsAndRunsItsTools()
    {
        await using var hello = await TestProgram.HelloMcpAsync(("HELLO_VERSION", "1.2.3"));
        var url = new Uri($"http://127.0.0.1:{hello.Port}/hello/mcp");
        await using var caller = await ToolCaller.ConnectAsync(url);

        Assert.Equal("hello-mcp 1.2.3", caller.Server);
        Assert.Equal(["add", "echo", "time"], (await caller.ListAsync()).Select(tool => tool.Name).Order());
        Assert.Equal("hi", await caller.CallAsync("echo", new Dictionary<string, object?> { ["text"] = "hi" }));
        Assert.Equal("3.5", await caller.CallAsync("add", new Dictionary<string, object?> { ["a"] = 1, ["b"] = 2.5 }));
        Assert.Contains(" by hello-mcp 1.2.3 on ", await caller.CallAsync("time"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheCommandPrintsTheAnswerOrOneLineOfWhatIsWrong()
    {
        await using var hello = await TestProgram.HelloMcpAsync(("MCP_PATH", "/only/here"));
        var url = $"http://127.0.0.1:{hello.Port}/only/here";

        var answered = await CallAsync(url, "add", """{"a": 1, "b": 2}""");
        Assert.Equal((0, "3\n", ""), (answered.ExitCode, answered.Output, answered.Errors));
        Assert.Equal("echo\tSays back what it is told.", (await CallAsync(url)).Output.Split('\n')[0]);

        await RefusedAsync("Unknown tool: 'nope'", url, "nope");
        await RefusedAsync("the tool add failed: ", url, "add", """{"a": 1}""");
        await RefusedAsync("404 Not Found", $"http://127.0.0.1:{hello.Port}/elsewhere", "add");
        await hello.DisposeAsync();
        await RefusedAsync("Connection refused", url, "add");
        Assert.Equal(2, (await CallAsync(url, "add", "{")).ExitCode);
        Assert.Equal(2, (await CallAsync("localhost", "add")).ExitCode);

        static async Task RefusedAsync(string text, params string[] arguments)
        {
            var refused = await CallAsync(arguments);
            Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
            Assert.Contains(text, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("crash", "this server cannot run")]
    [InlineData("nonsense", "neither slow, crash, memory, auth nor protocol")]
    public async Task AServerIsBrokenOnRequest(string fault, string text)
    {
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => TestProgram.HelloMcpAsync(("HELLO_FAULT", fault)));
        Assert.Contains(text, e.Message, StringComparison.Ordinal);
    }

    /// <summary>The smallest document of the golden vectors, with a grant and without it.</summary>
    [Fact]
    public async Task AGatewayFollowsItsPolicyFile()
    {
        var directory = Directory.CreateTempSubdirectory("way-in-");
        var file = Path.Combine(directory.FullName, "policy.json");
        try
        {
            await using var hello = await TestProgram.HelloMcpAsync();
            await using var gateway = await TestProgram.TestGatewayAsync(
                ("UPSTREAM_URL", $"http://127.0.0.1:{hello.Port}"), ("POLICY_FILE", file), ("MCP_SERVER_NAME", "demo"), ("MCP_SERVER_NAMESPACE", "mcp-servers"));
            var url = new Uri($"http://127.0.0.1:{gateway.Port}/demo/mcp");
            using var http = new HttpClient();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(new Uri(url, "/ready"))).StatusCode);

            await WriteAsync(Policies.Minimal);
            await Eventually.TrueAsync("the gateway was ready", async () => (await http.GetAsync(new Uri(url, "/ready"))).StatusCode, code => code == HttpStatusCode.OK);
            await using var ann = await ToolCaller.ConnectAsync(url, new Dictionary<string, string> { ["X-MCP-Human-ID"] = "ann" });
            await using var bob = await ToolCaller.ConnectAsync(url, new Dictionary<string, string> { ["X-MCP-Human-ID"] = "bob" });
            Assert.Equal(3, (await ann.ListAsync()).Count);
            Assert.Contains("not_granted", await RefusalAsync(ann), StringComparison.Ordinal);

            await WriteAsync(Policies.WithAGrantForAnn);
            await Eventually.TrueAsync("the grant was in force", () => ann.CallAsync("echo", Hi), answer => answer == "hi");
            Assert.Contains("no grant allows echo", await RefusalAsync(bob), StringComparison.Ordinal);
            Assert.Contains("not_granted", (await Assert.ThrowsAsync<CallException>(() => ann.CallAsync("time"))).Message, StringComparison.Ordinal);

            // A document that does not hash to its revision is refused, and the one before it stays in force.
            await WriteAsync(Policies.WithAGrantForAnn.Replace("\"ann\"", "\"bob\"", StringComparison.Ordinal));
            await Eventually.TrueAsync("it was refused", () => gateway.ToString().Contains("the document says that it is", StringComparison.Ordinal));
            Assert.Contains("not_granted", await RefusalAsync(bob), StringComparison.Ordinal);

            await WriteAsync(Policies.Minimal);
            await Eventually.TrueAsync("the revocation was in force", () => OutcomeAsync(ann), outcome => outcome.Contains("403", StringComparison.Ordinal));
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        // In one step, as the kubelet does it.
        async Task WriteAsync(string json)
        {
            await File.WriteAllTextAsync(file + ".new", json);
            File.Move(file + ".new", file, overwrite: true);
        }

        static async Task<string> RefusalAsync(ToolCaller caller)
        {
            var e = await Assert.ThrowsAsync<CallException>(() => caller.CallAsync("echo", Hi));
            Assert.Equal(HttpStatusCode.Forbidden, e.Status);
            return e.Message;
        }

        static async Task<string> OutcomeAsync(ToolCaller caller)
        {
            try
            {
                return await caller.CallAsync("echo", Hi);
            }
            catch (CallException e)
            {
                return e.Message;
            }
        }
    }

    /// <summary>Nothing stands between a Service and its pods here, so that Services get loopback addresses, where a server listens.</summary>
    [Fact]
    public async Task AnIngressControllerServesWhatIsOfItsClass()
    {
        Assert.SkipWhen(new ControlPlaneOptions().UseExistingCluster, "needs a control plane of its own, and USE_EXISTING_CLUSTER is set");
        await using var plane = await ControlPlane.StartAsync(new() { ApiServerArguments = ["--service-cluster-ip-range=127.77.0.0/16"] });
        await using var hello = await TestProgram.HelloMcpAsync();
        await using var streaming = await StreamingServer.StartAsync();
        await using var controller = await TestProgram.TestIngressAsync("--kubeconfig", plane.AdminKubeconfig, "--class", Class, "--address", "gateway.example.com");
        await ServeAsync("hello", Class, null, "/hello/mcp", hello.Port);
        await ServeAsync("stream", Class, "stream.example.com", "/", streaming.Port);
        await ServeAsync("other", "another-class", null, "/other", hello.Port);

        foreach (var name in new[] { "hello", "stream" })
            await Eventually.TrueAsync("the address was published", () => AddressAsync(name), address => address == "gateway.example.com");
        Assert.Null(await AddressAsync("other"));

        var way = new Uri($"http://127.0.0.1:{controller.Port}");
        await using (var caller = await ToolCaller.ConnectAsync(new Uri(way, "/hello/mcp")))
            Assert.Equal("hi", await caller.CallAsync("echo", Hi));
        using var http = new HttpClient();
        foreach (var path in new[] { "/hello", "/hello/mcpx", "/other", "/" })
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(way, path))).StatusCode);

        // What the server has written is there before it writes more.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(way, "/events")) { Headers = { Host = "stream.example.com" } };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Eventually.Limit);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: first at stream.example.com", await lines.ReadLineAsync().WaitAsync(Eventually.Limit));
        streaming.GoOn();
        Assert.Equal("data: second", await lines.ReadLineAsync().WaitAsync(Eventually.Limit));

        await plane.Client.DeleteAsync(Resource.Ingresses, "default", "hello");
        await Eventually.TrueAsync("the route was gone", async () => (await http.GetAsync(new Uri(way, "/hello/mcp"))).StatusCode, code => code == HttpStatusCode.NotFound);

        async Task<string?> AddressAsync(string name) =>
            (string?)(await plane.Client.GetAsync(Resource.Ingresses, "default", name))["status"]?["loadBalancer"]?["ingress"]?[0]?["hostname"];

        async Task ServeAsync(string name, string @class, string? host, string path, int port)
        {
            await plane.Client.CreateAsync($$"""
                apiVersion: v1
                kind: Service
                metadata: {name: {{name}}}
                spec: {ports: [{name: http, port: {{port}}}]}
                """);
            await plane.Client.CreateAsync($$"""
                apiVersion: networking.k8s.io/v1
                kind: Ingress
                metadata: {name: {{name}}}
                spec:
                  ingressClassName: {{@class}}
                  rules:
                  - host: '{{host}}'
                    http:
                      paths:
                      - path: {{path}}
                        pathType: Prefix
                        backend: {service: {name: {{name}}, port: {name: http} } }
                """);
        }
    }

    private static readonly Dictionary<string, object?> Hi = new() { ["text"] = "hi" };

    private static Task<Command> CallAsync(params string[] arguments) =>
        Command.RunAsync("dotnet", [TestProgram.Built("Call", "McpOperator.Call"), .. arguments]);

    /// <summary>Server-sent events: one at once, the next when it may go on.</summary>
    private sealed class StreamingServer : IAsyncDisposable
    {
        private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private WebApplication _app = null!;

        public int Port => new Uri(_app.Urls.First()).Port;

        public static async Task<StreamingServer> StartAsync()
        {
            var server = new StreamingServer();
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            server._app = builder.Build();
            server._app.Urls.Add("http://[::]:0"); // the addresses of Services are 127.77.*
            server._app.MapGet("/events", server.AnswerAsync);
            await server._app.StartAsync();
            return server;
        }

        public void GoOn() => _goOn.TrySetResult();

        public async ValueTask DisposeAsync()
        {
            GoOn();
            await _app.DisposeAsync();
        }

        private async Task AnswerAsync(HttpContext context)
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"data: first at {context.Request.Host}\n");
            await context.Response.Body.FlushAsync();
            await _goOn.Task;
            await context.Response.WriteAsync("data: second\n");
        }
    }
}
