using System.Text;

namespace McpOperator.Servers.Readiness;

/// <summary>Reads server-sent events (HTML Living Standard, 9.2) from a stream that may end anywhere, or never.</summary>
internal sealed class EventReader(Stream stream, ByteAllowance allowance) : IDisposable
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private readonly GrowingBuffer _buffer = new(4 * 1024);
    private readonly MemoryStream _data = new();

    /// <summary>Of the unused bytes, those that hold no end of a line.</summary>
    private int _scanned;
    private bool _isEnd;
    private bool _hasBegun;

    /// <summary>Without its end, which is CR, LF or both; valid until the next.</summary>
    private ReadOnlyMemory<byte> _line;

    /// <summary>Whether the last line has ended with a CR at which the buffer ended: an LF after it belongs to it. It is not waited for.</summary>
    private bool _mayHaveLineFeed;

    /// <summary>The next event that has data, which is valid until the next call; null at the end of the stream, where what has begun is dropped.</summary>
    /// <exception cref="McpFault">It is longer than it may be.</exception>
    public async Task<ServerEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        var (name, hasData) = ("message", false);
        _data.SetLength(0);
        while (await ReadLineAsync(cancellationToken).ConfigureAwait(false))
        {
            var line = !_hasBegun && _line.Span.StartsWith(ByteOrderMark) ? _line[ByteOrderMark.Length..] : _line;
            _hasBegun = true;
            if (line.Length == 0)
            {
                if (hasData)
                    return new ServerEvent(name, _data.GetBuffer().AsMemory(0, (int)_data.Length));
                name = "message";
            }
            else if (ValueOf("event"u8, line.Span, out var value))
            {
                name = Encoding.UTF8.GetString(value);
            }
            else if (ValueOf("data"u8, line.Span, out value))
            {
                if (hasData)
                    _data.WriteByte((byte)'\n');
                _data.Write(value);
                ByteAllowance.CheckMessage(_data.Length);
                hasData = true;
            }
        }

        return null;
    }

    public void Dispose() => _buffer.Dispose();

    private static bool ValueOf(ReadOnlySpan<byte> field, ReadOnlySpan<byte> line, out ReadOnlySpan<byte> value)
    {
        value = line.StartsWith(field) ? line[field.Length..] : default;
        if (!line.StartsWith(field) || !(value.IsEmpty || value[0] == ':'))
            return false;
        value = value.IsEmpty ? value : value[1..];
        value = !value.IsEmpty && value[0] == ' ' ? value[1..] : value;
        return true;
    }

    /// <summary>The next <see cref="_line"/>; false at the end of the stream.</summary>
    private async Task<bool> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTakeLine())
                return true;
            if (_isEnd)
                return false;
            var before = _buffer.Unused.Length;
            ByteAllowance.CheckMessage(before);
            _isEnd = !await _buffer.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
            allowance.Take(_buffer.Unused.Length - before);
        }
    }

    private bool TryTakeLine()
    {
        if (_mayHaveLineFeed && _buffer.Unused.Length > 0)
        {
            _mayHaveLineFeed = false;
            if (_buffer.Unused.Span[0] == '\n')
            {
                _buffer.Use(1);
                _scanned = 0;
            }
        }

        var unused = _buffer.Unused;
        var end = unused.Span[_scanned..].IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0)
        {
            _scanned = unused.Length;
            return false;
        }

        end += _scanned;
        var isReturn = unused.Span[end] == '\r';
        _mayHaveLineFeed = isReturn && end + 1 == unused.Length;
        _buffer.Use(isReturn && !_mayHaveLineFeed && unused.Span[end + 1] == '\n' ? end + 2 : end + 1);
        _scanned = 0;
        _line = unused[..end];
        return true;
    }
}

/// <summary>One event, whose data is valid until the next is read. (No struct: a task of one is a second copy of the machinery.)</summary>
internal sealed class ServerEvent(string name, ReadOnlyMemory<byte> data)
{
    public string Name => name;

    public ReadOnlyMemory<byte> Data => data;

    public bool IsMessage => Name is "message" or "" && Data.Length > 0;
}
