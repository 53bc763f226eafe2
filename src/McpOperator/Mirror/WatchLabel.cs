using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Mirror;

/// <summary>
/// The label that our watches select. If a webhook or policy gives it another value when we write it, no watch would ever show
/// the object: that is seen in the answer to the write, and reported.
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

    /// <summary>A change by a webhook is listed as an Update of the writer.</summary>
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
