using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpOperator.Unit.Kubernetes;

/// <summary>An HTTP proxy that knows CONNECT alone, and leads to one server whoever is asked for.</summary>
internal sealed class ConnectProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _target;
    private readonly Task _serving;

    public ConnectProxy(Uri target)
    {
        _target = target;
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The first lines of what was asked, with the password that came along.</summary>
    public List<string> Requests { get; } = [];

    public bool WantsPassword { get; init; }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(ServeAsync(await _listener.AcceptTcpClientAsync()));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped. What is still open ends with the connections of the test.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var near = client.GetStream();
                while (true)
                {
                    var head = await HeadAsync(near);
                    var password = head.FirstOrDefault(line => line.StartsWith("Proxy-Authorization:", StringComparison.OrdinalIgnoreCase));
                    lock (Requests)
                        Requests.Add(password is null ? head[0] : $"{head[0]} {password.Split(':')[1].Trim()}");
                    if (password is not null || !WantsPassword)
                        break;
                    await near.WriteAsync("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
                }

                using var server = new TcpClient();
                await server.ConnectAsync(_target.Host, _target.Port);
                await near.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
                var far = server.GetStream();
                await Task.WhenAny(near.CopyToAsync(far), far.CopyToAsync(near));
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // The other side is gone.
            }
        }
    }

    private static async Task<string[]> HeadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one);
            text.Append((char)one[0]);
        }
        return text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }
}
