using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace McpOperator.Kubernetes;

/// <summary>
/// One YAML document as values. The parser is YamlDotNet's; its own models are not used: they recurse without a limit, compare
/// whole values when these are keys (which takes for ever with aliases of aliases), and read no merge keys.
/// </summary>
internal sealed class YamlReader
{
    /// <summary>More than any object has, and far from the end of the stack.</summary>
    private const int MaxDepth = 500;

    private readonly Parser _parser;
    private readonly Action<YamlText, string>? _duplicate;
    private readonly Dictionary<string, YamlValue?> _anchors = new(StringComparer.Ordinal);

    private YamlReader(TextReader text, Action<YamlText, string>? duplicate)
    {
        _parser = new Parser(text);
        _duplicate = duplicate;
    }

    /// <summary>Null when nothing, or nothing but comments, is there.</summary>
    /// <param name="text">Of the document.</param>
    /// <param name="duplicate">Is told of a key that its map has already, and the path of that map (<c>spec.tools[0]</c>). Null: it is an error.</param>
    /// <param name="allowsMore">What follows the first document is not looked at. Else it is an error.</param>
    /// <exception cref="YamlException">It is no YAML.</exception>
    public static YamlValue? Read(TextReader text, Action<YamlText, string>? duplicate = null, bool allowsMore = false)
    {
        var reader = new YamlReader(text, duplicate);
        try
        {
            return reader.Document(allowsMore);
        }
        catch (Exception e) when (e is not YamlException)
        {
            // Of some half-finished scalars the scanner only says that its own state is not valid.
            var place = reader._parser.Current?.End ?? new Mark(0, 1, 1);
            throw new YamlException(place, place, "not YAML, or in a way that is not understood here", e);
        }
    }

    private YamlValue? Document(bool allowsMore)
    {
        Next(); // the stream's start
        if (Next() is not DocumentStart)
            return null;
        var root = Value(Next(), "", depth: 0);
        Next(); // the document's end
        return !allowsMore && Next() is DocumentStart next ? throw At(next, "a second document needs a line --- before it") : root;
    }

    private YamlValue Value(ParsingEvent first, string path, int depth)
    {
        if (depth > MaxDepth)
            throw At(first, $"nested more than {MaxDepth} levels deep");
        switch (first)
        {
            case AnchorAlias alias:
                return _anchors.TryGetValue(alias.Value.Value, out var known)
                    ? known ?? throw At(alias, $"anchor '{alias.Value.Value}' value contains itself")
                    : throw At(alias, $"unknown anchor '{alias.Value.Value}' referenced");
            case Scalar scalar:
                var text = new YamlText(
                    scalar.Start, scalar.Value, scalar.Style == ScalarStyle.Plain,
                    scalar.Tag.IsEmpty ? "" : scalar.Tag.IsNonSpecific ? "!" : scalar.Tag.Value);
                Anchored(scalar, text);
                return text;
            case SequenceStart sequence:
                var list = new YamlList(sequence.Start);
                Anchored(sequence, null);
                for (var item = Next(); item is not SequenceEnd; item = Next())
                    list.Items.Add(Value(item, $"{path}[{list.Items.Count}]", depth + 1));
                Anchored(sequence, list);
                return list;
            case MappingStart mapping:
                var map = new YamlMap(mapping.Start);
                var names = new HashSet<string>(StringComparer.Ordinal);
                Anchored(mapping, null);
                for (var key = Next(); key is not MappingEnd; key = Next())
                {
                    if (Value(key, path, depth + 1) is not YamlText name)
                        throw At(key, "a key must be text");
                    if (!names.Add(name.Text) && name.Text != "<<")
                        (_duplicate ?? throw At(key, "a key stands there twice"))(name, path);
                    map.Entries.Add((name, Value(Next(), path.Length == 0 ? name.Text : $"{path}.{name.Text}", depth + 1)));
                }

                Anchored(mapping, map);
                return map;
            default:
                throw At(first, "no YAML");
        }
    }

    /// <param name="node">What may bear an anchor.</param>
    /// <param name="value">Null while it is being read.</param>
    private void Anchored(NodeEvent node, YamlValue? value)
    {
        if (!node.Anchor.IsEmpty)
            _anchors[node.Anchor.Value] = value;
    }

    private ParsingEvent Next() => _parser.MoveNext() ? _parser.Current! : throw new YamlException("no YAML");

    private static YamlException At(ParsingEvent place, string message) => new(place.Start, place.End, message);
}
