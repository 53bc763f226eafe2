using System.Net;
using System.Runtime.InteropServices;

namespace McpOperator.Kubernetes;

/// <summary>
/// The body of a write, which asks whether it may still be sent right before it is, each time that it is. An API server
/// acts on a whole body only, and every write has one, a DELETE as well.
/// </summary>
/// <remarks>
/// A ByteArrayContent, since of anything else the framework believes that it may go on being sent after the answer has come.
/// </remarks>
internal sealed class FencedContent : ByteArrayContent
{
    // A large body can wait for the server to take it; so each piece is a question of its own. That of an HTTP/2 frame.
    private const int Piece = 16 * 1024;

    private readonly ReadOnlyMemory<byte> _body;
    private readonly Func<bool>? _mayWrite;

    private FencedContent(ArraySegment<byte> body, Func<bool>? mayWrite)
        : base(body.Array!, body.Offset, body.Count)
    {
        _body = body;
        _mayWrite = mayWrite;
    }

    /// <param name="body">Not copied.</param>
    /// <param name="mayWrite">Null: always.</param>
    public static FencedContent Of(ReadOnlyMemory<byte> body, Func<bool>? mayWrite) =>
        new(MemoryMarshal.TryGetArray(body, out var array) ? array : body.ToArray(), mayWrite);

    /// <exception cref="HttpRequestException">It must not be sent.</exception>
    public void ThrowIfFenced()
    {
        if (_mayWrite?.Invoke() == false)
            throw new HttpRequestException("not sent, since this process does not lead (any more)");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var rest = _body; rest.Length > 0; rest = rest[Math.Min(Piece, rest.Length)..])
        {
            ThrowIfFenced();
            await stream.WriteAsync(rest[..Math.Min(Piece, rest.Length)], cancellationToken).ConfigureAwait(false);
        }
    }
}
