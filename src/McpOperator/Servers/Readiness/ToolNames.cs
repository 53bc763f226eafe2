using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>The names in a list of tools, read as they come: the rest of a tool is its description, and a schema as long as its author likes.</summary>
internal sealed class ToolNames
{
    private const int Most = 1024;
    private const int LongestName = 256;
    /// <summary>Of all names together, in characters: they are kept for as long as the server is there.</summary>
    private const int MostText = 16 * 1024;

    private const int LongestCursor = 4 * 1024;

    private readonly List<string> _names = [];
    private int _length;

    public IReadOnlyList<string> InOrder() => [.. _names.Order(StringComparer.Ordinal)];

    /// <summary>Takes in the result of tools/list.</summary>
    /// <returns>The cursor of the next page; null after the last.</returns>
    /// <exception cref="McpFault">It is none, or too much.</exception>
    public string? Read(ReadOnlyMemory<byte> result)
    {
        var (cursor, isList) = (default(string), false);
        var json = new Utf8JsonReader(result.Span);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("tools"u8) && json.Read() && json.TokenType == JsonTokenType.StartArray)
            {
                isList = true;
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                    Add(NameOf(ref json));
            }
            else if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("nextCursor"u8) && json.Read() && json.TokenType == JsonTokenType.String)
            {
                cursor = json.ValueSpan.Length <= LongestCursor ? json.GetString() : throw Fault("has a cursor that is too long");
            }
            else
            {
                json.Skip();
            }
        }

        return isList ? cursor : throw Fault("was answered without a list of tools");
    }

    private void Add(string name)
    {
        _length += name.Length;
        if (_names.Count == Most || _length > MostText)
            throw Fault($"lists more than {Most} tools, or {MostText} characters of their names");
        _names.Add(name);
    }

    private static McpFault Fault(string detail) => new(Reasons.McpProtocolError, detail);

    /// <param name="json">At a tool; afterwards at its end.</param>
    private static string NameOf(ref Utf8JsonReader json)
    {
        string? name = null;
        if (json.TokenType == JsonTokenType.StartObject)
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isName = json.ValueTextEquals("name"u8);
                json.Read();
                // A character has up to six bytes, as an escape.
                if (isName && json.TokenType == JsonTokenType.String && json.ValueSpan.Length <= 6 * LongestName)
                    name = json.GetString();
                json.Skip();
            }
        }

        return name is { Length: > 0 and <= LongestName } ? name : throw Fault($"lists a tool that has no name, or one of more than {LongestName} characters");
    }
}
