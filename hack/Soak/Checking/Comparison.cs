using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>One thing that is not as it should be.</summary>
internal sealed record Finding(string Object, string Field, string Expected, string Actual)
{
    public override string ToString() => $"{Object}: {Field}\n    expected {Expected}\n    actual   {Actual}";
}

/// <summary>Holds what a server asks for against the live object: nothing missing, and nothing more that the operator owns.</summary>
/// <param name="ports">What names of ports stand for.</param>
internal sealed class Comparison(string subject, IReadOnlyDictionary<string, int> ports, List<Finding> findings)
{
    /// <summary>Stands in an expected object for a value that is not looked at.</summary>
    public const string Anything = "(anything)";

    public const string Manager = "mcp-runtime-operator";

    /// <summary>A member that is null must not be there. Lists of named things go by their names, whatever their order.</summary>
    public void Contains(string path, JsonNode? expected, JsonNode? actual)
    {
        switch (expected)
        {
            case JsonObject members when actual is JsonObject live:
                foreach (var (name, member) in members)
                    Contains($"{path}.{name}", member, live[name]);
                break;
            case JsonArray { Count: 0 } when actual is null or JsonArray:
                break;
            case JsonArray items when actual is JsonArray list:
                if (items[0] is JsonObject first && KeyOf(first) is { } key)
                    foreach (var item in items)
                        Contains($"{path}[{item.Raw(key)}]", item, list.FirstOrDefault(one => one.Raw(key) == item.Raw(key)));
                else if (items.Count != list.Count)
                    Report(path, expected, actual);
                else
                    for (var i = 0; i < items.Count; i++)
                        Contains($"{path}[{i}]", items[i], list[i]);
                break;
            default:
                if (!IsSame(path, expected, actual))
                    Report(path, expected, actual);
                break;
        }
    }

    /// <summary>The ports of a container or a Service are the operator's alone.</summary>
    public void HasNoOther(string path, string key, JsonNode? expected, JsonNode? actual)
    {
        static string[] Keys(JsonNode? list, string key) =>
            [.. (list as JsonArray ?? []).Select(one => one.At(key).Show()).Order(StringComparer.Ordinal)];
        if (!Keys(expected, key).SequenceEqual(Keys(actual, key)))
            Report(path, expected, actual);
    }

    /// <summary>Everything that <c>managedFields</c> says is the operator's is wanted of it.</summary>
    public void OwnsNoMore(JsonObject expected, JsonObject live)
    {
        foreach (var entry in OwnedBy(live))
            OwnsNoMore("", entry, expected);
    }

    /// <summary>What <c>kubectl rollout undo</c> has put into a container of ours, and the spec does not name, is gone.</summary>
    public void HasNothingUndone(string path, JsonObject container, JsonObject live)
    {
        var key = $"k:{new JsonObject { ["name"] = container.Raw("name") }.ToJsonString()}";
        foreach (var entry in live.Items("metadata", "managedFields").Where(entry =>
            entry.Raw("manager") == Neighbours.UndoManager && entry.Raw("operation") == "Update"))
            foreach (var list in new[] { "env", "ports", "volumeMounts" })
                foreach (var (name, _) in entry.At("fieldsV1", "f:spec", "f:template", "f:spec", "f:containers", key, $"f:{list}") as JsonObject ?? [])
                    if (name.StartsWith("k:", StringComparison.Ordinal) && Element(container[list] as JsonArray ?? [], name) is null)
                        findings.Add(new(subject, $"{path}.{list}[{name}]", "taken out again after an undo", "there"));
    }

    /// <summary>Whoever owns all that the operator owns, from a backup, has been taken over from.</summary>
    public void IsNoCopy(JsonObject live)
    {
        foreach (var entry in live.Items("metadata", "managedFields").Where(entry => entry.Raw("manager")?.StartsWith(Neighbours.BackupTool, StringComparison.Ordinal) == true))
            if (OwnedBy(live).Any(ours => HoldsAll(entry["fieldsV1"], ours)))
                findings.Add(new(subject, "metadata.managedFields", $"nothing of the operator's held by {entry.Raw("manager")}", "its copy of them"));
    }

    /// <summary>Whether a backup tool alone holds all items of a list of the pod.</summary>
    public static bool IsRestored(JsonObject live, string list)
    {
        var held = live.Items("metadata", "managedFields")
            .Where(entry => entry.Raw("manager")?.StartsWith(Neighbours.BackupTool, StringComparison.Ordinal) == true)
            .Select(entry => entry.At("fieldsV1", "f:spec", "f:template", "f:spec", $"f:{list}") as JsonObject).OfType<JsonObject>().ToList();
        return live.Items("spec", "template", "spec", list).All(item => held.Exists(theirs =>
            theirs.ContainsKey($"k:{new JsonObject { ["name"] = item.Raw("name") }.ToJsonString()}")));
    }

    private static bool HoldsAll(JsonNode? theirs, JsonObject ours) => ours.Where(field => field.Key != ".")
        .All(field => theirs is JsonObject all && all.TryGetPropertyValue(field.Key, out var below) && HoldsAll(below, field.Value!.AsObject()));

    public static IEnumerable<JsonObject> OwnedBy(JsonObject live) => live.Items("metadata", "managedFields")
        .Where(entry => entry.Raw("manager") == Manager)
        .Select(entry => entry["fieldsV1"]).OfType<JsonObject>();

    /// <summary>The element of a list that a <c>k:{…}</c> or <c>v:…</c> of managedFields names.</summary>
    public static JsonNode? Element(JsonArray list, string name)
    {
        var key = JsonNode.Parse(name[2..]);
        return key is JsonObject keys && name[0] == 'k'
            ? list.FirstOrDefault(one => keys.All(member => one.At(member.Key).Show() == member.Value.Show()))
            : list.FirstOrDefault(one => one.Show() == key.Show());
    }

    private void OwnsNoMore(string path, JsonObject fields, JsonNode? expected)
    {
        foreach (var (name, inner) in fields)
        {
            if (name == ".")
                continue;
            var step = name.StartsWith("f:", StringComparison.Ordinal) ? "." + name[2..] : $"[{name[2..]}]";
            var child = name.StartsWith("f:", StringComparison.Ordinal) ? expected.At(name[2..])
                : expected is JsonArray list ? Element(list, name) : null;
            if (child is null)
                findings.Add(new(subject, path + step, "not owned by the operator", "owned by it"));
            else if (inner is JsonObject { Count: > 0 } more && child is JsonObject or JsonArray)
                OwnsNoMore(path + step, inner.AsObject(), child);
        }
    }

    private bool IsSame(string path, JsonNode? expected, JsonNode? actual)
    {
        if (expected is null || actual is null)
            // An API server leaves out an empty value.
            return expected is null == actual is null || expected.Raw() == "" || expected.Raw() == Anything;
        if (expected.Raw() == Anything || expected.Show() == actual.Show())
            return true;
        if (expected.GetValueKind() == JsonValueKind.Number && actual.Raw() is { } name
            && (path.EndsWith(".port", StringComparison.Ordinal) || path.EndsWith(".targetPort", StringComparison.Ordinal)))
            return ports.TryGetValue(name, out var port) && port == expected.Number();
        return path.Contains(".resources.", StringComparison.Ordinal) && expected.Raw() is { } wanted && actual.Raw() is { } given
            && TryQuantity(given) == TryQuantity(wanted);
    }

    private static decimal? TryQuantity(string text)
    {
        try
        {
            return Quantity.Of(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? KeyOf(JsonObject item) => item.ContainsKey("name") ? "name" : item.ContainsKey("type") ? "type" : null;

    private void Report(string path, JsonNode? expected, JsonNode? actual) =>
        findings.Add(new(subject, path, expected.Show(), actual.Show()));
}
