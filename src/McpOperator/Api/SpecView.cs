using System.Text.Json;

namespace McpOperator.Api;

/// <summary>
/// Reads parts of a spec that stay JSON: types of their own, and lists of them, would cost the deserializer kilobytes each. What is of another type counts as not
/// there, and is told where faults are asked for.
/// </summary>
internal static class SpecView
{
    public const string NotNull = "must not be null: remove it or give it a value";

    /// <summary>Null for none.</summary>
    public static JsonElement? Object(JsonElement? json, string field, SpecFaults? faults) => json is { ValueKind: not JsonValueKind.Null } value ? As(value, field, JsonValueKind.Object, faults) : null;

    /// <summary>Null when there is no such member, or it is null.</summary>
    public static JsonElement? Member(JsonElement parent, string name, string field, JsonValueKind kind, SpecFaults? faults) =>
        parent.Child(name) is { } value ? As(value, $"{field}.{name}", kind, faults) : null;

    public static string? Text(JsonElement parent, string name, string field, SpecFaults? faults) => Member(parent, name, field, JsonValueKind.String, faults)?.GetString();

    public static int? Number(JsonElement parent, string name, string field, SpecFaults? faults)
    {
        if (Member(parent, name, field, JsonValueKind.Number, faults) is not { } value)
            return null;
        if (value.TryGetInt32(out var number))
            return number;
        faults?.Add($"{field}.{name}", Expected(JsonValueKind.Number));
        return null;
    }

    /// <summary>The items of a list, read one by one; without those of another kind.</summary>
    public static List<T> Items<T>(JsonElement parent, string name, string field, JsonValueKind kind, SpecFaults? faults, Func<string, JsonElement, T> read)
        where T : class
    {
        var items = new List<T>();
        if (Member(parent, name, field, JsonValueKind.Array, faults) is not { } list)
            return items;
        var i = 0;
        foreach (var item in list.EnumerateArray())
        {
            var at = $"{field}.{name}[{i++}]";
            if (As(item, at, kind, faults) is { } value)
                items.Add(read(at, value));
        }

        return items;
    }

    private static JsonElement? As(JsonElement value, string field, JsonValueKind kind, SpecFaults? faults)
    {
        if (value.ValueKind == kind)
            return value;
        faults?.Add(field, value.ValueKind == JsonValueKind.Null ? NotNull : Expected(kind));
        return null;
    }

    /// <summary>Of what is of another kind.</summary>
    public static string Expected(JsonValueKind kind) => kind switch
    {
        JsonValueKind.String => "must be text: put it in quotes",
        JsonValueKind.Number => "must be a whole number below 2147483648, without quotes",
        JsonValueKind.Array => "must be a list",
        _ => "must be an object",
    };
}
