using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Soak;

/// <summary>Short ways to what stands in an object, or does not.</summary>
internal static class Json
{
    public static JsonNode? At(this JsonNode? node, params IReadOnlyList<string> path)
    {
        foreach (var name in path)
            node = (node as JsonObject)?[name];
        return node;
    }

    /// <summary>Trimmed; null when it is absent or blank, which counts as unset.</summary>
    public static string? Text(this JsonNode? node, params IReadOnlyList<string> path) =>
        node.Raw(path)?.Trim() is { Length: > 0 } text ? text : null;

    /// <summary>As it stands there.</summary>
    public static string? Raw(this JsonNode? node, params IReadOnlyList<string> path) =>
        node.At(path) is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    /// <summary>Null when it is absent or 0, which means the default for a port.</summary>
    public static int? Port(this JsonNode? node, params IReadOnlyList<string> path) => node.Number(path) is { } n and not 0 ? (int)n : null;

    public static long? Number(this JsonNode? node, params IReadOnlyList<string> path) =>
        node.At(path) is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            ? long.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)
            : null;

    public static bool Flag(this JsonNode? node, params IReadOnlyList<string> path) => node.At(path)?.GetValueKind() == JsonValueKind.True;

    public static IEnumerable<JsonObject> Items(this JsonNode? node, params IReadOnlyList<string> path) =>
        (node.At(path) as JsonArray ?? []).OfType<JsonObject>();

    public static string Name(this JsonObject live) => live.Raw("metadata", "name")!;

    public static string Namespace(this JsonObject live) => live.Raw("metadata", "namespace")!;

    public static string Uid(this JsonObject live) => live.Raw("metadata", "uid")!;

    public static JsonObject? Controller(this JsonObject live) =>
        live.Items("metadata", "ownerReferences").FirstOrDefault(owner => owner.Flag("controller"));

    public static bool IsManaged(this JsonObject live) =>
        live.Raw("metadata", "labels", "app.kubernetes.io/managed-by") == "mcp-runtime";

    public static string Key(string @namespace, string name) => $"{@namespace}/{name}";

    public static string Key(this JsonObject live) => Key(live.Namespace(), live.Name());

    public static string Show(this long number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Show(this int number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Show(this JsonNode? node) => node?.ToJsonString() ?? "(absent)";
}
