using System.Text.Json;

namespace McpOperator.Apply;

/// <summary>
/// What is kept in memory of an owned object: its owner, the fingerprint of our fields and, in the subclass, its readiness. Not
/// the object: there are thousands.
/// </summary>
internal abstract class Observed : IKubernetesObject
{
    /// <param name="labelledOwner"><see cref="LabelledOwner"/>.</param>
    protected Observed(JsonElement json, OwnedFields ours, string? labelledOwner)
    {
        var metadata = json.GetProperty("metadata"u8);
        Key = new ObjectKey(metadata.Interned("namespace"u8) ?? "", metadata.Interned("name"u8) ?? "");
        Uid = metadata.Text("uid"u8) ?? "";
        ResourceVersion = metadata.Text("resourceVersion"u8) ?? "";
        Generation = metadata.Number("generation"u8);
        LabelledOwner = labelledOwner;
        Fingerprint = ours.Fingerprint(json);
        CopiedBy = ours.FindCopy(json);
        HasFinalizers = metadata.Child("finalizers"u8).HasItem(static _ => true);
        if (metadata.Child("deletionTimestamp"u8) is not null)
            Finalizers = FinalizersOf(metadata);
        if (metadata.Child("ownerReferences"u8) is { ValueKind: JsonValueKind.Array } owners)
        {
            foreach (var owner in owners.EnumerateArray())
            {
                if (owner.Child("controller"u8) is { ValueKind: JsonValueKind.True })
                {
                    ControllerUid = owner.Interned("uid"u8);
                    ControllerApiVersion = owner.Interned("apiVersion"u8);
                    ControllerKind = owner.Interned("kind"u8);
                    ControllerName = owner.Interned("name"u8);
                }
            }
        }
    }

    public ObjectKey Key { get; }

    public string Uid { get; }

    public string ResourceVersion { get; }

    public long Generation { get; }

    /// <summary>The owner that our labels name; null without them.</summary>
    public string? LabelledOwner { get; }

    /// <summary>Of the controller reference; null when it has none.</summary>
    public string? ControllerUid { get; }

    public string? ControllerApiVersion { get; }

    public string? ControllerKind { get; }

    public string? ControllerName { get; }

    /// <summary>
    /// Whether managedFields show that we wrote it, though label and owner are gone. Only for kinds that override it.
    /// </summary>
    public virtual bool WasAppliedByUs => false;

    /// <summary>Equals the fingerprint of the manifest while the object carries exactly what we applied.</summary>
    public ulong Fingerprint { get; }

    /// <summary>The manager that copied our fields (<see cref="CopiedFields"/>); null, as a rule, for nobody.</summary>
    public string? CopiedBy { get; }

    /// <summary>
    /// The finalizers of an object that is being deleted, for messages (may be empty); null when it is not being deleted.
    /// </summary>
    public string? Finalizers { get; }

    public bool IsTerminating => Finalizers is not null;

    /// <summary>Whether it is still there for a while when it is deleted.</summary>
    public bool HasFinalizers { get; }

    /// <summary>Whether its controller is of this kind and group, in any version.</summary>
    public bool IsControlledBy(ResourceType type) => ControllerKind == type.Kind
        && ControllerApiVersion is { } version && version.AsSpan(0, Math.Max(0, version.IndexOf('/', StringComparison.Ordinal))).SequenceEqual(type.Group);

    private static string FinalizersOf(JsonElement metadata) => metadata.Child("finalizers"u8) is { ValueKind: JsonValueKind.Array } names
        ? string.Join(", ", names.EnumerateArray())
        : "";
}
