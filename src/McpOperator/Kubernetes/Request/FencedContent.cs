using System.Net;
using System.Runtime.InteropServices;

namespace McpOperator.Kubernetes;

/// <summary>
/// The body of a write. Each time before it is sent, it asks whether this process still leads. An API server acts only on a whole
/// body, and every write has one, a DELETE as well.
/// </summary>
/// <remarks>
/// It derives from ByteArrayContent, because the framework may go on sending any other content after the answer has come.
/// </remarks>
internal sealed class FencedContent : ByteArrayContent
{
    // The size of an HTTP/2 frame. Sending a large body can take long, so it asks before each piece.
    private const int Piece = 16 * 1024;

    private readonly ReadOnlyMemory<byte> _body;
    private readonly Func<bool>? _mayWrite;

    private FencedContent(ArraySegment<byte> body, Func<bool>? mayWrite)
        : base(body.Array!, body.Offset, body.Count)
    {
        _body = body;
        _mayWrite = mayWrite;
    }

    /// <param name="body">Not copied: it must not change any more.</param>
    /// <param name="mayWrite">Whether it may be sent now; null when it always may.</param>
    public static FencedContent Of(ReadOnlyMemory<byte> body, Func<bool>? mayWrite) =>
        new(MemoryMarshal.TryGetArray(body, out var array) ? array : body.ToArray(), mayWrite);

    /// <exception cref="HttpRequestException">The process does not lead.</exception>
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
