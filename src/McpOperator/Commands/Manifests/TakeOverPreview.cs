using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Apply;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// What the take-over from the operator before this one leaves of an object: fields that only that one owns go with the first apply after
/// it. No dry run can be asked that, for it is two writes.
/// </summary>
internal static class TakeOverPreview
{
    private static readonly string[][] Parts = [["spec"], ["data"], ["metadata", "labels"], ["metadata", "annotations"]];

    /// <param name="live">The object as it is.</param>
    /// <param name="applied">The answer to a dry run of the apply alone.</param>
    /// <returns>
    /// A JSON patch for a dry run of its own, in which the API server fills in defaults again; null when nothing goes.
    /// </returns>
    public static byte[]? PatchOf(JsonElement live, JsonElement applied, ApiIdentity identity)
    {
        JsonObject theirs = [], kept = [];
        foreach (var entry in OwnedFields.EntriesOf(applied))
        {
            if (entry.Text("subresource"u8) is null && entry.Child("fieldsV1"u8) is { ValueKind: JsonValueKind.Object } fields)
                FieldOwnership.Merge(identity.Predecessor is { } predecessor && entry.Is("manager"u8, predecessor) && entry.Is("operation"u8, "Update") ? theirs : kept, JsonObject.Create(fields)!);
        }

        var after = JsonObject.Create(applied)!.DeepClone().AsObject();
        Remove(after, theirs, kept);
        if (JsonNode.DeepEquals(after, JsonObject.Create(applied)))
            return null;
        var before = JsonObject.Create(live)!;
        var patch = new JsonArray();
        foreach (var part in Parts)
        {
            if (!JsonNode.DeepEquals(At(before, part), At(after, part)))
                patch.Add((JsonNode)new JsonObject { ["op"] = "add", ["path"] = $"/{string.Join('/', part)}", ["value"] = At(after, part)?.DeepClone() ?? new JsonObject() });
        }

        return Encoding.UTF8.GetBytes(patch.ToJsonString());
    }

    private static JsonNode? At(JsonObject json, string[] path) => path.Aggregate((JsonNode?)json, static (node, name) => node?[name]);

    private static void Remove(JsonNode node, JsonObject theirs, JsonObject? kept)
    {
        foreach (var (step, fields) in theirs)
        {
            var below = fields!.AsObject();
            var ofOthers = kept?[step] as JsonObject;
            var isAllTheirs = ofOthers is null && (below.Count == 0 || below.ContainsKey("."));
            if (node is JsonObject members && step.StartsWith("f:", StringComparison.Ordinal) && members[step[2..]] is { } member)
            {
                if (isAllTheirs)
                    members.Remove(step[2..]);
                else
                    Remove(member, below, ofOthers);
            }
            else if (node is JsonArray items && IndexOf(items, step) is var index and >= 0)
            {
                if (isAllTheirs)
                    items.RemoveAt(index);
                else
                    Remove(items[index]!, below, ofOthers);
            }
        }
    }

    private static int IndexOf(JsonArray items, string step)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i] is { } item && FieldPath.IsStepTo(step, JsonElement.Parse(item.ToJsonString()), i))
                return i;
        }

        return -1;
    }
}
