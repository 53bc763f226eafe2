using System.Text.Json;

namespace McpOperator.Apply;

/// <summary>Who changed which field of an object since we applied it, from the object and its managedFields.</summary>
/// <param name="Field">The first field that differs; null when none does any more.</param>
/// <param name="Writer">For a person.</param>
internal sealed record OtherWriter(string? Field, string Writer)
{
    /// <summary>Removing a field, or the object, leaves no entry in managedFields.</summary>
    private const string Unknown = "somebody whom its managedFields do not name";

    private const string Ourselves = "another operator with other settings";

    /// <summary>The keys of list items.</summary>
    private static readonly string[] Keys = ["name", "containerPort", "port", "mountPath", "uid", "key"];

    public static OtherWriter Of(JsonElement live, ReadOnlyMemory<byte> body, ApiIdentity identity)
    {
        using var document = JsonDocument.Parse(body, JsonLimits.Document);
        var wanted = document.RootElement;
        List<Claim> claims = [];
        foreach (var entry in OwnedFields.EntriesOf(live))
            if (entry.Child("fieldsV1"u8) is { } fields)
                claims.Add(new Claim(entry, fields));
        foreach (var member in wanted.EnumerateObject())
            if (member.Name is not ("apiVersion" or "kind") && Difference(member, live, "", claims) is { } place)
                return new OtherWriter(place.Path, WriterOf(place.Owners, identity));
        // All that we want is there, but we own more than that.
        foreach (var claim in claims)
            if (identity.OwnedFields.IsOurs(claim.Entry, isStatus: false) && Surplus(claim.Fields, wanted, path: "") is { } path)
                return new OtherWriter(path, Ourselves);
        return new OtherWriter(null, Unknown);
    }

    private static string WriterOf(List<Claim> owners, ApiIdentity identity)
    {
        if (owners.Count == 0)
            return Unknown;
        if (owners.Exists(owner => identity.OwnedFields.IsOurs(owner.Entry, isStatus: false)))
            return Ourselves;
        var last = owners.MaxBy(static owner => owner.Entry.Text("time"u8), StringComparer.Ordinal).Entry;
        return $"{last.Text("manager"u8)} ({last.Text("operation"u8)})";
    }

    private static Place? Difference(JsonProperty wanted, JsonElement live, string path, List<Claim> claims)
    {
        var at = Join(path, wanted.Name);
        // No manager owns these.
        if (path == "metadata" && (wanted.Name is "name" or "namespace" or "uid" or "resourceVersion"))
            return null;
        List<Claim> below = [.. claims.SelectMany(claim => claim.Below(wanted.Name))];
        return live.TryGetProperty(wanted.Name, out var value) ? Difference(wanted.Value, value, at, below)
            : IsEmpty(wanted.Value) ? null
            : new Place(at, below);
    }

    private static Place? Difference(JsonElement wanted, JsonElement live, string path, List<Claim> claims)
    {
        switch (wanted.ValueKind, live.ValueKind)
        {
            case (JsonValueKind.Object, JsonValueKind.Object):
                foreach (var member in wanted.EnumerateObject())
                    if (Difference(member, live, path, claims) is { } place)
                        return place;
                return null;
            case (JsonValueKind.Array, JsonValueKind.Array):
                var index = 0;
                foreach (var item in wanted.EnumerateArray())
                {
                    var key = Keys.FirstOrDefault(key => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(key, out _));
                    var at = $"{path}[{(key is null ? index : item.GetProperty(key))}]";
                    if (IndexOf(item, key, live, index) is not { } found)
                        return new Place(at, []);
                    var there = live[found];
                    if (Difference(item, there, at, [.. claims.SelectMany(claim => claim.Below(there, found))]) is { } place)
                        return place;
                    index++;
                }

                return null;
            default:
                return JsonElement.DeepEquals(wanted, live) ? null : new Place(path, claims);
        }
    }

    /// <summary>The index of the item in another list.</summary>
    private static int? IndexOf(JsonElement item, string? key, JsonElement list, int index)
    {
        if (key is null)
            return index < list.GetArrayLength() ? index : null;
        var value = item.GetProperty(key);
        for (var i = 0; i < list.GetArrayLength(); i++)
            if (list[i].ValueKind == JsonValueKind.Object && list[i].TryGetProperty(key, out var other) && JsonElement.DeepEquals(value, other))
                return i;
        return null;
    }

    /// <summary>A field that is owned and not wanted.</summary>
    private static string? Surplus(JsonElement fields, JsonElement wanted, string path)
    {
        var items = 0;
        foreach (var field in fields.EnumerateObject())
        {
            if (field.Name.StartsWith("f:", StringComparison.Ordinal))
            {
                var name = field.Name["f:".Length..];
                if (wanted.ValueKind != JsonValueKind.Object || !wanted.TryGetProperty(name, out var value))
                    return Join(path, name);
                if (Surplus(field.Value, value, Join(path, name)) is { } found)
                    return found;
            }
            else if (field.Name != ".")
            {
                items++;
            }
        }

        if (items == 0)
            return null;
        if (wanted.ValueKind != JsonValueKind.Array)
            return path;
        var index = 0;
        foreach (var item in wanted.EnumerateArray())
        {
            if (FieldPath.TryFindItem(fields, item, index, out var below))
            {
                items--;
                if (Surplus(below, item, $"{path}[{index}]") is { } found)
                    return found;
            }

            index++;
        }

        return items > 0 ? path : null;
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.String => value.ValueEquals(""u8),
        JsonValueKind.Object => !value.HasMembers(),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };

    private static string Join(string path, string name) =>
        name.AsSpan().ContainsAny('.', '/') ? $"{path}[{name}]" : path.Length == 0 ? name : $"{path}.{name}";

    private readonly record struct Place(string Path, List<Claim> Owners);

    /// <summary>What a manager owns below some path.</summary>
    private readonly record struct Claim(JsonElement Entry, JsonElement Fields)
    {
        public IEnumerable<Claim> Below(string name) =>
            IsLeaf ? [this] : Fields.TryGetProperty($"f:{name}", out var below) ? [this with { Fields = below }] : [];

        public IEnumerable<Claim> Below(JsonElement item, int index) =>
            IsLeaf ? [this] : FieldPath.TryFindItem(Fields, item, index, out var below) ? [this with { Fields = below }] : [];

        /// <summary>Whoever owns a leaf owns all that is below it.</summary>
        private bool IsLeaf => !Fields.HasMembers();
    }
}
