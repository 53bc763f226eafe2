using System.Buffers;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;

namespace McpOperator.Kubernetes;

/// <summary>A YAML value as the JSON that kubectl sends for it.</summary>
internal sealed class YamlJson
{
    /// <summary>What an API server takes as one request; aliases of aliases make as much of a kilobyte as they like.</summary>
    private const int MaxSize = 3 * 1024 * 1024;

    private const int MaxMerged = 100_000;

    /// <summary>Each anchor can hold the one before it: a chain of them is deeper than what the reader lets through.</summary>
    private const int MaxDepth = 600;

    private readonly Utf8JsonWriter _json;
    private readonly HashSet<YamlValue> _written = [];
    private readonly Dictionary<YamlMap, List<Entry>> _merged = [];
    private int _mergedEntries;

    private YamlJson(Utf8JsonWriter json) => _json = json;

    /// <exception cref="YamlException">There is no JSON for it, or aliases make it larger than an API server takes.</exception>
    public static ReadOnlyMemory<byte> Of(YamlValue value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = MaxDepth + 2 }))
            new YamlJson(json).Write(value);
        return buffer.WrittenMemory;
    }

    private void Write(YamlValue value)
    {
        if (!_written.Add(value) && _json.BytesCommitted + _json.BytesPending > MaxSize)
            throw Unexpected(value, "its aliases make it larger than an API server takes (3 MiB)");
        if (_json.CurrentDepth > MaxDepth)
            throw Unexpected(value, $"nested more than {MaxDepth} levels deep");
        switch (value)
        {
            case YamlMap map:
                _json.WriteStartObject();
                foreach (var (name, entry) in Entries(map))
                {
                    _json.WritePropertyName(name);
                    Write(entry);
                }
                _json.WriteEndObject();
                break;
            case YamlList list:
                _json.WriteStartArray();
                foreach (var item in list.Items)
                    Write(item);
                _json.WriteEndArray();
                break;
            case YamlText text when YamlScalar.Literal(text) is { } literal:
                _json.WriteRawValue(literal, skipInputValidation: true);
                break;
            case YamlText text:
                _json.WriteStringValue(YamlScalar.Text(text));
                break;
        }
    }

    /// <summary>
    /// Each name once, the last value counting, what is merged in included. A merge below a name overrides it, which YAML's
    /// specification has otherwise: so go-yaml v2 reads it, and so it is applied.
    /// </summary>
    private List<Entry> Entries(YamlMap map)
    {
        if (_merged.TryGetValue(map, out var known))
            return known;
        var entries = new List<Entry>(map.Entries.Count);
        var indices = new Dictionary<string, int>(map.Entries.Count, StringComparer.Ordinal);
        foreach (var (name, value) in map.Entries)
        {
            if (name is { Text: "<<", IsPlain: true, Tag: "" })
                Merge(value, isInList: false);
            else
                Set(YamlScalar.Literal(name) switch
                {
                    null => Encoding.UTF8.GetString(YamlScalar.Text(name)),
                    "null" => throw Unexpected(name, "a key must not be null"),
                    var literal => literal,
                }, value);
        }

        _merged.Add(map, entries);
        return entries;

        void Set(string name, YamlValue value)
        {
            if (indices.TryAdd(name, entries.Count))
                entries.Add(new Entry(name, value));
            else
                entries[indices[name]] = new Entry(name, value);
        }

        void Merge(YamlValue value, bool isInList)
        {
            switch (value)
            {
                case YamlMap other:
                    foreach (var (name, entry) in Entries(other))
                    {
                        if (++_mergedEntries > MaxMerged)
                            throw Unexpected(value, "its merge keys bring too much together");
                        Set(name, entry);
                    }
                    break;
                case YamlList list when !isInList:
                    for (var i = list.Items.Count - 1; i >= 0; i--) // the earlier ones win
                        Merge(list.Items[i], isInList: true);
                    break;
                default:
                    throw Unexpected(value, "map merge requires map or sequence of maps as the value");
            }
        }
    }

    private static YamlException Unexpected(YamlValue value, string message) => new(value.Start, value.Start, message);

    private readonly record struct Entry(string Name, YamlValue Value);
}
