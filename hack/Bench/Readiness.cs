using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Bench;

/// <summary>
/// What it costs to ask servers with <c>readiness: mcp</c> again and again. Their pods are played: each is at this program's own address, which answers
/// as an MCP server does.
/// </summary>
internal static class Readiness
{
    /// <summary>After its start the operator gives memory back.</summary>
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(20);

    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    /// <param name="steady">For how long nothing else happens.</param>
    /// <returns>For people.</returns>
    public static async Task<string> RunAsync(int servers, TimeSpan steady)
    {
        await using var arena = await Arena.StartAsync();
        using var answers = new Answers();
        await arena.Fleet.CreateAsync(servers, edit: spec =>
        {
            spec["readiness"] = "mcp";
            spec["port"] = answers.Port;
        });
        await using var first = await OperatorRun.StartAsync(arena.ControlPlane);
        await first.UntilReadyzAsync();
        await arena.SettleAsync(first, mark: 0, "all objects were there", () => arena.Fleet.UnconvergedAsync());
        await Progress.DuringAsync(Parallel.ForEachAsync(arena.Fleet.Servers, AtOnce, async (server, _) => await CreatePodAsync(arena.Client, server)), () => "creating pods");
        await Kubelet.ServeAllAsync(arena.Client, null);
        await arena.SettleAsync(first, mark: 0, "all servers were ready", () => arena.Fleet.UnconvergedAsync("Ready"));
        await first.StopAsync();

        // They have all answered at about the same time, and are due together in ten minutes. The next operator spreads them from the beginning.
        await using var run = await OperatorRun.StartAsync(arena.ControlPlane);
        await run.UntilReadyzAsync();
        await Task.Delay(Warm);

        var (before, mark, began) = (run.Sample(), await arena.Requests.CatchUpAsync(), DateTimeOffset.UtcNow);
        answers.Restart();
        await Progress.DuringAsync(Task.Delay(steady), () => $"{servers} servers are asked: {answers.Asked.Count} so far");
        var (after, seconds) = (run.Sample(), (DateTimeOffset.UtcNow - began).TotalSeconds);
        await arena.Requests.CatchUpAsync();
        var requests = arena.Requests.Of(run.User, mark).ToList();
        var perTenth = answers.Asked.GroupBy(at => Math.Min(9, (int)((at - began).TotalSeconds * 10 / seconds))).ToDictionary(tenth => tenth.Key, tenth => tenth.Count());
        await run.StopAsync();
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
            {servers} servers with readiness mcp, {seconds:0} s of nothing else:
              CPU              {(after.CpuSeconds - before.CpuSeconds) / seconds:0.00%} of a core
              private memory   {before.Private / 1048576.0:0.0} MB, then {after.Private / 1048576.0:0.0} MB
              asked            {answers.Asked.Count} times, in tenths of that time between {Enumerable.Range(0, 10).Min(tenth => perTenth.GetValueOrDefault(tenth))} and {Enumerable.Range(0, 10).Max(tenth => perTenth.GetValueOrDefault(tenth))}
              requests         {requests.Count} of the API server, {requests.Count(request => request.IsWrite)} of them writes
            """);
    }

    private static async Task CreatePodAsync(KubeClient client, Server server)
    {
        var pod = $"{server.Name}-1-a";
        await client.CreateAsync(
            $$"""
            apiVersion: v1
            kind: Pod
            metadata:
              name: {{pod}}
              labels: {app: {{server.Name}}, app.kubernetes.io/managed-by: mcp-runtime, mcpruntime.org/rollout-track: stable, pod-template-hash: '1'}
              ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: {{server.Name}}-1, uid: {{Guid.NewGuid()}}, controller: true}]
            spec: {automountServiceAccountToken: false, containers: [{name: c, image: c}]}
            """,
            server.Namespace);
        await client.PatchStatusAsync(Resource.Pods, server.Namespace, pod, new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = "127.0.0.1",
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = "127.0.0.1" }),
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
        });
    }

    /// <summary>An MCP server without sessions, by hand: it shares two cores with what is measured.</summary>
    private sealed class Answers : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Answers()
        {
            _listener.Start(backlog: 512);
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _ = AcceptAsync();
        }

        public int Port { get; }

        /// <summary>When initialize was asked.</summary>
        public ConcurrentBag<DateTimeOffset> Asked { get; private set; } = [];

        public void Restart() => Asked = [];

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                    _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Disposed.
            }
        }

        private async Task AnswerAsync(TcpClient client)
        {
            using (client)
            {
                var (stream, buffer, length) = (client.GetStream(), new byte[8192], 0);
                try
                {
                    while (await stream.ReadAsync(buffer.AsMemory(length)) is var read and > 0)
                    {
                        length += read;
                        var text = Encoding.ASCII.GetString(buffer, 0, length);
                        if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is not (var head and >= 0) || length < head + 4 + LengthOf(text[..head]))
                            continue;
                        length = 0;
                        await stream.WriteAsync(Encoding.ASCII.GetBytes(ResponseTo(text[(head + 4)..])));
                    }
                }
                catch (IOException)
                {
                    // Whoever asks need not wait for the end.
                }
            }
        }

        private static int LengthOf(string head)
        {
            const string Name = "content-length:";
            var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
            return at < 0 ? 0 : int.Parse(head[(at + Name.Length)..].Split('\r')[0].Trim(), System.Globalization.CultureInfo.InvariantCulture);
        }

        private string ResponseTo(string body)
        {
            if (body.Contains("notifications/", StringComparison.Ordinal))
                return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
            var id = JsonNode.Parse(body)!["id"]!.ToJsonString();
            var isFirst = body.Contains("\"initialize\"", StringComparison.Ordinal);
            if (isFirst)
                Asked.Add(DateTimeOffset.UtcNow);
            var result = isFirst
                ? """{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"""
                : """{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}""";
            var answer = $$"""{"jsonrpc":"2.0","id":{{id}},"result":{{result}}}""";
            return $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {answer.Length}\r\n\r\n{answer}";
        }
    }
}
