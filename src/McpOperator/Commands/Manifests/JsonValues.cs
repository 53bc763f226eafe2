using System.Text;
using System.Text.Json;
using McpOperator.Api;
using YamlDotNet.Core;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// Objects in JSON, one after another, as jq prints them. Most JSON is YAML, too; not this, and not pairs of escaped UTF-16.
/// </summary>
internal ref struct JsonValues
{
    private readonly byte[] _bytes;
    private readonly List<SpecFault> _duplicates = [];
    private Utf8JsonReader _reader;
    private int _line = 1;
    private int _counted;

    private JsonValues(string text)
    {
        _bytes = Encoding.UTF8.GetBytes(text);
        _reader = new Utf8JsonReader(_bytes, JsonLimits.Reader with { AllowMultipleValues = true });
    }

    /// <summary>Null when it is no JSON; it may be YAML.</summary>
    public static List<(YamlValue? Value, List<SpecFault> Duplicates)>? TryRead(string text)
    {
        if (!text.AsSpan().TrimStart().StartsWith("{"))
            return null;
        var values = new List<(YamlValue?, List<SpecFault>)>();
        var reader = new JsonValues(text);
        try
        {
            while (reader._reader.Read())
            {
                var value = reader.Value("");
                values.Add((value, [.. reader._duplicates]));
                reader._duplicates.Clear();
            }
            return values;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private YamlValue Value(string path)
    {
        var start = Place();
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new YamlMap(start);
                var names = new HashSet<string>(StringComparer.Ordinal);
                while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = _reader.GetString()!;
                    if (!names.Add(name))
                        _duplicates.Add(ManifestReader.Duplicate(path, name));
                    var at = Place();
                    _reader.Read();
                    map.Entries.Add((new YamlText(at, name, isPlain: false), Value(path.Length == 0 ? name : $"{path}.{name}")));
                }
                return map;
            case JsonTokenType.StartArray:
                var list = new YamlList(start);
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                    list.Items.Add(Value($"{path}[{list.Items.Count}]"));
                return list;
            case JsonTokenType.String:
                return new YamlText(start, _reader.GetString()!, isPlain: false);
            default:
                return new YamlText(start, Encoding.UTF8.GetString(_reader.ValueSpan), isPlain: true);
        }
    }

    private Mark Place()
    {
        var at = (int)_reader.TokenStartIndex;
        _line += _bytes.AsSpan(_counted..at).Count((byte)'\n');
        _counted = at;
        return new Mark(at, _line, 1);
    }
}
