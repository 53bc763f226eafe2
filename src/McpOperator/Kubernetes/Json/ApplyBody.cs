using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// The body of a server-side apply: JSON that is valid YAML as well. The API server reads it as YAML, in which an escaped
/// surrogate pair is an error ("found invalid Unicode character escape code"), and an unescaped U+0085, U+2028 or U+2029 is a
/// line break, which would become a blank.
/// </summary>
/// <remarks>
/// Every encoder of System.Text.Json escapes characters beyond U+FFFF, so these escapes are undone here. For the rest the
/// relaxed encoder is right: it escapes control characters, line separators and what is no character. It also keeps the body
/// short: a quote in a document inside a ConfigMap takes two bytes and not six of the 3 MiB that a body may have.
/// </remarks>
internal static class ApplyBody
{
    /// <param name="length">About how many bytes it will be. A large body that outgrows its buffer takes it several times.</param>
    public static byte[] Write(Action<Utf8JsonWriter> content, int length = 1024)
    {
        using var buffer = new PooledBuffer();
        buffer.GetMemory(length);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            content(writer);
        return WithoutSurrogates(buffer.Written.Span);
    }

    /// <summary>
    /// The same body for an object that must not be there: an apply creates it whatever version the body names, and is a conflict for
    /// one that has another version (apiserver, registry/generic/registry/store.go). No object has the first one.
    /// </summary>
    /// <param name="body">Names no version.</param>
    public static byte[] ForNew(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("metadata"u8))
                continue;
            reader.Read();
            var start = (int)reader.BytesConsumed;
            return [.. body[..start], .. "\"resourceVersion\":\"1\","u8, .. body[start..]];
        }

        throw new ArgumentException("the body has no metadata", nameof(body));
    }

    private static byte[] WithoutSurrogates(ReadOnlySpan<byte> json)
    {
        var result = new byte[json.Length];
        var length = 0;
        for (int next; (next = json.IndexOf((byte)'\\')) >= 0;)
        {
            Copy(json[..next]);
            json = json[next..];
            if (IsPair(json, out var character))
            {
                length += character.EncodeToUtf8(result.AsSpan(length));
                json = json[12..];
            }
            else
            {
                // With the character after it, which may be a backslash itself.
                Copy(json[..2]);
                json = json[2..];
            }
        }

        Copy(json);
        return length == result.Length ? result : result[..length];

        void Copy(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(result.AsSpan(length));
            length += bytes.Length;
        }
    }

    /// <summary>
    /// Whether it begins with an escaped surrogate pair, such as <c>\uD83D\uDE00</c>. The encoder never writes half of one.
    /// </summary>
    private static bool IsPair(ReadOnlySpan<byte> json, out Rune character)
    {
        character = default;
        return json.Length >= 12 && json[1] == 'u'
            && ushort.TryParse(json[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            && char.IsHighSurrogate((char)high)
            && ushort.TryParse(json[8..12], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)
            && Rune.TryCreate((char)high, (char)low, out character);
    }
}
