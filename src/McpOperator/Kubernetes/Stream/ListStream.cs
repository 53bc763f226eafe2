using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Reads the body of a list item by item while it arrives, so that no more than one item is in memory. The order of the list's
/// members does not matter.
/// </summary>
internal sealed class ListStream
{
    private enum Place
    {
        BeforeList,
        InList,
        InItems,
        AfterList,
    }

    private Place _place;
    private JsonReaderState _state = new(JsonLimits.Reader);

    /// <summary>The list's own resource version; empty when it names none.</summary>
    public string ResourceVersion { get; private set; } = "";

    /// <summary>The token for the next page; null on the last one.</summary>
    public string? Continue { get; private set; }

    /// <exception cref="HttpRequestException">The body ended early, is no JSON or no list.</exception>
    public static async Task<ListStream> ReadAsync<T>(
        Stream stream, Decoder<T> decode, Action<T> onItem, CancellationToken cancellationToken)
    {
        using var buffer = new GrowingBuffer(64 * 1024);
        var list = new ListStream();
        bool more;
        do
        {
            more = await buffer.FillAsync(stream, cancellationToken).ConfigureAwait(false);
            try
            {
                buffer.Use(list.Consume(buffer.Unused, isFinal: !more, decode, onItem));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // The reader throws InvalidOperationException for text that is not UTF-8.
                throw new HttpRequestException(
                    more ? HttpRequestError.InvalidResponse : HttpRequestError.ResponseEnded, "the list is cut short or no JSON", e);
            }
        }
        while (more);
        // An answer that is no list must not be read as an empty one: every object would count as deleted.
        return list.ResourceVersion.Length > 0
            ? list
            : throw new HttpRequestException(HttpRequestError.InvalidResponse, "the answer is no list: it has no version");
    }

    /// <summary>Handles all that is complete in <paramref name="bytes"/> and returns how many were used.</summary>
    private int Consume<T>(ReadOnlyMemory<byte> bytes, bool isFinal, Decoder<T> decode, Action<T> onItem)
    {
        var reader = new Utf8JsonReader(bytes.Span, isFinal, _state);
        while (true)
        {
            // When bytes are missing, the step is repeated from here once there are more.
            var before = reader;
            if (!TryStep(ref reader, bytes, decode, onItem))
            {
                _state = before.CurrentState;
                return (int)before.BytesConsumed;
            }
        }
    }

    private bool TryStep<T>(ref Utf8JsonReader reader, ReadOnlyMemory<byte> bytes, Decoder<T> decode, Action<T> onItem)
    {
        if (!reader.Read())
            return false;
        switch (_place)
        {
            case Place.BeforeList:
                _place = reader.TokenType == JsonTokenType.StartObject ? Place.InList : throw new JsonException("no object");
                return true;

            case Place.InItems when reader.TokenType == JsonTokenType.EndArray:
                _place = Place.InList;
                return true;

            case Place.InItems:
                var start = (int)reader.TokenStartIndex;
                if (!reader.TrySkip())
                    return false;
                using (var item = ParsedJson.Of(bytes[start..(int)reader.BytesConsumed]))
                    onItem(item.Root.IsObject() ? decode(item.Root) : throw new JsonException("an item has no name"));
                return true;

            case Place.InList when reader.TokenType == JsonTokenType.EndObject:
                _place = Place.AfterList;
                return true;

            case Place.InList:
                return TryMember(ref reader);

            default:
                return true;
        }
    }

    /// <summary>Reads one member of the list. Of <c>items</c> it reads only the opening bracket, or null.</summary>
    private bool TryMember(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("items"u8))
        {
            if (!reader.Read())
                return false;
            if (reader.TokenType == JsonTokenType.StartArray)
                _place = Place.InItems;
            else if (reader.TokenType != JsonTokenType.Null)
                throw new JsonException("items is no array");
            return true;
        }

        if (!reader.ValueTextEquals("metadata"u8))
            return reader.Read() && reader.TrySkip();

        if (!JsonDocument.TryParseValue(ref reader, out var metadata))
            return false;
        using (metadata)
        {
            ResourceVersion = metadata.RootElement.Text("resourceVersion"u8) ?? "";
            Continue = metadata.RootElement.Text("continue"u8) is { Length: > 0 } token ? token : null;
        }
        return true;
    }
}
