using System.Net;
using System.Text;
using McpOperator.Api;
using McpOperator.Mirror;
using McpOperator.Servers.Readiness;
using McpOperator.Testing;
using McpOperator.Unit.Controller;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Servers.Readiness;

public sealed class McpProbeTests
{
    private const string Initialize = """{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"n","version":"1"}}}""";

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AsksAsAClientDoes(bool isOfEvents)
    {
        await using var server = new McpPlay { Path = "/demo/mcp", IsOfEvents = isOfEvents, Version = "2.1.0" };

        var answer = await AskAsync(server.Address, "/demo/mcp");

        Assert.Equal(Reasons.McpAnswered, answer.Reason);
        Assert.Equal(new McpInfo { Name = "play", Version = "2.1.0", ProtocolVersion = "2025-06-18", Capabilities = ["logging", "tools"], Tools = 2 }, answer.Info);
        Assert.Equal(["add", "echo"], answer.Tools!.Names!);
        Assert.Equal(new McpWay("/demo/mcp", IsEventStream: false), answer.Way);
        Assert.Equal(
            ["POST /demo/mcp initialize", "POST /demo/mcp notifications/initialized", "POST /demo/mcp tools/list", "DELETE /demo/mcp"],
            server.Requests.Select(request => request.ToString()));
        var (first, others) = (server.Requests[0], server.Requests.Skip(1));
        Assert.Equal("application/json, text/event-stream", first.Headers["accept"]);
        Assert.Equal("application/json", first.Headers["content-type"]);
        Assert.Equal("""{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"asker","version":"9"}}""", first.Json!["params"]!.ToJsonString());
        Assert.All(others, request => Assert.Equal((McpPlay.Session, "2025-06-18"), (request.Headers["mcp-session-id"], request.Headers["mcp-protocol-version"])));
        // Nothing that tells who it is, or lets it in.
        Assert.All(server.Requests, request => Assert.Empty(request.Headers.Keys.Except(
            ["host", "accept", "user-agent", "content-type", "content-length", "mcp-session-id", "mcp-protocol-version"])));
    }

    [Fact]
    public async Task ListsAllPagesOfTools()
    {
        await using var server = new McpPlay { Tools = [.. Enumerable.Range(0, 25).Select(i => $"t{i:d2}")], PageSize = 10 };

        var answer = await AskAsync(server.Address);

        Assert.Equal((25, 3), (answer.Info!.Tools, server.Requests.Count(request => request.Rpc == "tools/list")));
        Assert.Equal(server.Tools, answer.Tools!.Names!);
    }

    [Theory]
    [InlineData(1, 25, "has more than 20 pages")]
    [InlineData(5000, 2000, "lists more than 1024 tools, or 16384 characters of their names")]
    public async Task AListWithoutEndIsNoList(int pageSize, int count, string why)
    {
        await using var server = new McpPlay { Tools = [.. Enumerable.Range(0, count).Select(i => $"t{i:d4}")], PageSize = pageSize };

        var answer = await AskAsync(server.Address);

        Assert.Equal((Reasons.McpAnswered, null), (answer.Reason, answer.Info!.Tools));
        Assert.Equal(new McpTools(null, Reasons.ToolsNotListed, $"not compared, since tools/list {why}"), answer.Tools);
    }

    [Theory]
    [InlineData("/demo/mcp", "/sse", "POST /demo/mcp initialize", "POST /mcp initialize", "GET /demo/mcp", "GET /sse")]
    [InlineData("/demo/mcp", "/demo/mcp", "POST /demo/mcp initialize", "POST /mcp initialize", "GET /demo/mcp")]
    [InlineData("/mcp", "/sse", "POST /mcp initialize", "GET /mcp", "GET /sse")]
    public async Task FallsBackToTheOldTransport(string expected, string actual, params string[] requests)
    {
        await using var server = new McpPlay { IsOld = true, Path = actual, ProtocolVersion = "2024-11-05" };

        var answer = await AskAsync(server.Address, expected);

        Assert.Equal((Reasons.McpAnswered, "2024-11-05", 2), (answer.Reason, answer.Info!.ProtocolVersion, answer.Info.Tools));
        Assert.Equal(requests, server.Requests.Take(requests.Length).Select(request => request.ToString()));
        Assert.All(server.Requests.Skip(requests.Length), request => Assert.StartsWith("POST /messages?sessionId=", request.ToString(), StringComparison.Ordinal));

        // And remembers it.
        var before = server.Requests.Count;
        Assert.Equal(Reasons.McpAnswered, (await AskAsync(server.Address, expected, answer.Way)).Reason);
        Assert.Equal($"GET {actual}", server.Requests[before].ToString());
    }

    [Fact]
    public async Task TriesTheUsualPathWhereTheOtherIsNotFoundAndRemembersIt()
    {
        await using var server = new McpPlay { Path = "/mcp" };

        var answer = await AskAsync(server.Address, "/demo/mcp");
        var again = await AskAsync(server.Address, "/demo/mcp", answer.Way);

        Assert.Equal(new McpWay("/mcp", IsEventStream: false), answer.Way);
        Assert.Equal(["/demo/mcp", "/mcp"], server.Requests.Where(request => request.Rpc == "initialize").Select(request => request.Path).Take(2));
        Assert.Equal(3, server.Requests.Count(request => request.Rpc == "initialize"));
        Assert.Equal(answer.Way, again.Way);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task AServerThatWantsToKnowWhoAsksHasAnswered(int status)
    {
        await using var server = new McpPlay { Status = status };

        var answer = await AskAsync(server.Address);

        Assert.True(answer.IsAnswer);
        Assert.Equal((Reasons.AuthRequired, new McpInfo()), (answer.Reason, answer.Info));
        Assert.Equal(Reasons.AuthRequired, answer.Tools!.Reason);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(500, Reasons.McpNotAnswering, "answered 500 (as the test has it)", 1)]
    [InlineData(503, Reasons.McpNotAnswering, "answered 503 (as the test has it)", 1)]
    [InlineData(429, Reasons.McpNotAnswering, "answered 429 (as the test has it)", 1)]
    // At each of the places where it could be.
    [InlineData(400, Reasons.McpProtocolError, "answered 400 (as the test has it)", 4)]
    [InlineData(404, Reasons.McpProtocolError, "answered 404 (as the test has it)", 4)]
    public async Task ARefusalIsTold(int status, string reason, string detail, int requests)
    {
        await using var server = new McpPlay { Status = status };

        var answer = await AskAsync(server.Address, "/a b/mcp?x");

        Assert.Equal((reason, detail), (answer.Reason, answer.Detail));
        Assert.Equal($"POST http://127.0.0.1:{server.Port}/a%20b/mcp%3Fx", answer.Asked);
        Assert.Equal(requests, server.Requests.Count);
    }

    [Fact]
    public async Task ARedirectIsNotFollowed()
    {
        await using var other = new McpPlay();
        await using var server = new McpListener((_, stream, _) => McpListener.SendAsync(stream, 307, "", "", $"Location: http://user:secret@127.0.0.1:{other.Port}/mcp?token=x"));

        var answer = await AskAsync(server.Address);

        Assert.Equal(Reasons.McpProtocolError, answer.Reason);
        Assert.Equal($"answered 307, to http://…@127.0.0.1:{other.Port}/mcp?…, and redirects are not followed", answer.Detail);
        Assert.Empty(other.Requests);
    }

    [Theory]
    [InlineData("text/html", "<h1>It works!</h1>", "answered 200 with text/html, and MCP is application/json or text/event-stream")]
    [InlineData("", "", "answered 200 with no content, and MCP is application/json or text/event-stream")]
    [InlineData("application/json", "<h1>", "answered what is no JSON")]
    [InlineData("application/json", "", "answered what is no JSON")]
    [InlineData("application/json", "[]", "answered JSON that is no message of JSON-RPC 2.0")]
    [InlineData("application/json", "{\"ok\":true}", "answered JSON that is no message of JSON-RPC 2.0")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}", "answered another message than the response")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}", "answered a response without a result")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":\"out\\nof \\u202eorder\"}}", "answered with the error -32603: out of order")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700}}", "answered with the error -32700")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}}", "answered initialize without serverInfo.name")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"serverInfo\":{\"name\":\"n\"}}}", "answered initialize without capabilities")]
    [InlineData("application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"serverInfo\":{\"name\":\"\\ud800\"}}}", "answered text that is no Unicode")]
    [InlineData("text/event-stream", "data: {}\n\n", "answered JSON that is no message of JSON-RPC 2.0")]
    [InlineData("text/event-stream", "", "ended its stream of events before the response")]
    [InlineData("text/event-stream", "data: " + Initialize + "\n", "ended its stream of events before the response")]
    public async Task WhatIsNoMcpIsTold(string type, string body, string detail)
    {
        await using var server = new McpListener((_, stream, _) => McpListener.SendAsync(stream, 200, type, body));

        var answer = await AskAsync(server.Address);

        Assert.Equal((Reasons.McpProtocolError, detail), (answer.Reason, answer.Detail));
    }

    [Fact]
    public async Task InvalidUtf8IsTold()
    {
        await using var server = new McpListener((_, stream, _) =>
            McpListener.SendAsync(stream, 200, "application/json", [.. Encoding.UTF8.GetBytes(Initialize[..^3]), 0xC3, 0x28, .. "\"}}}"u8]));

        Assert.Equal((Reasons.McpProtocolError, "answered what is not UTF-8"), Told(await AskAsync(server.Address)));
    }

    [Theory]
    [InlineData("2024-11-05", true)]
    [InlineData("2031-12-31", true)]
    [InlineData("2025-13-01", false)]
    [InlineData("1.0", false)]
    [InlineData("", false)]
    public async Task AnyDateIsAVersionOfTheProtocol(string version, bool isOne)
    {
        await using var server = new McpPlay { ProtocolVersion = version };

        var answer = await AskAsync(server.Address);

        Assert.Equal(isOne ? Reasons.McpAnswered : Reasons.ProtocolMismatch, answer.Reason);
        Assert.Equal(isOne ? "" : $"answered with protocol version \"{version}\", which is none", answer.Detail);
    }

    [Fact]
    public async Task AServerThatRefusesTheVersionSaysWhichItHas()
    {
        await using var server = new McpListener((_, stream, _) => McpListener.SendAsync(
            stream, 200, "application/json", """{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unsupported protocol version","data":{"supported":["2031-01-01"]}}}"""));

        Assert.Equal((Reasons.ProtocolMismatch, "refuses protocol version 2025-06-18 and offers 2031-01-01"), Told(await AskAsync(server.Address)));
    }

    [Fact]
    public async Task ItsTextsAreCleanedAndCut()
    {
        await using var server = new McpPlay { Name = "a\n\u202eb" + new string('x', 5000), Version = "https://u:p@h/?q" };

        var info = (await AskAsync(server.Address)).Info!;

        Assert.StartsWith("a bxxx", info.Name, StringComparison.Ordinal);
        Assert.InRange(info.Name!.Length, 100, 301);
        Assert.Equal("https://…@h/?…", info.Version);
    }

    [Fact]
    public async Task NobodyListensThere()
    {
        IPEndPoint address;
        await using (var server = new McpPlay())
            address = server.Address;

        Assert.Equal((Reasons.McpNotAnswering, "was not answered: Connection refused"), Told(await AskAsync(address)));
    }

    [Fact]
    public async Task WhatIsNotHttpIsTold()
    {
        await using var server = new McpListener(async (_, stream, _) => await stream.WriteAsync("SSH-2.0-OpenSSH_9.2\r\n\r\n"u8.ToArray(), Stop));

        var (reason, detail) = Told(await AskAsync(server.Address));

        Assert.Equal(Reasons.McpProtocolError, reason);
        Assert.StartsWith("answered what is not HTTP: ", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", "[", "sent a message of more than 256 KiB")]
    [InlineData("text/event-stream", "data: x", "sent a message of more than 256 KiB")]
    [InlineData("text/event-stream", "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", "sent a message of more than 256 KiB")]
    [InlineData("text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n", "sent more than 1024 KiB")]
    [InlineData("text/event-stream", "\n", "sent more than 1024 KiB")]
    public async Task NoMoreIsReadThanAServerMaySend(string type, string unit, string detail)
    {
        var sent = 0L;
        await using var server = new McpListener(async (_, stream, stop) =>
        {
            await McpListener.BeginAsync(stream, type);
            var piece = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(unit, 64 * 1024 / unit.Length)));
            while (true)
            {
                await stream.WriteAsync(piece, stop);
                Interlocked.Add(ref sent, piece.Length);
            }
        });

        Assert.Equal((Reasons.McpProtocolError, detail), Told(await AskAsync(server.Address)));
        // And what fits into the buffers of both sides.
        Assert.InRange(Interlocked.Read(ref sent), 0, 32 * 1024 * 1024);
    }

    /// <summary>Eight servers at a time must not fill the operator's memory, whatever they make of what they may send.</summary>
    [Fact]
    public void WhatIsReadTakesLittleMoreThanItsLength()
    {
        var list = Encoding.UTF8.GetBytes($$"""{"jsonrpc":"2.0","id":1,"result":{"tools":[{"x":[{{string.Join(',', Enumerable.Repeat("0", 120_000))}}],"name":"a"}]} }""");
        var info = Encoding.UTF8.GetBytes($$"""{"jsonrpc":"2.0","id":1,"result":{"x":[{{string.Join(',', Enumerable.Repeat("0", 120_000))}}]} }""");
        var names = new ToolNames();
        Assert.True(JsonRpc.Read(list, 1, result => names.Read(result)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        JsonRpc.Read(list, 1, result => names.Read(result));
        var fault = Assert.Throws<McpFault>(() => JsonRpc.Read(info, 1, static json => JsonRpc.Parse(json).Dispose()));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        Assert.Equal("answered 234 KiB where 64 are enough", fault.Message);
        Assert.Equal(["a", "a"], names.InOrder());
    }

    [Theory]
    [InlineData("data: a\n\n", "message=a")]
    [InlineData("\ufeff: comment\r\nevent: x\r\ndata:a\r\ndata: b\r\ndata\r\n\r\ndata: c\n\n", "x=a|b|", "message=c")]
    [InlineData("\ufeffevent: x\ndata: \ufeffa\n\n\ufeffdata: b\n\n", "x=\ufeffa")]
    [InlineData("data: a\r\rdata: b\r\r", "message=a", "message=b")]
    [InlineData("event: x\n\ndata: a\n\ndatum: b\n\ndata: cut\n", "message=a")]
    public async Task EventsAreReadWhereverTheirStreamIsCut(string text, params string[] expected)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var size = 1; size <= bytes.Length; size++)
        {
            using var events = new EventReader(new Pieces(bytes, size), new ByteAllowance());
            var read = new List<string>();
            while (await events.ReadAsync(Stop) is { Name: var name, Data: var data })
                read.Add($"{name}={Encoding.UTF8.GetString(data.Span).Replace('\n', '|')}");
            Assert.Equal(expected, read);
        }
    }

    [Fact]
    public void AnAddressOfIPv6IsInBrackets()
    {
        using var http = new McpHttp(new IPEndPoint(IPAddress.Parse("fd00::7"), 8088), new McpClient("asker", "9"));

        Assert.Equal("http://[fd00::7]:8088/mcp", http.UriOf("/mcp").AbsoluteUri);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("comments")]
    [InlineData("half a message")]
    [InlineData("a header without end")]
    public async Task WhoHangsIsLeftAfterItsTime(string how)
    {
        var isReached = new TaskCompletionSource();
        await using var server = new McpListener(async (_, stream, stop) =>
        {
            if (how == "a header without end")
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nX-Slow: "u8.ToArray(), stop);
            else if (how == "comments")
                await McpListener.BeginAsync(stream, "text/event-stream");
            else if (how == "half a message")
                await McpListener.BeginAsync(stream, "application/json");
            for (var i = 0; how != "nothing" && i < 20; i++)
                await stream.WriteAsync(how == "comments" ? ": ping\n\n"u8.ToArray() : " "u8.ToArray(), stop);
            isReached.TrySetResult();
            await Task.Delay(Timeout.Infinite, stop);
        });

        var asking = AskAsync(server.Address);
        await isReached.Task.WaitAsync(Limit.OfATest, Stop);
        _time.Advance(McpProbe.Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(asking.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal((Reasons.McpNotAnswering, "was not answered within 5 s"), Told(await asking));
    }

    [Fact]
    public async Task WhoHangsAfterInitializeHasAnswered()
    {
        var isReached = new TaskCompletionSource();
        await using var server = new McpListener(async (request, stream, stop) =>
        {
            if (request.Rpc == "initialize")
            {
                await McpListener.SendAsync(stream, 200, "application/json", Initialize);
                return;
            }

            isReached.TrySetResult();
            await Task.Delay(Timeout.Infinite, stop);
        });

        var asking = AskAsync(server.Address);
        await isReached.Task.WaitAsync(Limit.OfATest, Stop);
        _time.Advance(McpProbe.Limit);

        Assert.Equal((Reasons.McpAnswered, "n", null), ((await asking).Reason, (await asking).Info!.Name, (await asking).Info!.Tools));
        Assert.Equal("not compared, since tools/list was not answered in time", (await asking).Tools!.Message);
    }

    /// <summary>Else a server that is asked without end would be left with as many.</summary>
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"not today"}}""", "answered with the error -32602: not today")]
    [InlineData("no JSON", "answered what is no JSON")]
    public async Task TheSessionOfWhoRefusesIsEnded(string body, string told)
    {
        await using var server = new McpListener((request, stream, _) => request.Method == "DELETE"
            ? McpListener.SendAsync(stream, 204, "", "")
            : McpListener.SendAsync(stream, 200, "application/json", body, "Mcp-Session-Id: s-1"));

        Assert.Equal((Reasons.McpProtocolError, told), Told(await AskAsync(server.Address)));
        Assert.Equal([("POST", null), ("DELETE", "s-1")], server.Requests.Select(request => (request.Method, request.Headers.GetValueOrDefault("mcp-session-id"))));
    }

    /// <summary>A server may name the address at which clients find it. The operator goes to the pod all the same, and to nobody else.</summary>
    [Theory]
    [InlineData("https://mcp.example.org/messages?sessionId=1")]
    [InlineData("//user:secret@127.0.0.1:PORT/messages?sessionId=1")]
    [InlineData("http://127.0.0.1:PORT/messages?sessionId=1#x")]
    [InlineData("messages?sessionId=1")]
    public async Task AnEndpointElsewhereIsTakenForThePodsOwn(string endpoint)
    {
        await using var other = new McpPlay();
        await using var server = new McpPlay { IsOld = true, Path = "/sse", Endpoint = endpoint.Replace("PORT", $"{other.Port}", StringComparison.Ordinal) };

        var answer = await AskAsync(server.Address, "/sse");

        Assert.Equal((Reasons.McpAnswered, "play"), (answer.Reason, answer.Info?.Name));
        Assert.Empty(other.Requests);
        Assert.All(server.Requests.Where(request => request.Rpc.Length > 0 && request.Path != "/sse" && request.Path != "/mcp"), request => Assert.Equal("/messages?sessionId=1", request.Path));
        Assert.DoesNotContain("secret", string.Join(' ', server.Requests.SelectMany(request => request.Headers.Values)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mailto:a@example.org")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://[")]
    public async Task AnEndpointThatIsNoUrlIsAFault(string endpoint)
    {
        await using var server = new McpPlay { IsOld = true, Path = "/sse", Endpoint = endpoint };

        Assert.Equal(
            (Reasons.McpProtocolError, "names an endpoint that is no URL"), Told(await AskAsync(server.Address, "/sse", new McpWay("/sse", IsEventStream: true))));
    }

    /// <summary>A streamable server may open a stream for a GET, and say nothing on it.</summary>
    [Fact]
    public async Task AStreamWithoutAnEndpointIsNotWaitedForForEver()
    {
        var gets = 0;
        var isReached = new SemaphoreSlim(0);
        await using var server = new McpListener(async (request, stream, stop) =>
        {
            if (request.Method == "POST")
            {
                await McpListener.SendAsync(stream, 400, "application/json", """{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request"}}""");
                return;
            }

            gets++;
            await McpListener.BeginAsync(stream, "text/event-stream");
            isReached.Release();
            await Task.Delay(Timeout.Infinite, stop);
        });

        var asking = AskAsync(server.Address, "/mcp");
        await isReached.WaitAsync(Limit.OfATest, Stop);
        _time.Advance(TimeSpan.FromSeconds(2));
        await isReached.WaitAsync(Limit.OfATest, Stop);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal((Reasons.McpProtocolError, "answered 400 (Bad Request)"), Told(await asking));
        Assert.Equal(2, gets);
    }

    [Fact]
    public async Task WhoeverIsStoppedHasNoAnswer()
    {
        await using var server = new McpPlay { Hangs = true };
        using var stop = new CancellationTokenSource();

        var asking = Probe.AskAsync(server.Address, "/mcp", way: null, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    private McpProbe Probe => new(new McpClient("asker", "9"), _time);

    private Task<McpAnswer> AskAsync(IPEndPoint server, string path = "/mcp", McpWay? way = null) =>
        Probe.AskAsync(server, path, way, Stop).WaitAsync(Limit.OfATest, Stop);

    private static (string Reason, string Detail) Told(McpAnswer answer) => (answer.Reason, answer.Detail);

    /// <summary>A stream that gives so many bytes at a time.</summary>
    private sealed class Pieces(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
