using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>The UTF-8 of a JSON string without its escapes, in place when there are none, and without making a string.</summary>
internal ref struct JsonText
{
    private byte[]? _rented;

    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Of a string value.</summary>
    public static JsonText Of(JsonElement value) => new(JsonMarshal.GetRawUtf8Value(value)[1..^1]);

    /// <summary>Of a property's name.</summary>
    public static JsonText Of(JsonProperty property) => new(JsonMarshal.GetRawUtf8PropertyName(property));

    /// <param name="raw">What stands between the quotes.</param>
    private JsonText(ReadOnlySpan<byte> raw)
    {
        Bytes = raw;
        if (!raw.Contains((byte)'\\'))
            return;

        // The reader is the only public way to resolve escapes without making a string, and it needs the quotes.
        _rented = ArrayPool<byte>.Shared.Rent(2 * (raw.Length + 2));
        var quoted = _rented.AsSpan(0, raw.Length + 2);
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted[1..]);
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        var text = _rented.AsSpan(quoted.Length);
        Bytes = text[..reader.CopyString(text)];
    }

    public void Dispose()
    {
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
        _rented = null;
        Bytes = default;
    }
}
