using System.Runtime.CompilerServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Reads the body of a watch: one <c>{"type": …, "object": …}</c> a line. Each line is parsed in the buffer that it was read
/// into, and decoded once; no string is made of it.
/// </summary>
internal static class WatchStream
{
    /// <summary>Ends when the server ends the stream between two lines.</summary>
    /// <exception cref="HttpRequestException">The stream ended within a line, or a line is no event.</exception>
    public static async IAsyncEnumerable<WatchEvent> ReadAsync(
        Stream stream, Decoder<IKubernetesObject> decode, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var buffer = new GrowingBuffer();
        var searched = 0;
        while (await buffer.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            while (TryFindLine(buffer, searched, out var line))
            {
                var decoded = TryDecode(line, decode, out var watchEvent);
                buffer.Use(line.Length);
                searched = 0;
                if (decoded)
                    yield return watchEvent;
            }
            searched = buffer.Unused.Length;
        }

        // A proxy or a server that dies can cut the stream anywhere. Half a line is no event, even if it can be parsed: the API
        // server ends each one with a newline.
        if (!buffer.Unused.IsEmpty)
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "the watch ended in the middle of an event");
    }

    /// <summary>
    /// The first line with its newline. The first <paramref name="searched"/> bytes are known to hold no newline.
    /// </summary>
    private static bool TryFindLine(GrowingBuffer buffer, int searched, out ReadOnlyMemory<byte> line)
    {
        var unused = buffer.Unused;
        var newline = unused.Span[searched..].IndexOf((byte)'\n');
        line = unused[..(newline < 0 ? 0 : searched + newline + 1)];
        return newline >= 0;
    }

    private static bool TryDecode(ReadOnlyMemory<byte> line, Decoder<IKubernetesObject> decode, out WatchEvent watchEvent)
    {
        watchEvent = default;
        if (line.Span.Trim("\r\n\t "u8).IsEmpty)
            return false;

        using var document = Parse(line);
        try
        {
            return TryDecode(document.Root, decode, out watchEvent);
        }
        catch (InvalidOperationException e)
        {
            // The parser throws this for text that is not UTF-8, when the text is read.
            throw new HttpRequestException(HttpRequestError.InvalidResponse, "the watch sent a line that is no text", e);
        }
    }

    private static bool TryDecode(JsonElement line, Decoder<IKubernetesObject> decode, out WatchEvent watchEvent)
    {
        watchEvent = default;
        if (!line.TryGetMember("type"u8, out var type)
            || type.ValueKind != JsonValueKind.String
            || !line.TryGetMember("object"u8, out var json))
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse, "the watch sent a line that is no event");
        }

        // Another type is that of a newer server, and skipped, as client-go's decoder does.
        if (type.ValueEquals("ADDED"u8))
            watchEvent = Change(WatchEventType.Added, json, decode);
        else if (type.ValueEquals("MODIFIED"u8))
            watchEvent = Change(WatchEventType.Modified, json, decode);
        else if (type.ValueEquals("DELETED"u8))
            watchEvent = Change(WatchEventType.Deleted, json, decode);
        else if (type.ValueEquals("BOOKMARK"u8))
            watchEvent = new(WatchEventType.Bookmark, null, json.ResourceVersion(), null);
        else if (type.ValueEquals("ERROR"u8))
            watchEvent = new(WatchEventType.Error, null, null, ApiError.StatusFrom(json));
        else
            return false;
        return true;
    }

    private static WatchEvent Change(WatchEventType type, JsonElement json, Decoder<IKubernetesObject> decode) => json.IsObject()
        ? new(type, decode(json), json.ResourceVersion(), null)
        : throw new HttpRequestException(HttpRequestError.InvalidResponse, "the watch sent an event without an object");

    private static ParsedJson Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            return ParsedJson.Of(line);
        }
        catch (JsonException e)
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse, "the watch sent a line that is no JSON", e);
        }
    }
}
