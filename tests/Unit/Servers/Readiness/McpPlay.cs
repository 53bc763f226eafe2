using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <summary>Plays an MCP server. What it is like may be changed at any time.</summary>
public sealed class McpPlay : IAsyncDisposable
{
    public const string Session = "1868a90c-session";

    private readonly McpListener _listener;
    private volatile Stream? _stream;

    public McpPlay() => _listener = new McpListener(AnswerAsync);

    public int Port => _listener.Port;

    public System.Net.IPEndPoint Address => _listener.Address;

    public IReadOnlyList<McpRequest> Requests => _listener.Requests;

    /// <summary>Where it answers.</summary>
    public string Path { get; set; } = "/mcp";

    public string Name { get; set; } = "play";

    public string Version { get; set; } = "1.0.0";

    public string ProtocolVersion { get; set; } = "2025-06-18";

    public IReadOnlyList<string> Tools { get; set; } = ["add", "echo"];

    public int PageSize { get; set; } = 100;

    /// <summary>Streamable HTTP with its answers as events, and not as JSON.</summary>
    public bool IsOfEvents { get; set; }

    /// <summary>HTTP with SSE, as of 2024-11-05: the stream is at <see cref="Path"/>.</summary>
    public bool IsOld { get; set; }

    /// <summary>Where it has messages sent, as it says itself.</summary>
    public string Endpoint { get; set; } = "/messages?sessionId=1";

    /// <summary>What it answers whatever it is asked; 0 for an answer.</summary>
    public int Status { get; set; }

    /// <summary>Whether it answers nothing at all.</summary>
    public bool Hangs { get; set; }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task AnswerAsync(McpRequest request, Stream stream, CancellationToken stop)
    {
        if (Hangs)
            await Task.Delay(Timeout.Infinite, stop);
        if (Status != 0)
            await McpListener.SendAsync(stream, Status, "application/json", """{"error":"as the test has it"}""");
        else if (IsOld)
            await AnswerOldAsync(request, stream, stop);
        else if (request.Path != Path)
            await McpListener.SendAsync(stream, 404, "text/html", "<h1>Not Found</h1>");
        else if (request.Method == "DELETE")
            await McpListener.SendAsync(stream, 204, "", "");
        else if (request.Method != "POST")
            await McpListener.SendAsync(stream, 405, "", "");
        else if (ResponseTo(request) is not { } response)
            await McpListener.SendAsync(stream, 202, "", "");
        else if (IsOfEvents)
            await McpListener.SendAsync(stream, 200, "text/event-stream", $": comment\nevent: message\ndata: {Notification}\n\n{NoMessages}id: 7\r\ndata: {response.ToJsonString()}\r\n\r\n", SessionOf(request));
        else
            await McpListener.SendAsync(stream, 200, "application/json; charset=utf-8", response.ToJsonString(), SessionOf(request));
    }

    private async Task AnswerOldAsync(McpRequest request, Stream stream, CancellationToken stop)
    {
        if (request.Method == "GET" && request.Path == Path)
        {
            _stream = stream;
            await McpListener.BeginAsync(stream, "text/event-stream");
            await stream.WriteAsync(Encoding.UTF8.GetBytes($"event: endpoint\ndata: {Endpoint}\n\n"), stop);
            await Task.Delay(Timeout.Infinite, stop);
        }
        else if (request.Method == "POST" && request.Path.StartsWith("/messages?sessionId=", StringComparison.Ordinal))
        {
            await McpListener.SendAsync(stream, 202, "text/plain", "Accepted");
            if (ResponseTo(request) is { } response)
                await _stream!.WriteAsync(Encoding.UTF8.GetBytes($"{NoMessages}event: message\ndata: {response.ToJsonString()}\n\n"), stop);
        }
        else
        {
            await McpListener.SendAsync(stream, request.Path == Path ? 405 : 404, "text/plain", "no");
        }
    }

    /// <summary>As some servers send to keep a stream open, or to have it resumed.</summary>
    private const string NoMessages = "id: 1\ndata:\n\nevent: ping\ndata: 2026-01-01 00:00\n\n";

    private const string Notification = """{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hello"}}""";

    private static string SessionOf(McpRequest request) => request.Rpc == "initialize" ? $"Mcp-Session-Id: {Session}" : "X-Nothing: 1";

    /// <summary>Null of a notification.</summary>
    private JsonObject? ResponseTo(McpRequest request) => request.Rpc switch
    {
        "initialize" => Result(request, new JsonObject
        {
            ["protocolVersion"] = ProtocolVersion,
            ["capabilities"] = new JsonObject { ["tools"] = new JsonObject(), ["logging"] = new JsonObject() },
            ["serverInfo"] = new JsonObject { ["name"] = Name, ["version"] = Version },
        }),
        "tools/list" => Page(request),
        _ => null,
    };

    private JsonObject Page(McpRequest request)
    {
        var start = int.Parse((string?)request.Json!["params"]?["cursor"] ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        var result = new JsonObject
        {
            ["tools"] = new JsonArray([.. Tools.Skip(start).Take(PageSize).Select(name => new JsonObject { ["name"] = name, ["inputSchema"] = new JsonObject { ["type"] = "object" } })]),
        };
        if (start + PageSize < Tools.Count)
            result["nextCursor"] = $"{start + PageSize}";
        return Result(request, result);
    }

    private static JsonObject Result(McpRequest request, JsonObject result) => new()
    {
        ["jsonrpc"] = "2.0",
        ["id"] = request.Json!["id"]!.DeepClone(),
        ["result"] = result,
    };
}
