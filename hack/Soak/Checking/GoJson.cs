using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>JSON as Go's encoding/json writes it, from docs/policy.md; members in the order in which they were put in.</summary>
internal static class GoJson
{
    public static string Compact(JsonNode node)
    {
        var text = new StringBuilder();
        Write(text, node, null);
        return text.ToString();
    }

    /// <summary>Two spaces, and no new line at the end.</summary>
    public static string Indented(JsonNode node)
    {
        var text = new StringBuilder();
        Write(text, node, "\n");
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonNode node, string? newLine)
    {
        switch (node)
        {
            case JsonObject members:
                WriteAll(text, '{', '}', [.. members], newLine, (member, inner) =>
                {
                    WriteString(text, member.Key);
                    text.Append(newLine is null ? ":" : ": ");
                    Write(text, member.Value!, inner);
                });
                break;
            case JsonArray items:
                WriteAll(text, '[', ']', [.. items], newLine, (item, inner) => Write(text, item!, inner));
                break;
            default:
                if (node.GetValueKind() == JsonValueKind.String)
                    WriteString(text, node.GetValue<string>());
                else
                    text.Append(node.ToJsonString());
                break;
        }
    }

    private static void WriteAll<T>(StringBuilder text, char open, char close, List<T> items, string? newLine, Action<T, string?> write)
    {
        text.Append(open);
        var inner = newLine is null ? null : newLine + "  ";
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                text.Append(',');
            text.Append(inner);
            write(items[i], inner);
        }
        if (items.Count > 0)
            text.Append(newLine);
        text.Append(close);
    }

    private static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }
}
