using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <param name="Path">With its query.</param>
/// <param name="Headers">By their names in lower case.</param>
public sealed record McpRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonNode? Json => Body.Length == 0 ? null : JsonNode.Parse(Body);

    /// <summary>Of the message; empty without one.</summary>
    public string Rpc => (string?)Json?["method"] ?? "";

    public override string ToString() => $"{Method} {Path} {Rpc}".TrimEnd();
}

/// <summary>
/// HTTP by hand, so that a test can break every rule of it: a listener on a loopback port of the kernel's choice, whose answers a test writes itself.
/// </summary>
public sealed class McpListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<McpRequest, Stream, CancellationToken, Task> _answer;
    private readonly List<McpRequest> _requests = [];
    private readonly Task _running;

    /// <param name="answer">Writes the answer, or hangs. A connection that it closes is closed.</param>
    public McpListener(Func<McpRequest, Stream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _running = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    public int Port => Address.Port;

    public IReadOnlyList<McpRequest> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public static Task SendAsync(Stream stream, int status, string type, string body, params string[] headers) =>
        SendAsync(stream, status, type, Encoding.UTF8.GetBytes(body), headers);

    public static async Task SendAsync(Stream stream, int status, string type, byte[] body, params string[] headers)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Status\r\nContent-Length: {body.Length}\r\n");
        if (type.Length > 0)
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: {type}\r\n");
        foreach (var header in headers)
            head.Append(header).Append("\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()));
        await stream.WriteAsync(body);
    }

    /// <summary>The head of a body that ends with the connection.</summary>
    public static Task BeginAsync(Stream stream, string type, params string[] headers) => stream.WriteAsync(Encoding.UTF8.GetBytes(
        $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {type}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n")).AsTask();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _running;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        await Task.Yield();
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                while (await ReadAsync(stream) is { } request)
                {
                    lock (_requests)
                        _requests.Add(request);
                    await _answer(request, stream, _stop.Token);
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The other side has gone, or the test is over.
            }
        }
    }

    private async Task<McpRequest?> ReadAsync(NetworkStream stream)
    {
        var (head, one) = (new StringBuilder(), new byte[1]);
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0].ToLowerInvariant(), pair => pair[1].Trim());
        var body = new byte[headers.TryGetValue("content-length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new McpRequest(lines[0].Split(' ')[0], lines[0].Split(' ')[1], headers, Encoding.UTF8.GetString(body));
    }
}
