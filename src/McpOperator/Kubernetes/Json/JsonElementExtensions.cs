using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Look-ups that never throw, whatever the JSON is: a member that is absent or of another type counts as not there.
/// </summary>
internal static class JsonElementExtensions
{
    /// <summary>False when it is no object, has no such member or the member is null.</summary>
    public static bool TryGetMember(this JsonElement element, ReadOnlySpan<byte> name, out JsonElement member)
    {
        member = default;
        return element.ValueKind == JsonValueKind.Object
            && element.TryGetProperty(name, out member)
            && member.ValueKind != JsonValueKind.Null;
    }

    /// <summary>Null when it is no object, has no such member or the member is null.</summary>
    public static JsonElement? Child(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetMember(name, out var child) ? child : null;

    /// <summary>True of an object that is not empty.</summary>
    public static bool HasMembers(this JsonElement element) => element.ValueKind == JsonValueKind.Object && element.EnumerateObject().MoveNext();

    /// <inheritdoc cref="Child(JsonElement, ReadOnlySpan{byte})"/>
    public static JsonElement? Child(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var child) && child.ValueKind != JsonValueKind.Null ? child : null;

    /// <summary>Null when there is no such member, or it is no string.</summary>
    public static string? Text(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetMember(name, out var child) && child.ValueKind == JsonValueKind.String ? child.GetString() : null;

    /// <summary>As <see cref="Text"/>, for texts that come many times: see <see cref="StringPool"/>.</summary>
    public static string? Interned(this JsonElement element, ReadOnlySpan<byte> name)
    {
        if (!element.TryGetMember(name, out var child) || child.ValueKind != JsonValueKind.String)
            return null;
        using var text = JsonText.Of(child);
        return StringPool.Intern(text.Bytes);
    }

    /// <summary>True when the member of this name is this text.</summary>
    public static bool Is(this JsonElement element, ReadOnlySpan<byte> name, string text) =>
        element.TryGetMember(name, out var child) && child.ValueKind == JsonValueKind.String && child.ValueEquals(text);

    /// <summary>True when it is an array with such an item. LINQ would allocate an enumerator for each watch event.</summary>
    public static bool HasItem(this JsonElement? array, Predicate<JsonElement> isSo)
    {
        if (array is not { ValueKind: JsonValueKind.Array } items)
            return false;
        foreach (var item in items.EnumerateArray())
        {
            if (isSo(item))
                return true;
        }

        return false;
    }

    /// <summary>The first item whose member of this name is this text; null when there is none, or it is no array.</summary>
    public static JsonElement? FindItem(this JsonElement? array, ReadOnlySpan<byte> name, string text)
    {
        if (array is not { ValueKind: JsonValueKind.Array } items)
            return null;
        foreach (var item in items.EnumerateArray())
        {
            if (item.Is(name, text))
                return item;
        }

        return null;
    }

    /// <summary>metav1.Time; null when there is no such member, or it is no time.</summary>
    public static DateTimeOffset? Time(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetMember(name, out var child) && child.ValueKind == JsonValueKind.String && child.TryGetDateTimeOffset(out var time)
            ? time
            : null;

    /// <summary>0 when there is no such member, or it is no whole number.</summary>
    public static long Number(this JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetMember(name, out var child) && child.ValueKind == JsonValueKind.Number && child.TryGetInt64(out var number)
            ? number
            : 0;

    /// <summary>
    /// Whether it can be an object of the API server, which has a name. A proxy's answer that happens to be JSON is none.
    /// </summary>
    public static bool IsObject(this JsonElement element) =>
        element.TryGetMember("metadata"u8, out var metadata) && metadata.TryGetMember("name"u8, out var name)
        && name.ValueKind == JsonValueKind.String && !name.ValueEquals(""u8);

    public static string? ResourceVersion(this JsonElement element) =>
        element.TryGetMember("metadata"u8, out var metadata) ? metadata.Text("resourceVersion"u8) : null;
}
