using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Apply;

/// <summary>
/// Transfers ownership of fields to us by editing <c>metadata.managedFields</c>, which changes no value. The next apply then
/// removes them, since it does not name them. Needed where fields of others make ours invalid (422): an apply keeps both, and two
/// ports have one name, or a probe has two handlers.
/// </summary>
/// <remarks>client-go does the same for users of kubectl (util/csaupgrade).</remarks>
internal static class FieldOwnership
{
    /// <summary>
    /// Transfers what others own below these paths of fieldsV1, such as <c>f:spec</c>, <c>f:ports</c>. Somebody may have emptied
    /// managedFields: then nobody owns anything, and no apply removes what is there. With the first apply that it accepts, here one of
    /// no field at all, the API server writes down what was there before, as that of <c>before-first-apply</c>.
    /// </summary>
    /// <returns>The object as it is then; null when others own nothing there.</returns>
    public static async Task<T?> TakeOverAsync<T>(
        ApiClient api, ResourceType type, ObjectKey key, IReadOnlyList<IReadOnlyList<string>> paths, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
    {
        string? unowned = null;
        var taken = await TakeAsync().ConfigureAwait(false);
        if (unowned is null)
            return taken;
        // The uid, since an apply would create what is gone.
        var nothing = new JsonObject
        {
            ["apiVersion"] = type.ApiVersion,
            ["kind"] = type.Kind,
            ["metadata"] = new JsonObject { ["name"] = key.Name, ["uid"] = unowned },
        };
        await api.ApplyAsync(type, key, ApplyBody.Write(json => nothing.WriteTo(json)), force: false, static _ => true, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return await TakeAsync().ConfigureAwait(false);

        Task<T?> TakeAsync() => PatchAsync(api, type, key, PatchOf, decode, cancellationToken);

        byte[] PatchOf(JsonElement live)
        {
            unowned = OwnedFields.EntriesOf(live).Any() ? null : live.Child("metadata"u8)?.Text("uid"u8);
            return PatchOfPaths(live, paths, api.Identity) ?? [];
        }
    }

    /// <summary>
    /// Transfers the predecessor's fields. It wrote whole objects with plain updates, and no field can be removed while it is
    /// listed as an owner. Only while we own no field ourselves (<see cref="OwnedFields.None"/>), or it has written the status of
    /// the custom resource since: its manager name is a common one, and another entry of that name may be another operator's.
    /// </summary>
    /// <param name="isStatus">Of the status alone; else of all but the status.</param>
    /// <returns>The object as it is then; null when it owns nothing.</returns>
    public static Task<T?> TakeOverPredecessorAsync<T>(
        ApiClient api, ResourceType type, ObjectKey key, bool isStatus, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class =>
        PatchAsync(api, type, key, live => PatchOfPredecessor(live, isStatus, api.Identity) ?? [], decode, cancellationToken);

    /// <summary>
    /// Takes from whoever copied our fields (<see cref="CopiedFields"/>) their share in them, so that they go when we apply them
    /// no longer. What else they own stays theirs; a status is ours as a whole.
    /// </summary>
    /// <param name="isStatus">Of the status alone; else of all but the status.</param>
    /// <returns>The object as it is then; null when there is no copy.</returns>
    public static Task<T?> TakeOverCopiesAsync<T>(
        ApiClient api, ResourceType type, ObjectKey key, bool isStatus, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class =>
        PatchAsync(api, type, key, live => PatchOfCopies(live, isStatus, api.Identity) ?? [], decode, cancellationToken);

    /// <summary>The JSON patch of <see cref="TakeOverPredecessorAsync"/>; null when there is nothing to take over.</summary>
    public static byte[]? PatchOfPredecessor(JsonElement live, bool isStatus, ApiIdentity identity)
    {
        if (identity.Predecessor is not { } predecessor
            || !live.TryGetMember("metadata"u8, out var metadata)
            || !metadata.TryGetMember("managedFields"u8, out var stored)
            || JsonNode.Parse(stored.GetRawText()) is not JsonArray entries)
        {
            return null;
        }

        var ours = entries.FirstOrDefault(entry => Is(entry, identity.FieldManager, "Apply", isStatus))?.AsObject();
        var found = false;
        foreach (var entry in entries.ToArray())
        {
            // Field names may differ in another API version.
            if (!Is(entry, predecessor, "Update", isStatus) || (string?)entry!["apiVersion"] != live.Text("apiVersion"u8)
                || entry["fieldsV1"] is not JsonObject theirs)
                continue;

            // Before 1.22 one entry, without a subresource, holds spec and status: take the status only.
            var taken = theirs;
            if (isStatus && entry["subresource"] is null)
            {
                if (theirs["f:status"] is not { } status)
                    continue;
                theirs.Remove("f:status");
                taken = new JsonObject { ["f:status"] = status };
            }

            if (taken == theirs || theirs.Count == 0)
                entries.Remove(entry);
            found = true;
            if (ours is null)
            {
                ours = entry.DeepClone().AsObject();
                ours["manager"] = identity.FieldManager;
                ours["operation"] = "Apply";
                ours["fieldsV1"] = taken.DeepClone();
                entries.Add((JsonNode)ours);
            }
            else
            {
                Merge(ours["fieldsV1"]!.AsObject(), taken);
            }
        }

        return found ? Write(metadata.Text("resourceVersion"u8) ?? "", entries) : null;
    }

    /// <summary>
    /// The JSON patch of <see cref="TakeOverAsync"/>; null when there is nothing to take over. It fails with a conflict when the
    /// object has changed meanwhile.
    /// </summary>
    public static byte[]? PatchOfPaths(JsonElement live, IReadOnlyList<IReadOnlyList<string>> paths, ApiIdentity identity)
    {
        if (!live.TryGetMember("metadata"u8, out var metadata)
            || !metadata.TryGetMember("managedFields"u8, out var stored)
            || JsonNode.Parse(stored.GetRawText()) is not JsonArray entries)
        {
            return null;
        }

        // A restored object is ours, but has no entry of ours before the next apply.
        var own = entries.FirstOrDefault(entry => IsOurs(entry) && entry!["fieldsV1"] is JsonObject);
        var ours = own?["fieldsV1"]!.AsObject() ?? [];
        JsonNode? from = null;
        foreach (var entry in entries)
        {
            if (IsOurs(entry) || entry?["subresource"] is not null || entry?["fieldsV1"] is not JsonObject theirs)
                continue;
            foreach (var path in paths)
            {
                if (Move(theirs, ours, path))
                    from ??= entry;
            }
        }

        if (from is null)
            return null;
        if (own is null)
        {
            own = from.DeepClone();
            (own["manager"], own["operation"], own["fieldsV1"]) = (identity.FieldManager, "Apply", ours);
            entries.Add(own);
        }

        return Write(metadata.Text("resourceVersion"u8) ?? "", entries);

        bool IsOurs(JsonNode? entry) => Is(entry, identity.FieldManager, "Apply", isStatus: false);
    }

    /// <summary>The JSON patch of <see cref="TakeOverCopiesAsync"/>; null when there is no copy.</summary>
    public static byte[]? PatchOfCopies(JsonElement live, bool isStatus, ApiIdentity identity)
    {
        var owned = identity.OwnedFields;
        if (!owned.TryFindOurs(live, isStatus, out var ours))
            return null;
        var fields = JsonNode.Parse(ours.GetRawText())!.AsObject();
        var entries = new JsonArray();
        JsonNode? own = null;
        var found = false;
        foreach (var entry in OwnedFields.EntriesOf(live))
        {
            var kept = JsonNode.Parse(entry.GetRawText())!;
            if (owned.IsOurs(entry, isStatus))
            {
                own ??= kept;
            }
            else if (CopiedFields.IsCopy(entry, ours, isStatus))
            {
                found = true;
                var theirs = kept["fieldsV1"]!.AsObject();
                if (isStatus)
                    Move(theirs, fields, ["f:status"]);
                else
                    Subtract(theirs, fields);
                if (theirs.Count == 0)
                    continue;
            }

            entries.Add(kept);
        }

        own!["fieldsV1"] = fields;
        return found ? Write(live.ResourceVersion() ?? "", entries) : null;
    }

    private static async Task<T?> PatchAsync<T>(
        ApiClient api, ResourceType type, ObjectKey key, Decoder<byte[]> patchOf, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class =>
        await api.FindAsync(type, key, patchOf, cancellationToken: cancellationToken).ConfigureAwait(false) is { Length: > 0 } patch
            ? await api.JsonPatchAsync(type, key, patch, decode, cancellationToken).ConfigureAwait(false)
            : null;

    /// <summary>Removes what both own. A parent left empty is removed as well: an empty set owns the whole field.</summary>
    private static void Subtract(JsonObject theirs, JsonObject ours)
    {
        foreach (var (step, below) in ours)
        {
            if (theirs[step] is not JsonObject copied)
                continue;
            if (copied.Count > 0 && below is JsonObject { Count: > 0 } part)
                Subtract(copied, part);
            else
                copied.Clear();
            if (copied.All(static left => left.Key == "."))
                theirs.Remove(step);
        }
    }

    private static bool Is(JsonNode? entry, string manager, string operation, bool isStatus) =>
        (string?)entry?["manager"] == manager && (string?)entry["operation"] == operation
        && (entry["subresource"] is not { } name || (isStatus && (string?)name == "status"));

    /// <summary>Moves the fields at a path. A parent left empty is removed: an empty set owns the whole field.</summary>
    private static bool Move(JsonObject theirs, JsonObject ours, IReadOnlyList<string> path, int depth = 0)
    {
        var step = path[depth];
        if (theirs[step] is not JsonObject below)
            return false;
        var target = ours[step] as JsonObject ?? [];
        if (depth == path.Count - 1)
            Merge(target, below);
        else if (!Move(below, target, path, depth + 1))
            return false;

        if (depth == path.Count - 1 || below.Count == 0)
            theirs.Remove(step);
        if (target.Parent is null)
            ours[step] = target;
        return true;
    }

    /// <summary>Adds the fields of one fieldsV1 to another.</summary>
    public static void Merge(JsonObject target, JsonObject source)
    {
        foreach (var (step, below) in source)
        {
            if (target[step] is JsonObject present)
            {
                Merge(present, (JsonObject)below!);
                continue;
            }

            target[step] = below?.DeepClone();
        }
    }

    private static byte[] Write(string resourceVersion, JsonArray entries) => ApplyBody.Write(
        json => new JsonArray(Replace("/metadata/resourceVersion", resourceVersion), Replace("/metadata/managedFields", entries)).WriteTo(json));

    private static JsonObject Replace(string path, JsonNode value) => new() { ["op"] = "replace", ["path"] = path, ["value"] = value };
}
