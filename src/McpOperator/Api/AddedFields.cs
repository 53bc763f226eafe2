using System.Runtime.InteropServices;
using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>The difference of a spec and the spec in effect, by their JSON, so that it need not name the fields.</summary>
internal static class AddedFields
{
    /// <summary>The fields that are unset in the spec (absent, blank, or a port of 0) and set in the other one. Null without any.</summary>
    public static MCPServerSpec? Of(MCPServerSpec spec, MCPServerSpec effective)
    {
        var type = ApiJsonContext.Default.MCPServerSpec;
        using var given = JsonSerializer.SerializeToDocument(spec, type);
        using var filled = JsonSerializer.SerializeToDocument(effective, type);
        return IsAdded(filled.RootElement, given.RootElement)
            ? JsonSerializer.Deserialize(ApplyBody.Write(json => Write(json, filled.RootElement, given.RootElement)), type)
            : null;
    }

    private static void Write(Utf8JsonWriter json, JsonElement effective, JsonElement given)
    {
        json.WriteStartObject();
        foreach (var field in effective.EnumerateObject())
        {
            given.TryGetProperty(field.Name, out var before);
            if (!IsAdded(field.Value, before))
                continue;
            json.WritePropertyName(field.Name);
            if (before.ValueKind == JsonValueKind.Object)
                Write(json, field.Value, before);
            else
                field.Value.WriteTo(json);
        }

        json.WriteEndObject();
    }

    /// <summary>Whether the value, or a field of it, is there only by default.</summary>
    private static bool IsAdded(JsonElement effective, JsonElement given)
    {
        if (given.ValueKind == JsonValueKind.Object)
        {
            foreach (var field in effective.EnumerateObject())
            {
                given.TryGetProperty(field.Name, out var before);
                if (IsAdded(field.Value, before))
                    return true;
            }

            return false;
        }

        // Both were written by the same serializer, so that the same value is the same text. JsonElement.DeepEquals would bring
        // 14 kB into the binary.
        return given.ValueKind switch
        {
            JsonValueKind.Undefined => true,
            // A text that differs was blank, or is the user's and was only trimmed.
            JsonValueKind.String => string.IsNullOrWhiteSpace(given.GetString()) && !IsSame(),
            // A list got a default in one of its elements, or a port was 0.
            _ => !IsSame(),
        };

        bool IsSame() => JsonMarshal.GetRawUtf8Value(effective).SequenceEqual(JsonMarshal.GetRawUtf8Value(given));
    }
}
