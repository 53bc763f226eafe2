using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>The UTF-8 of a JSON string without its escapes, in place when there are none, and without making a string.</summary>
internal ref struct JsonText
{
    private byte[]? _rented;

    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Of a string value.</summary>
    public static JsonText Of(JsonElement value)
    {
        var quoted = JsonMarshal.GetRawUtf8Value(value);
        return quoted.Contains((byte)'\\') ? new(quoted, Scratch.Rent(quoted.Length), 0) : new() { Bytes = quoted[1..^1] };
    }

    /// <summary>Of a property's name.</summary>
    public static JsonText Of(JsonProperty property)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(property);
        if (!raw.Contains((byte)'\\'))
            return new() { Bytes = raw };
        var rented = Scratch.Rent(2 * (raw.Length + 2));
        var quoted = rented.AsSpan(0, raw.Length + 2);
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted[1..]);
        return new(quoted, rented, quoted.Length);
    }

    /// <summary>The reader is the only public way to resolve escapes without making a string, and it needs the quotes.</summary>
    private JsonText(ReadOnlySpan<byte> quoted, byte[] rented, int free)
    {
        _rented = rented;
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        var text = rented.AsSpan(free);
        Bytes = text[..reader.CopyString(text)];
    }

    public void Dispose()
    {
        if (_rented is not null)
            Scratch.Return(_rented);
        _rented = null;
        Bytes = default;
    }
}
