using System.Buffers;
using System.Net.Sockets;
using System.Text;

namespace McpOperator.Hosting;

/// <summary>One connection of the <see cref="AdminServer"/>: reads a request's head, answers it, and closes.</summary>
internal static class AdminConnection
{
    public const int HeadLimit = 8 * 1024;

    /// <summary>For the whole connection, request and answer. A kubelet's probe gives up after one second.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(1);
    private const int DrainLimit = 64 * 1024;

    /// <exception cref="OperationCanceledException">The time is up.</exception>
    /// <exception cref="SocketException">The client is gone.</exception>
    public static async Task ServeAsync(Socket socket, Func<AdminRequest, AdminResponse?> answer, TimeProvider time)
    {
        socket.NoDelay = true;
        using var deadline = new CancellationTokenSource(Timeout, time);
        var head = ArrayPool<byte>.Shared.Rent(HeadLimit);
        using var body = new PooledBuffer();
        try
        {
            var received = 0;
            int end;
            while ((end = head.AsSpan(0, received).IndexOf("\r\n\r\n"u8)) < 0 && received < HeadLimit)
            {
                var count = await socket.ReceiveAsync(head.AsMemory(received, HeadLimit - received), deadline.Token);
                if (count == 0)
                    return;
                received += count;
            }

            var (response, isHead) = end < 0
                ? (Refuse(431, body), false)
                : Respond(RequestLine.Parse(head.AsSpan(0, end + 2)), body, answer);
            await SendAsync(socket, Head(response, body.Written.Length), deadline.Token);
            if (!isHead)
                await SendAsync(socket, body.Written, deadline.Token);
            socket.Shutdown(SocketShutdown.Send);

            // When a socket is closed with bytes that nobody has read, the kernel resets the connection, and the client may
            // lose the answer (RFC 9112, 9.6). That can only be so when more than a request without a body was sent.
            if (end + 4 != received || response.Status is 400 or 405)
                await DrainAsync(socket, head, deadline);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(head);
        }
    }

    private static (AdminResponse Response, bool IsHead) Respond(
        RequestLine? line, PooledBuffer body, Func<AdminRequest, AdminResponse?> answer)
    {
        if (line is not { } request)
            return (Refuse(400, body), false);
        if (request.Method is not ("GET" or "HEAD"))
            return (Refuse(405, body), false);
        var response = answer(new AdminRequest(request.Path, request.Query, body)) ?? Refuse(404, body);
        if (response.Status == 500 && body.Written.IsEmpty)
            Refuse(500, body);
        return (response, request.Method == "HEAD");
    }

    private static AdminResponse Refuse(int status, PooledBuffer body)
    {
        body.Clear();
        body.Write(Encoding.ASCII.GetBytes(Reason(status) + "\n").AsSpan());
        return new AdminResponse(status);
    }

    private static byte[] Head(AdminResponse response, int length)
    {
        var allow = response.Status == 405 ? "Allow: GET, HEAD\r\n" : "";
        return Encoding.ASCII.GetBytes(string.Join("\r\n",
            $"HTTP/1.1 {response.Status} {Reason(response.Status)}",
            $"{allow}Content-Type: {response.ContentType}",
            $"Content-Length: {length}",
            "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store",
            "Connection: close",
            "", ""));
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    };

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, cancellationToken)..];
    }

    private static async Task DrainAsync(Socket socket, byte[] buffer, CancellationTokenSource deadline)
    {
        deadline.CancelAfter(DrainTimeout);
        for (var total = 0; total < DrainLimit;)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(), deadline.Token);
            if (count == 0)
                return;
            total += count;
        }
    }
}
