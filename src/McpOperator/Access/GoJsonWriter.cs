using System.Buffers;
using System.Text;

namespace McpOperator.Access;

/// <summary>
/// Writes JSON byte for byte as Go's encoding/json (1.22 and later) does: Marshal, or, indented, MarshalIndent with two
/// spaces. Gateways encode the policy that they have read anew and compare its hash, so every byte counts.
/// </summary>
/// <remarks>
/// <para>
/// System.Text.Json's encoders escape other characters, and in capitals. Escaped are only the quote, the backslash,
/// controls below 0x20, what could end a script element (&lt; &gt; &amp;), and U+2028 and U+2029; 0x7f and all the rest is
/// UTF-8 as it is. Half a surrogate pair becomes U+FFFD, as Go's decoder makes of it (appendString in encode.go).
/// </para>
/// <para>
/// Forward only, and it trusts its caller to close what it opens. Numbers, false and null do not occur in a policy.
/// </para>
/// <para>
/// A policy can be a megabyte, and there are many: nothing is kept of it but the piece that is written.
/// </para>
/// </remarks>
/// <param name="indented">As MarshalIndent does it, not Marshal.</param>
/// <param name="sink">Gets one piece after the other, which may end in the middle of a character; null when only <see cref="Length"/> matters.</param>
internal sealed class GoJsonWriter(bool indented, GoJsonWriter.Sink? sink = null) : IDisposable
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(control => (char)control), '"', '\\', '<', '>', '&', '\u2028', '\u2029']);

    private const int Piece = 16 * 1024;

    private readonly byte[] _piece = sink is null ? [] : ArrayPool<byte>.Shared.Rent(Piece);
    private int _used;
    private int _depth;
    private bool _isFirst = true;
    private bool _isValue;

    public delegate void Sink(ReadOnlySpan<byte> piece);

    /// <summary>Of all that was written, in bytes.</summary>
    public int Length { get; private set; }

    public void StartObject() => Start((byte)'{');

    public void EndObject() => End((byte)'}');

    public void StartArray() => Start((byte)'[');

    public void EndArray() => End((byte)']');

    /// <summary>Of the member whose value comes next.</summary>
    public void Name(ReadOnlySpan<char> name)
    {
        Next();
        Quoted(name);
        Raw(indented ? ": "u8 : ":"u8);
        _isValue = true;
    }

    public void String(ReadOnlySpan<char> value)
    {
        Next();
        Quoted(value);
    }

    public void True()
    {
        Next();
        Raw("true"u8);
    }

    /// <summary>Hands over the last piece.</summary>
    public void Flush()
    {
        if (_used > 0)
            sink!(_piece.AsSpan(0, _used));
        _used = 0;
    }

    public void Dispose()
    {
        if (_piece.Length > 0)
            ArrayPool<byte>.Shared.Return(_piece);
    }

    private void Start(byte bracket)
    {
        Next();
        Raw([bracket]);
        _depth++;
        _isFirst = true;
    }

    private void End(byte bracket)
    {
        _depth--;
        if (!_isFirst)
            NewLine();
        Raw([bracket]);
        _isFirst = false;
    }

    /// <summary>What stands between the last item and the next; nothing between a name and its value.</summary>
    private void Next()
    {
        if (!_isValue && _depth > 0)
        {
            if (!_isFirst)
                Raw(","u8);
            NewLine();
        }

        _isFirst = _isValue = false;
    }

    private void NewLine()
    {
        if (!indented)
            return;
        Raw("\n"u8);
        for (var i = 0; i < _depth; i++)
            Raw("  "u8);
    }

    private void Quoted(ReadOnlySpan<char> text)
    {
        Raw("\""u8);
        // No half of a surrogate pair is among what is escaped, so that no pair is cut in two.
        for (int next; (next = text.IndexOfAny(Escaped)) >= 0; text = text[(next + 1)..])
        {
            Plain(text[..next]);
            Escape(text[next]);
        }

        Plain(text);
        Raw("\""u8);
    }

    private void Escape(char c) => Raw(c switch
    {
        '"' => "\\\""u8,
        '\\' => "\\\\"u8,
        '\b' => "\\b"u8,
        '\f' => "\\f"u8,
        '\n' => "\\n"u8,
        '\r' => "\\r"u8,
        '\t' => "\\t"u8,
        '\u2028' => "\\u2028"u8,
        '\u2029' => "\\u2029"u8,
        _ => [(byte)'\\', (byte)'u', (byte)'0', (byte)'0', HexDigit(c >> 4), HexDigit(c & 0xf)],
    });

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);

    private void Plain(ReadOnlySpan<char> text)
    {
        if (sink is null)
        {
            Length += Encoding.UTF8.GetByteCount(text);
            return;
        }

        while (!text.IsEmpty)
        {
            // So much fits whatever it is. A surrogate pair is not cut in two.
            var count = Math.Min(text.Length, Piece / 4);
            if (count < text.Length && char.IsHighSurrogate(text[count - 1]))
                count--;
            Reserve(Encoding.UTF8.GetMaxByteCount(count));
            var bytes = Encoding.UTF8.GetBytes(text[..count], _piece.AsSpan(_used));
            _used += bytes;
            Length += bytes;
            text = text[count..];
        }
    }

    /// <param name="bytes">Not many.</param>
    private void Raw(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (sink is null)
            return;
        Reserve(bytes.Length);
        bytes.CopyTo(_piece.AsSpan(_used));
        _used += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (_piece.Length - _used < count)
            Flush();
    }
}
