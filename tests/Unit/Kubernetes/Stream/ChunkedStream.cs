namespace McpOperator.Unit.Kubernetes;

/// <summary>Hands out bytes in pieces of given sizes, as a network does; the last size repeats.</summary>
internal sealed class ChunkedStream(byte[] bytes, params int[] sizes) : Stream
{
    private int _position;
    private int _reads;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("never block");

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var size = Math.Min(sizes[Math.Min(_reads++, sizes.Length - 1)], Math.Min(buffer.Length, bytes.Length - _position));
        bytes.AsMemory(_position, size).CopyTo(buffer);
        _position += size;
        return new(size);
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
