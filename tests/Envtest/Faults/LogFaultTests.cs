using System.Net;
using System.Net.Sockets;

namespace McpOperator.Envtest.Faults;

/// <summary>Nobody takes the log: a disk that is full, a reader that hangs.</summary>
public sealed class LogFaultTests(ControlPlaneFixture fixture)
{
    [Theory]
    [InlineData("2>/dev/full", "every write fails, as on a full disk")]
    // Opened for both, so that it has a reader; nobody reads, and after 64 KiB a write blocks.
    [InlineData("2<>log", "a write blocks for ever, as with a collector that hangs")]
    [InlineData("2>&-", "it is closed")]
    public async Task ALogThatNobodyTakesDoesNotKeepServersFromBeingReconciled(string redirection, string why)
    {
        fixture.RequireOwn("a kubeconfig of a user of its own");
        await Isolation.RequireAsync("test -e /dev/full && command -v mkfifo", why);
        var directory = Directory.CreateTempSubdirectory("log-");
        var port = FreePort();
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await Command.RunAsync("mkfifo", [Path.Combine(directory.FullName, "log")]);
        var script = await Isolation.ScriptAsync(directory, $"cd {directory.FullName} && exec {OperatorBinary.Find()} \"$@\" {redirection}");
        await using (var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Binary = script,
            Environment = ServerScenario.Permissive,
            Arguments = ["--log-level", "debug", "--health-probe-bind-address", $"127.0.0.1:{port}"],
        }))
        {
            await Eventually.TrueAsync("it listened", () => { Lose(port); return true; });
            // Each of them is a line: more than a pipe and the logger's queue hold together.
            for (var i = 0; i < 3500; i++)
                Lose(port);

            await fixture.Client.CreateAsync(
                "{apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: web}, spec: {image: example.org/web}}", ns.Name);
            await Eventually.TrueAsync(
                "the server was reported",
                () => fixture.Client.GetAsync(Resource.MCPServers, ns.Name, "web"),
                server => server["status"]?["observedGeneration"] is not null);
            using var http = new HttpClient();
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"http://127.0.0.1:{port}/healthz"))).StatusCode);
            Assert.False(process.Exited.IsCompleted);
            Assert.Equal(0, await process.StopAsync());
        }

        directory.Delete(true);
    }

    /// <summary>A client that is gone before it has asked for anything.</summary>
    private static void Lose(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        socket.LingerState = new(true, 0);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
