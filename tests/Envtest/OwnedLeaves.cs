using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>One value that the operator owns in a live object.</summary>
/// <param name="Path">Names it however the lists around it are ordered: <c>/spec/ports[80,TCP]/targetPort</c>.</param>
/// <param name="Pointer">Where it stands in this very object, as a JSON patch names it.</param>
public sealed record OwnedLeaf(string Path, string Pointer, JsonValue Value);

/// <summary>
/// Reads from <c>metadata.managedFields</c> what the operator's applies own, down to the single value. Written apart from
/// the operator's own reading of it, so that a fault there cannot hide.
/// </summary>
public static class OwnedLeaves
{
    public static IReadOnlyList<OwnedLeaf> Of(JsonObject live)
    {
        var entry = ((JsonArray?)live["metadata"]!["managedFields"] ?? []).SingleOrDefault(entry =>
            (string?)entry!["manager"] == ServerScenario.FieldManager && (string?)entry["operation"] == "Apply" && entry["subresource"] is null);
        return entry is null ? [] : [.. Below(live, entry["fieldsV1"]!.AsObject(), "", "")];
    }

    /// <summary>Paths and values, as text that says at a glance what differs.</summary>
    public static string Text(JsonObject live) =>
        string.Join('\n', Of(live).Select(leaf => $"{leaf.Path} = {leaf.Value.ToJsonString()}").Order(StringComparer.Ordinal));

    private static IEnumerable<OwnedLeaf> Below(JsonNode? node, JsonObject fields, string path, string pointer)
    {
        if (fields.Count == 0)
            return Whole(node, path, pointer);
        return fields.Where(step => step.Key != ".").SelectMany(step => Step(node, step.Key, step.Value!.AsObject(), path, pointer));
    }

    private static IEnumerable<OwnedLeaf> Step(JsonNode? node, string step, JsonObject below, string path, string pointer)
    {
        var name = step[2..];
        if (step.StartsWith("f:", StringComparison.Ordinal))
            return node?[name] is { } member ? Below(member, below, $"{path}/{name}", $"{pointer}/{Escape(name)}") : [];
        var keys = JsonNode.Parse(name)!;
        var items = node!.AsArray();
        var index = step.StartsWith("k:", StringComparison.Ordinal)
            ? items.ToList().FindIndex(item => keys.AsObject().All(key => JsonNode.DeepEquals(item![key.Key], key.Value)))
            : items.ToList().FindIndex(item => JsonNode.DeepEquals(item, keys));
        var title = keys is JsonObject several ? string.Join(',', several.Select(key => $"{key.Value}")) : $"{keys}";
        // The uid of an owner is another one in each run.
        if (path.EndsWith("/ownerReferences", StringComparison.Ordinal))
            title = "owner";
        return index < 0 ? [] : Below(items[index], below, $"{path}[{title}]", $"{pointer}/{index}");
    }

    private static IEnumerable<OwnedLeaf> Whole(JsonNode? node, string path, string pointer) => node switch
    {
        JsonObject members => members.SelectMany(member => Whole(member.Value, $"{path}/{member.Key}", $"{pointer}/{Escape(member.Key)}")),
        JsonArray items => items.SelectMany((item, index) => Whole(item, $"{path}[{index}]", $"{pointer}/{index}")),
        JsonValue value => [new OwnedLeaf(path, pointer, value)],
        _ => [],
    };

    private static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
