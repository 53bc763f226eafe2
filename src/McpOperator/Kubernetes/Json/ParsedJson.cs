using System.Buffers;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>JSON of an API server, parsed where it is: valid until this is disposed of, and as long as its bytes are.</summary>
internal readonly struct ParsedJson : IDisposable
{
    private readonly JsonDocument _document;
    private readonly int _length;

    private ParsedJson(JsonDocument document, int length)
    {
        _document = document;
        _length = length;
    }

    public JsonElement Root => _document.RootElement;

    /// <exception cref="JsonException">It is none.</exception>
    public static ParsedJson Of(ReadOnlyMemory<byte> json) => new(JsonDocument.Parse(json, JsonLimits.Document), json.Length);

    public void Dispose()
    {
        _document.Dispose();
        // What the parser has borrowed for its table is as long as the text, up to a megabyte, and stays with this thread: it is
        // taken out of the pool and left to the collector (Scratch).
        if (_length > Scratch.Pooled)
            _ = ArrayPool<byte>.Shared.Rent(Math.Min(_length, 1024 * 1024));
    }
}
