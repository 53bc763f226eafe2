using System.Buffers;

namespace McpOperator.Kubernetes;

/// <summary>
/// A buffer that is written, of borrowed memory (<see cref="Scratch"/>), so that no page of metrics stays on the heap between two
/// scrapes.
/// </summary>
internal sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] _bytes = [];
    private int _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Clear() => _length = 0;

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var wanted = _length + Math.Max(sizeHint, 256);
        if (wanted > _bytes.Length)
        {
            var larger = Scratch.Rent(Math.Max(wanted, _bytes.Length * 2));
            Written.CopyTo(larger);
            Scratch.Return(_bytes);
            _bytes = larger;
        }
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        Scratch.Return(_bytes);
        _bytes = [];
        _length = 0;
    }
}
