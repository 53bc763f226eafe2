namespace McpOperator.Kubernetes;

/// <summary>
/// The bytes that were read from a stream and not used yet, in one borrowed array, so that a line or a list item can be parsed in
/// place. It grows for a large object and shrinks after it, because a watch keeps its buffer for as long as the operator lives.
/// </summary>
internal sealed class GrowingBuffer(int initialSize = 16 * 1024) : IDisposable
{
    private byte[] _bytes = Scratch.Rent(initialSize);
    private int _start;
    private int _end;

    /// <summary>The unused bytes; valid until the next call of another member.</summary>
    public ReadOnlyMemory<byte> Unused => _bytes.AsMemory(_start, _end - _start);

    /// <summary>Marks the first <paramref name="count"/> unused bytes as used.</summary>
    public void Use(int count) => _start += count;

    /// <summary>Reads once, making room first. False at the end of the stream.</summary>
    public async ValueTask<bool> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        MakeRoom();
        var read = await stream.ReadAsync(_bytes.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }

    /// <summary>
    /// Reads until the buffer is full, after doubling it when it was full already. So a parser that starts again after each call
    /// does so a logarithmic number of times. False at the end of the stream.
    /// </summary>
    public async ValueTask<bool> FillAsync(Stream stream, CancellationToken cancellationToken)
    {
        MakeRoom();
        while (_end < _bytes.Length)
        {
            var read = await stream.ReadAsync(_bytes.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return false;
            _end += read;
        }
        return true;
    }

    public void Dispose()
    {
        Scratch.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
    }

    private void MakeRoom()
    {
        var length = _end - _start;
        if (length == 0 && _bytes.Length > 4 * initialSize)
            Move(initialSize);
        else if (length > _bytes.Length / 2)
            Move(_bytes.Length * 2);
        else if (_start > 0)
            _bytes.AsSpan(_start, length).CopyTo(_bytes);
        _start = 0;
        _end = length;
    }

    private void Move(int size)
    {
        var larger = Scratch.Rent(size);
        _bytes.AsSpan(_start, _end - _start).CopyTo(larger);
        Scratch.Return(_bytes);
        _bytes = larger;
    }
}
