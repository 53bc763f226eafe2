using System.Net;
using System.Net.Sockets;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpOperator.Testing;

/// <summary>Why a call did not succeed, in one line for a person.</summary>
public sealed class CallException(string message, HttpStatusCode? status = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What HTTP said, when that was it.</summary>
    public HttpStatusCode? Status { get; } = status;
}

/// <summary>A session of the official SDK's client with an MCP server. Throws <see cref="CallException"/> for whatever goes wrong.</summary>
public sealed class ToolCaller : IAsyncDisposable
{
    private readonly McpClient _client;
    private readonly HttpClient _http;
    private readonly Uri _url;
    private readonly RefusalReader _refusals;

    private ToolCaller(McpClient client, HttpClient http, Uri url, RefusalReader refusals)
    {
        _url = url;
        _client = client;
        _http = http;
        _refusals = refusals;
    }

    /// <summary>Does the handshake (<c>initialize</c>).</summary>
    /// <param name="headers">For each request: who calls, say.</param>
    /// <param name="connectTo">Where the URL's host is to be found, if not by its name; port 0 is that of the URL.</param>
    public static async Task<ToolCaller> ConnectAsync(
        Uri url, IReadOnlyDictionary<string, string>? headers = null, IPEndPoint? connectTo = null, CancellationToken cancellation = default)
    {
        var sockets = new SocketsHttpHandler();
        if (connectTo is not null)
            sockets.ConnectCallback = (context, stop) => ConnectAsync(new(connectTo.Address, connectTo.Port == 0 ? context.DnsEndPoint.Port : connectTo.Port), stop);
        var refusals = new RefusalReader(sockets);
        var http = new HttpClient(refusals);
        foreach (var (name, value) in headers ?? new Dictionary<string, string>())
            http.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        var transport = new HttpClientTransport(
            new() { Endpoint = url, TransportMode = HttpTransportMode.StreamableHttp, EnableStandaloneGetStream = false }, http);
        try
        {
            return new(await Explained(url, refusals, () => McpClient.CreateAsync(transport, cancellationToken: cancellation)), http, url, refusals);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <summary>Name and version, as the server says them.</summary>
    public string Server => _client.ServerInfo is { } server ? $"{server.Name} {server.Version}" : "";

    public async Task<IReadOnlyList<(string Name, string Description)>> ListAsync(CancellationToken cancellation = default) =>
        await Explained(_url, _refusals, async () =>
            (await _client.ListToolsAsync(cancellationToken: cancellation)).Select(tool => (tool.Name, tool.Description)).ToList());

    /// <summary>The text of the answer.</summary>
    public async Task<string> CallAsync(string tool, IReadOnlyDictionary<string, object?>? arguments = null, CancellationToken cancellation = default)
    {
        var result = await Explained(_url, _refusals, async () => await _client.CallToolAsync(tool, arguments, cancellationToken: cancellation));
        var text = string.Join('\n', result.Content.Select(block => block is TextContentBlock { Text: var line } ? line : $"({block.Type})"));
        return result.IsError == true ? throw new CallException($"the tool {tool} failed: {text}") : text;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _http.Dispose();
    }

    private static async ValueTask<Stream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<T> Explained<T>(Uri url, RefusalReader refusals, Func<Task<T>> action)
    {
        refusals.Last = null;
        try
        {
            return await action();
        }
        catch (Exception e) when (refusals.Last is { } refusal && e is not OperationCanceledException)
        {
            throw new CallException($"{url}: {refusal.Text}", refusal.Status, e);
        }
        catch (HttpRequestException e)
        {
            throw new CallException($"{url}: {(e.InnerException ?? e).Message}", e.StatusCode, e);
        }
        catch (Exception e) when (e is McpException or IOException or InvalidOperationException or TimeoutException)
        {
            throw new CallException(e.Message.ReplaceLineEndings(" "), null, e);
        }
    }

    /// <summary>Keeps what came with an HTTP error: the SDK's exceptions do not have all of it.</summary>
    private sealed class RefusalReader(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public (HttpStatusCode Status, string Text)? Last { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode && request.Method == HttpMethod.Post)
            {
                await response.Content.LoadIntoBufferAsync(cancellationToken);
                var body = (await response.Content.ReadAsStringAsync(cancellationToken)).ReplaceLineEndings(" ").Trim();
                Last = (response.StatusCode, $"{(int)response.StatusCode} {response.ReasonPhrase}{(body.Length > 0 ? $": {body}" : "")}");
            }
            return response;
        }
    }
}
