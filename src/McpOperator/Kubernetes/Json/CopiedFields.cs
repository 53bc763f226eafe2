using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Tells a copy from a neighbour in <c>metadata.managedFields</c>. A tool that restored an object, or somebody who applied it as it
/// is, owns beside us all that we own, so that nothing which we apply no longer would ever go. A neighbour owns a part: a scaler the
/// number of replicas, a GitOps tool labels, whoever edits what was edited.
/// </summary>
internal static class CopiedFields
{
    /// <summary>
    /// To whom the API server gives what stood there before the first apply, of an object without managedFields (apimachinery,
    /// managedfields/internal/skipnonapplied.go).
    /// </summary>
    private const string BeforeFirstApply = "before-first-apply";

    /// <param name="entry">Theirs, of managedFields.</param>
    /// <param name="ours">Our fields.</param>
    /// <param name="isStatus">Whether it is the status that is ours, and nothing else.</param>
    public static bool IsCopy(JsonElement entry, JsonElement ours, bool isStatus) => isStatus ? IsCopyOfStatus(entry, ours) : IsCopy(entry, ours);

    /// <summary>
    /// All our labels, and something in each part of the object in which we have anything. Not each field: those that had another value
    /// were taken from them by our apply.
    /// </summary>
    private static bool IsCopy(JsonElement entry, JsonElement ours) =>
        !entry.TryGetMember("subresource"u8, out _) && entry.TryGetMember("fieldsV1"u8, out var theirs)
        && (entry.Is("manager"u8, BeforeFirstApply) ? Overlap(theirs, ours) : HasAllLabels(theirs, ours) && HasEachPart(theirs, ours));

    /// <summary>Each condition that we tell.</summary>
    private static bool IsCopyOfStatus(JsonElement entry, JsonElement ours) =>
        entry.TryGetMember("fieldsV1"u8, out var theirs)
        && TryGet(ours, "f:status"u8, "f:conditions"u8, out var conditions) && TryGet(theirs, "f:status"u8, "f:conditions"u8, out var copied)
        && HasEach(copied, conditions);

    private static bool HasAllLabels(JsonElement theirs, JsonElement ours) =>
        TryGet(ours, "f:metadata"u8, "f:labels"u8, out var labels) && TryGet(theirs, "f:metadata"u8, "f:labels"u8, out var copied)
        && HasEach(copied, labels);

    private static bool HasEachPart(JsonElement theirs, JsonElement ours)
    {
        foreach (var part in ours.EnumerateObject())
        {
            using var name = JsonText.Of(part);
            if (part.Value.HasMembers() && !(theirs.TryGetMember(name.Bytes, out var copied) && copied.HasMembers()))
                return false;
        }

        return true;
    }

    private static bool HasEach(JsonElement theirs, JsonElement ours)
    {
        foreach (var field in ours.EnumerateObject())
        {
            using var name = JsonText.Of(field);
            if (!field.NameEquals("."u8) && !theirs.TryGetMember(name.Bytes, out _))
                return false;
        }

        return true;
    }

    /// <summary>Whether one field is owned by both.</summary>
    private static bool Overlap(JsonElement theirs, JsonElement ours)
    {
        foreach (var field in ours.EnumerateObject())
        {
            if (field.NameEquals("."u8))
                continue;
            using var name = JsonText.Of(field);
            if (theirs.TryGetMember(name.Bytes, out var copied) && (!copied.HasMembers() || !field.Value.HasMembers() || Overlap(copied, field.Value)))
                return true;
        }

        return false;
    }

    private static bool TryGet(JsonElement fields, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, out JsonElement found)
    {
        found = default;
        return fields.TryGetMember(first, out var below) && below.TryGetMember(second, out found) && found.ValueKind == JsonValueKind.Object;
    }
}
