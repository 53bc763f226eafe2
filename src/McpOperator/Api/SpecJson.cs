using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace McpOperator.Api;

/// <summary>Reads the spec of a custom resource.</summary>
internal static class SpecJson
{
    /// <summary>
    /// Null when there is none, or when it does not fit the types (a CRD without a schema lets anything in): then the faults
    /// say where.
    /// </summary>
    public static T? Read<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type, out IReadOnlyList<SpecFault>? faults)
        where T : class
    {
        faults = null;
        if (json.IsEmpty)
            return null;
        T? spec = null;
        try
        {
            spec = JsonSerializer.Deserialize(json.Span, type);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Its message names one place only, in the deserializer's words. The search below finds all of them.
        }

        // The deserializer accepts null in lists and maps whose type allows none.
        if (spec is not null && json.Span.IndexOf("null"u8) < 0)
            return spec;
        using var document = ParsedJson.Of(json);
        List<SpecFault> found = [.. Mismatches(document.Root, typeof(T), "spec", inCollection: false)];
        if (found.Count == 0 && spec is not null)
            return spec;
        faults = found.Count > 0 ? found : [new SpecFault("spec", "holds text that is not valid Unicode, or is nested too deeply")];
        return null;
    }

    /// <summary>The places where <paramref name="json"/> does not fit <paramref name="type"/>.</summary>
    private static IEnumerable<SpecFault> Mismatches(JsonElement json, Type type, string path, bool inCollection)
    {
        if (json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return inCollection ? [new SpecFault(path, SpecView.NotNull)] : [];
        if (type == typeof(JsonElement?))
            return [];
        if (type == typeof(string))
            return json.ValueKind == JsonValueKind.String ? [] : [new SpecFault(path, SpecView.Expected(JsonValueKind.String))];
        if (type == typeof(int?))
        {
            return json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out _)
                ? []
                : [new SpecFault(path, SpecView.Expected(JsonValueKind.Number))];
        }

        if (type == typeof(bool?))
        {
            return json.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? []
                : [new SpecFault(path, "must be true or false, without quotes")];
        }

        var info = ApiJsonContext.Default.GetTypeInfo(type)!;
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => InList(json, info, path),
            JsonTypeInfoKind.Dictionary => InMap(json, info, path),
            _ => InObject(json, info, path),
        };
    }

    private static IEnumerable<SpecFault> InList(JsonElement json, JsonTypeInfo info, string path) =>
        json.ValueKind == JsonValueKind.Array
            ? json.EnumerateArray().SelectMany((item, index) => Mismatches(item, info.ElementType!, $"{path}[{index}]", inCollection: true))
            : [new SpecFault(path, SpecView.Expected(JsonValueKind.Array))];

    private static IEnumerable<SpecFault> InMap(JsonElement json, JsonTypeInfo info, string path) =>
        json.ValueKind == JsonValueKind.Object
            ? json.EnumerateObject().SelectMany(entry =>
                Mismatches(entry.Value, info.ElementType!, $"{path}[{SpecFaults.Plain(entry.Name)}]", inCollection: true))
            : [new SpecFault(path, "must be a map of names to text")];

    private static IEnumerable<SpecFault> InObject(JsonElement json, JsonTypeInfo info, string path) =>
        json.ValueKind == JsonValueKind.Object
            ? info.Properties.SelectMany(field =>
                Mismatches(Property(json, field.Name), field.PropertyType, $"{path}.{field.Name}", inCollection: false))
            : [new SpecFault(path, SpecView.Expected(JsonValueKind.Object))];

    private static JsonElement Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;
}
