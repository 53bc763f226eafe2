using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// One step of a fieldsV1 path, by its prefix: <c>f:name</c> a member, <c>k:{"name":"x"}</c> the list item with these
/// key fields, <c>v:"x"</c> the set item with this value, <c>i:0</c> the item at this index, <c>.</c> the thing itself.
/// </summary>
internal static class FieldPath
{
    /// <summary>The fields owned below one item of an array; false when it is not owned.</summary>
    public static bool TryFindItem(JsonElement fields, JsonElement item, int index, out JsonElement below)
    {
        foreach (var field in fields.EnumerateObject())
        {
            using var step = JsonText.Of(field);
            if (IsStepTo(step.Bytes, item, index))
            {
                below = field.Value;
                return true;
            }
        }
        below = default;
        return false;
    }

    /// <summary>Whether a step, such as <c>k:{"name":"x"}</c>, leads to this item of a list.</summary>
    public static bool IsStepTo(string step, JsonElement item, int index) => IsStepTo(System.Text.Encoding.UTF8.GetBytes(step), item, index);

    private static bool IsStepTo(ReadOnlySpan<byte> step, JsonElement item, int index)
    {
        try
        {
            return IsWellFormedStepTo(step, item, index);
        }
        catch (JsonException)
        {
            // Only the API server writes these, but it lets anyone edit them.
            return false;
        }
    }

    private static bool IsWellFormedStepTo(ReadOnlySpan<byte> step, JsonElement item, int index)
    {
        if (step.StartsWith("k:"u8))
            return item.ValueKind == JsonValueKind.Object && HasKey(item, step[2..]);
        if (step.StartsWith("v:"u8))
        {
            var reader = new Utf8JsonReader(step[2..]);
            return reader.Read() && IsSame(item, ref reader);
        }
        return step.StartsWith("i:"u8)
            && System.Buffers.Text.Utf8Parser.TryParse(step[2..], out int owned, out _) && owned == index;
    }

    /// <summary>
    /// True when the item has these key fields. Some of several may be missing from the item: the API server puts a default of
    /// the schema (the <c>protocol</c> of a port) into the key even where it does not put it into the item.
    /// </summary>
    private static bool HasKey(JsonElement item, ReadOnlySpan<byte> key)
    {
        var reader = new Utf8JsonReader(key);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;

        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var present = TryFind(item, ref reader, out var value);
            if (!reader.Read() || (present && !IsSame(value, ref reader)))
                return false;
            found |= present;
        }
        return found;
    }

    /// <summary>The member that the reader's property name names.</summary>
    private static bool TryFind(JsonElement item, ref Utf8JsonReader name, out JsonElement value)
    {
        foreach (var member in item.EnumerateObject())
        {
            using var text = JsonText.Of(member);
            if (name.ValueTextEquals(text.Bytes))
            {
                value = member.Value;
                return value.ValueKind != JsonValueKind.Null;
            }
        }
        value = default;
        return false;
    }

    private static bool IsSame(JsonElement value, ref Utf8JsonReader token)
    {
        switch (token.TokenType)
        {
            case JsonTokenType.String when value.ValueKind == JsonValueKind.String:
                using (var text = JsonText.Of(value))
                    return token.ValueTextEquals(text.Bytes);
            case JsonTokenType.Number when value.ValueKind == JsonValueKind.Number:
                return System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value).SequenceEqual(token.ValueSpan);
            case JsonTokenType.True:
                return value.ValueKind == JsonValueKind.True;
            case JsonTokenType.False:
                return value.ValueKind == JsonValueKind.False;
            default:
                return false;
        }
    }
}
