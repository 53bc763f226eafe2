using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Mirror;

/// <summary>
/// The label by which our objects are watched. Where something in the cluster gives it another value the moment that we write it, no
/// watch would ever tell what becomes of the object: that is seen in the answer to the write, and said.
/// </summary>
internal static class WatchLabel
{
    /// <summary>Null when the object has it.</summary>
    public static Problem? Overwritten(JsonElement live, OwnedFields ours)
    {
        var labels = live.Child("metadata"u8)?.Child("labels"u8);
        if (labels?.Is("app.kubernetes.io/managed-by"u8, Labels.ManagedByValue) == true)
            return null;
        var value = labels?.Text("app.kubernetes.io/managed-by"u8);
        var by = OwnerOf(live, ours);
        return new Problem(
            Problem.LabelOverwritten,
            $"the label {Labels.ManagedBy} of {live.Text("kind"u8)} {live.Child("metadata"u8)?.Text("name"u8)} is not \"{Labels.ManagedByValue}\" any more but "
            + $"{(value is null ? "gone" : $"\"{value}\"")}, by {by ?? "a mutating webhook or policy"}: the operator finds its objects by it, and does not see "
            + "what becomes of this one; exempt the operator's objects from the rule that rewrites it");
    }

    /// <summary>What a webhook makes of a write is down as the writer's update.</summary>
    private static string? OwnerOf(JsonElement live, OwnedFields ours)
    {
        foreach (var entry in OwnedFields.EntriesOf(live))
        {
            if (!ours.IsOfOurManager(entry)
                && entry.Child("fieldsV1"u8)?.Child("f:metadata"u8)?.Child("f:labels"u8)?.Child("f:app.kubernetes.io/managed-by"u8) is not null)
                return entry.Text("manager"u8);
        }

        return null;
    }
}
