using System.Text.Json;

namespace McpOperator.Commands.Manifests;

/// <summary>The fields in which two versions of an object differ, as a person writes them: <c>spec.ports[http].targetPort</c>.</summary>
internal static class ChangedFields
{
    public static IEnumerable<string> Of(JsonElement before, JsonElement after) => Of(before, after, "");

    private static IEnumerable<string> Of(JsonElement? before, JsonElement? after, string path)
    {
        (before, after) = (before is { ValueKind: JsonValueKind.Null } ? null : before, after is { ValueKind: JsonValueKind.Null } ? null : after);
        if (before is null && after is null)
            return [];
        if (before is { ValueKind: JsonValueKind.Object } left && after is { ValueKind: JsonValueKind.Object } right)
        {
            var names = left.EnumerateObject().Concat(right.EnumerateObject()).Select(static member => member.Name).Distinct().Order(StringComparer.Ordinal);
            return names.SelectMany(name => Of(left.Child(name), right.Child(name), path.Length == 0 ? name : $"{path}.{name}"));
        }

        if (before is { ValueKind: JsonValueKind.Array } one && after is { ValueKind: JsonValueKind.Array } other
            && Named(one) is { } items && Named(other) is { } others)
        {
            return items.Keys.Union(others.Keys).SelectMany(name => Of(
                items.TryGetValue(name, out var item) ? item : null, others.TryGetValue(name, out var its) ? its : null, $"{path}[{name}]"));
        }

        return before is { } some && after is { } same && JsonElement.DeepEquals(some, same) ? [] : [path];
    }

    /// <summary>By their names; null when one has none, or two have the same.</summary>
    private static Dictionary<string, JsonElement>? Named(JsonElement list)
    {
        var named = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        return list.EnumerateArray().All(item => item.Text("name"u8) is { } name && named.TryAdd(name, item)) ? named : null;
    }
}
