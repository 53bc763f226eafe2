using System.Net;
using System.Net.Sockets;

namespace McpOperator.Envtest.Faults;

/// <summary>The wire between an operator and a server: carries bytes, until it is told to lose them.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _target;
    private readonly Lock _lock = new();
    private readonly List<Pair> _open = [];
    private readonly Task _accepting;
    private int _accepted;
    private long _received;

    public TcpRelay(IPEndPoint target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Bytes that the server sent, encrypted, over all connections so far.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Ends every open connection with RST, as a load balancer does that was restarted.</summary>
    public void Reset() => ForEach(pair => pair.Reset());

    /// <summary>
    /// From now on nothing comes through the open connections in either direction, and neither side is told: a firewall
    /// that has forgotten them, a machine without power. New connections are carried.
    /// </summary>
    public void Forget() => ForEach(pair => pair.IsForgotten = true);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        Reset();
    }

    private void ForEach(Action<Pair> act)
    {
        lock (_lock)
            _open.ForEach(act);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync();
            }
            catch (SocketException)
            {
                return; // stopped
            }

            Interlocked.Increment(ref _accepted);
            var pair = new Pair(client, new(SocketType.Stream, ProtocolType.Tcp), count => Interlocked.Add(ref _received, count));
            lock (_lock)
                _open.Add(pair);
            _ = CarryAsync(pair);
        }
    }

    private async Task CarryAsync(Pair pair)
    {
        await pair.CarryAsync(_target);
        lock (_lock)
            _open.Remove(pair);
    }

    private sealed class Pair(Socket client, Socket server, Action<int> onReceived)
    {
        private volatile bool _isForgotten;

        public bool IsForgotten
        {
            get => _isForgotten;
            set => _isForgotten = value;
        }

        public void Reset()
        {
            foreach (var socket in (Socket[])[client, server])
            {
                try
                {
                    // Zero: the kernel throws away what it holds and sends RST (socket(7), SO_LINGER).
                    socket.LingerState = new(true, 0);
                    socket.Close();
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // The other half's end has closed it, or it was not connected yet.
                }
            }
        }

        public async Task CarryAsync(IPEndPoint target)
        {
            try
            {
                client.NoDelay = server.NoDelay = true;
                await server.ConnectAsync(target);
                await Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client)).Unwrap();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // One of them has gone, and takes the other along.
            }
            finally
            {
                client.Dispose();
                server.Dispose();
            }
        }

        /// <summary>Until either end closes. What is forgotten is read, so that the kernel acknowledges it, and dropped.</summary>
        private async Task CopyAsync(Socket from, Socket to)
        {
            var buffer = new byte[64 * 1024];
            while (await from.ReceiveAsync(buffer) is var length and > 0)
            {
                if (from == server)
                    onReceived(length);
                for (var sent = 0; sent < length && !IsForgotten;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent));
            }
        }
    }
}
