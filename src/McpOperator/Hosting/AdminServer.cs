using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>
/// Serves probes and metrics: HTTP/1.1, GET and HEAD, one request for each connection. Anyone who reaches the port can connect,
/// so bytes, time and connections are limited.
/// </summary>
/// <remarks>
/// Why not a library. Measured on linux-x64 (.NET 10, Native AOT, OptimizationPreference=Size) in a program that has
/// HttpClient and a console logger already, after 200 requests: no server 6,169,416 bytes; sockets 6,198,376 (+29 kB)
/// and 13.0 MB resident; HttpListener 6,374,160 (+205 kB) and 13.4 MB; Kestrel is several megabytes. HttpListener's
/// price is fair, but it cannot bind to a port of the kernel's choice, and on Linux its time-outs cannot be set.
/// </remarks>
internal sealed class AdminServer : IAsyncDisposable
{
    private const int MaxConnections = 32;

    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener;
    private readonly Func<AdminRequest, AdminResponse?>[] _endpoints;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly LinkedList<Socket> _open = new();
    private Task _accepting = Task.CompletedTask;

    private AdminServer(
        Socket listener, Func<AdminRequest, AdminResponse?>[] endpoints, ILogger logger, TimeProvider time)
    {
        _listener = listener;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _endpoints = endpoints;
        _logger = logger;
        _time = time;
    }

    /// <summary>Where it listens, with the port that the kernel chose when it was asked to.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>
    /// Binds the address, so that one in use is noticed before anything else begins. Clients can connect from now on, and are
    /// answered after <see cref="Start"/>.
    /// </summary>
    /// <param name="flag">The flag with the address, for the message of the exception.</param>
    /// <param name="endpoints">Asked in this order. The first one that does not return null has answered.</param>
    /// <exception cref="BindException">The address cannot be listened on.</exception>
    public static AdminServer Bind(string flag, BindAddress address, Func<AdminRequest, AdminResponse?>[] endpoints,
        ILogger logger, TimeProvider time)
    {
        try
        {
            return new AdminServer(Listen(address), endpoints, logger, time);
        }
        catch (SocketException e)
        {
            throw new BindException($"--{flag}={address}: cannot listen there: {e.Message}", e);
        }
    }

    public void Start() => _accepting = AcceptAsync();

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        lock (_open)
        {
            foreach (var socket in _open)
                socket.Dispose();
        }
        _stopping.Dispose();
    }

    private static Socket Listen(BindAddress address)
    {
        if (address.Address is { } one)
            return Listen(new IPEndPoint(one, address.Port), dual: false);
        try
        {
            return Listen(new IPEndPoint(IPAddress.IPv6Any, address.Port), dual: true);
        }
        catch (SocketException e) when (e.SocketErrorCode
            is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
        {
            // Nodes without IPv6.
            return Listen(new IPEndPoint(IPAddress.Any, address.Port), dual: false);
        }
    }

    private static Socket Listen(IPEndPoint endPoint, bool dual)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (dual)
                socket.DualMode = true;
            socket.Bind(endPoint);
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Ends only with the server: whatever goes wrong with one client, the next probe must be answered.
    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stopping.Token));
            }
            catch (SocketException e)
            {
                if (_stopping.IsCancellationRequested)
                    return;
                // Most likely there are no file descriptors left. Without a pause, this would be a busy loop.
                _logger.AcceptFailed(EndPoint, e.Message);
                await Task.Delay(AcceptPause, _time, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var node = Admit(socket);
        try
        {
            await AdminConnection.ServeAsync(socket, Answer, _time);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            _logger.ClientLost(e.Message);
        }
        finally
        {
            lock (_open)
            {
                if (node.List is not null)
                    _open.Remove(node);
            }
            socket.Dispose();
        }
    }

    // When there are too many, the oldest connection is closed: clients that send nothing must not keep out the kubelet, which
    // would restart the process when its probe times out.
    private LinkedListNode<Socket> Admit(Socket socket)
    {
        lock (_open)
        {
            if (_open.Count == MaxConnections)
            {
                _open.First!.Value.Dispose();
                _open.RemoveFirst();
            }
            return _open.AddLast(socket);
        }
    }

    private AdminResponse? Answer(AdminRequest request)
    {
        try
        {
            foreach (var endpoint in _endpoints)
            {
                if (endpoint(request) is { } response)
                    return response;
            }
            return null;
        }
#pragma warning disable CA1031 // A fault of a metrics writer fails the scrape, and must not end the server.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _logger.RequestFailed(request.Path, e);
            return new AdminResponse(500);
        }
    }
}

/// <summary>An address cannot be listened on; the message names the flag, the address and the reason.</summary>
internal sealed class BindException(string message, Exception innerException) : Exception(message, innerException);
