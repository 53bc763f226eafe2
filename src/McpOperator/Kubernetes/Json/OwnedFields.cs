using System.Runtime.CompilerServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Tells from a live object alone whether it carries exactly what we want of it, so that an apply which would change
/// nothing is not sent, not even after a restart.
/// </summary>
/// <remarks>
/// <para>
/// With every server-side apply the API server writes down, in <c>metadata.managedFields</c>, which fields the manager
/// now owns: just those of the body. When another writer changes or removes one of them, it is struck off our list.
/// The live object cut down to that list is therefore the body of our last apply as far as it still stands, and
/// <see cref="Fingerprint(JsonElement)"/> is a hash of it. <see cref="FingerprintOf(ReadOnlyMemory{byte})"/> is the same hash of the
/// body that we would send now. They are equal if and only if (but for 2⁻⁶⁴)
/// </para>
/// <list type="bullet">
/// <item>every field that we want is there, ours, and has the value that we want: no drift;</item>
/// <item>we own no field that we want no longer: nothing is left to be removed.</item>
/// </list>
/// <para>
/// What others added (a sidecar, an annotation, the server's defaults) is not on our list and makes no difference. A field on
/// our list that is not there is one that we applied as an empty string and the server did not store.
/// </para>
/// <para>
/// Hazards, all on the side of the body. Values must be written as the API server prints them (<c>500m</c>, not
/// <c>0.5</c>). A value that is atomic in the schema (a selector, the rules of an Ingress, <c>fieldRef</c>) is owned as
/// a whole, defaults included: write those out. An empty object where others may add (<c>annotations: {}</c>) cannot be
/// told from an atomic one: leave it out. Each of these only costs an apply per look, never a wrong object.
/// </para>
/// <para>
/// Some differences no apply can remove: those hazards, and, on older API servers (seen with 1.20), the order of environment
/// variables, which they keep as it is live. So the caller compares the answer to its apply, too, and when that differs
/// from the intent still, remembers the pair and does not apply again before one of them changes.
/// </para>
/// <para>
/// Formats: structured-merge-diff, fieldpath/serialize-pe.go and typed/tofieldset.go.
/// </para>
/// </remarks>
/// <param name="manager">Our name there.</param>
/// <param name="predecessor">That of the operator before this one; null for none.</param>
internal sealed class OwnedFields(string manager, string? predecessor = null)
{
    /// <summary>The fingerprint of an object of which we own no field. No body of an apply has it.</summary>
    public const ulong None = 0;

    /// <summary>
    /// Whether it is a list of objects whose order matters: a variable may refer to the ones before it, the last source of a variable counts,
    /// and containers are initialised by one after another. Items of the other lists are found by their keys.
    /// </summary>
    private static bool IsOrdered(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("env"u8) || name.SequenceEqual("envFrom"u8) || name.SequenceEqual("initContainers"u8);

    /// <summary>A selector that is empty selects everything, and one that is not there nothing. No other object means something by being empty.</summary>
    private static bool IsSelector(ReadOnlySpan<byte> name) => name.SequenceEqual("labelSelector"u8) || name.SequenceEqual("namespaceSelector"u8);

    /// <summary>Of the part of <paramref name="live"/> that our own applies account for.</summary>
    public ulong Fingerprint(JsonElement live) => Fingerprint(live, isStatus: false);

    /// <summary>
    /// The fingerprint of the status, for an object of which we apply nothing but the status. API servers name the subresource since
    /// 1.22.
    /// </summary>
    public ulong FingerprintOfStatus(JsonElement live) => Fingerprint(live, isStatus: true);

    /// <summary>Of the body of an apply: a whole object with apiVersion, kind and name.</summary>
    public static ulong FingerprintOf(ReadOnlyMemory<byte> body)
    {
        using var document = ParsedJson.Of(body);
        var intent = document.Root;
        var members = 0UL;
        foreach (var member in intent.EnumerateObject())
        {
            if (member.NameEquals("apiVersion"u8) || member.NameEquals("kind"u8))
                continue;
            if (member.NameEquals("metadata"u8))
                members += Metadata(member);
            else
                TryAdd(member, ref members);
        }
        return NotNone(JsonHash.OfObject(members));
    }

    /// <summary>Whether a field of the object still has the value that we applied: whoever writes another one becomes its owner.</summary>
    /// <param name="path">Steps of fieldsV1, such as <c>f:data</c>.</param>
    public bool Owns(JsonElement live, params ReadOnlySpan<string> path)
    {
        if (!TryFindOurs(live, isStatus: false, out var fields))
            return false;
        foreach (var step in path)
        {
            if (fields.ValueKind != JsonValueKind.Object || !fields.TryGetProperty(step, out fields))
                return false;
        }

        return true;
    }

    /// <summary>The first manager who has a copy of what is ours (<see cref="CopiedFields"/>), of the object or its status; null for none.</summary>
    public string? FindCopy(JsonElement live, bool isStatus = false)
    {
        if (!TryFindOurs(live, isStatus, out var ours))
            return null;
        foreach (var entry in EntriesOf(live))
        {
            if (!IsOurs(entry, isStatus) && CopiedFields.IsCopy(entry, ours, isStatus))
                return entry.Interned("manager"u8);
        }

        return null;
    }

    /// <summary>The list of metadata.managedFields; empty when there is none.</summary>
    public static JsonElement.ArrayEnumerator EntriesOf(JsonElement live) =>
        live.TryGetMember("metadata"u8, out var metadata) && metadata.TryGetMember("managedFields"u8, out var entries)
        && entries.ValueKind == JsonValueKind.Array
            ? entries.EnumerateArray()
            : default;

    /// <summary>Whether an entry is down to us, whatever we did: an apply, or what a webhook made of it.</summary>
    public bool IsOfOurManager(JsonElement entry) => Is(entry, "manager"u8, manager);

    /// <summary>Whether an entry is that of our applies, of the object or of its status. The server keeps one of each.</summary>
    public bool IsOurs(JsonElement entry, bool isStatus) =>
        Is(entry, "manager"u8, manager) && Is(entry, "operation"u8, "Apply")
        && (!entry.TryGetMember("subresource"u8, out var name) || (isStatus && name.ValueEquals("status"u8)));

    /// <summary>Whether the predecessor is down as an owner of the status: it has been at work since the last one of ours.</summary>
    public bool IsStatusOfPredecessor(JsonElement live)
    {
        if (predecessor is null)
            return false;
        foreach (var entry in EntriesOf(live))
        {
            if (Is(entry, "manager"u8, predecessor) && Is(entry, "operation"u8, "Update") && (entry.Text("subresource"u8) ?? "status") == "status"
                && entry.Text("apiVersion"u8) == live.Text("apiVersion"u8) && entry.Child("fieldsV1"u8)?.Child("f:status"u8) is not null)
                return true;
        }

        return false;
    }

    private ulong Fingerprint(JsonElement live, bool isStatus) =>
        TryFindOurs(live, isStatus, out var fields) && TryProject(live, fields, isOrdered: false, out var hash) ? NotNone(hash) : None;

    /// <summary>What we own of the object, or of its status; false for nothing.</summary>
    /// <param name="fields">Of fieldsV1.</param>
    public bool TryFindOurs(JsonElement live, bool isStatus, out JsonElement fields)
    {
        fields = default;
        foreach (var entry in EntriesOf(live))
        {
            if (IsOurs(entry, isStatus) && entry.TryGetMember("fieldsV1"u8, out fields))
                return true;
        }

        return false;
    }

    private static bool Is(JsonElement entry, ReadOnlySpan<byte> name, string value) =>
        entry.TryGetMember(name, out var member) && member.ValueKind == JsonValueKind.String && member.ValueEquals(value);

    // === The body of an apply ===

    /// <summary>The metadata of a body, without the fields that managedFields never records (apimachinery managedfields/internal/stripmeta.go).</summary>
    private static ulong Metadata(JsonProperty metadata)
    {
        var members = 0UL;
        var any = false;
        foreach (var member in metadata.Value.EnumerateObject())
        {
            var recorded = !(member.NameEquals("name"u8) || member.NameEquals("namespace"u8) || member.NameEquals("uid"u8)
                || member.NameEquals("resourceVersion"u8) || member.NameEquals("generation"u8)
                || member.NameEquals("creationTimestamp"u8) || member.NameEquals("managedFields"u8));
            any |= recorded && TryAdd(member, ref members);
        }
        return any ? JsonHash.OfMember(JsonHash.OfName(metadata), JsonHash.OfObject(members)) : 0;
    }

    /// <summary>
    /// The hash of a value with all below it. False for null and for an empty array or object, which count as absent: the server drops
    /// most of them, and records no owner for an empty array or, up to about 1.20, for an empty object.
    /// </summary>
    private static bool TryWhole(JsonElement value, bool isOrdered, out ulong hash)
    {
        hash = 0;
        // What is nested so deeply was not applied by us.
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return false;
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return false;

            case JsonValueKind.Object:
                return TryMembers(value, out hash);

            case JsonValueKind.Array:
                var items = 0;
                foreach (var item in value.EnumerateArray())
                {
                    TryWhole(item, isOrdered, out var itemHash);
                    hash = Append(hash, itemHash, item, isOrdered);
                    items++;
                }
                hash = JsonHash.OfArray(hash);
                return items > 0;

            default:
                hash = JsonHash.OfScalar(value);
                return true;
        }
    }

    private static bool TryMembers(JsonElement value, out ulong hash)
    {
        hash = 0;
        var any = false;
        foreach (var member in value.EnumerateObject())
            any |= TryAdd(member, ref hash);
        hash = JsonHash.OfObject(hash);
        return any;
    }

    private static bool TryAdd(JsonProperty member, ref ulong members)
    {
        using var name = JsonText.Of(member);
        // The core group, as it is where none is named: schemas fill it in, and an API server of 1.20 was seen to take an empty text in a custom resource for null.
        if (name.Bytes.SequenceEqual("group"u8) && member.Value.ValueKind == JsonValueKind.String && member.Value.ValueEquals(""u8))
            return false;
        if (!TryWhole(member.Value, IsOrdered(name.Bytes), out var hash) && !(IsSelector(name.Bytes) && member.Value.ValueKind == JsonValueKind.Object))
            return false;
        members += JsonHash.OfMember(JsonHash.OfName(name.Bytes), hash);
        return true;
    }

    // === The live object, cut down to the fields owned ===

    /// <summary>The hash of those parts of <paramref name="live"/> that <paramref name="fields"/> names. False when there are none.</summary>
    private static bool TryProject(JsonElement live, JsonElement fields, bool isOrdered, out ulong hash)
    {
        // Owning a leaf means to own all that is below it.
        if (!fields.HasMembers() || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return TryWhole(live, isOrdered, out hash);

        return live.ValueKind switch
        {
            JsonValueKind.Object => ProjectObject(live, fields, out hash),
            JsonValueKind.Array => ProjectArray(live, fields, isOrdered, out hash),
            _ => TryWhole(live, isOrdered, out hash),
        };
    }

    /// <summary>
    /// "." (the object itself) adds nothing to the fields below it, and alone means an empty object, which counts as absent. A field
    /// that is owned and not there was applied as an empty string.
    /// </summary>
    private static bool ProjectObject(JsonElement live, JsonElement fields, out ulong hash)
    {
        hash = 0;
        var any = false;
        foreach (var field in fields.EnumerateObject())
        {
            using var step = JsonText.Of(field);
            if (!step.Bytes.StartsWith("f:"u8))
                continue;
            var name = step.Bytes[2..];
            ulong value;
            if (!live.TryGetProperty(name, out var member))
                value = JsonHash.OfEmptyString;
            else if (!TryProject(member, field.Value, IsOrdered(name), out value) && !(IsSelector(name) && member.ValueKind == JsonValueKind.Object))
                continue;
            hash += JsonHash.OfMember(JsonHash.OfName(name), value);
            any = true;
        }
        hash = JsonHash.OfObject(hash);
        return any;
    }

    private static bool ProjectArray(JsonElement live, JsonElement fields, bool isOrdered, out ulong hash)
    {
        hash = 0;
        var items = 0;
        var index = 0;
        foreach (var item in live.EnumerateArray())
        {
            if (FieldPath.TryFindItem(fields, item, index++, out var below))
            {
                TryProject(item, below, isOrdered, out var itemHash);
                hash = Append(hash, itemHash, item, isOrdered);
                items++;
            }
        }
        hash = JsonHash.OfArray(hash);
        return items > 0;
    }

    private static ulong Append(ulong items, ulong hash, JsonElement item, bool isOrdered) =>
        isOrdered || item.ValueKind != JsonValueKind.Object ? JsonHash.Append(items, hash) : items + JsonHash.Append(0, hash);

    private static ulong NotNone(ulong hash) => hash == None ? 1 : hash;
}
