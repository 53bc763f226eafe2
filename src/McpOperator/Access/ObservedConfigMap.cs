using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Access;

/// <summary>A ConfigMap with a policy.</summary>
internal sealed class ObservedConfigMap : Observed
{
    public ObservedConfigMap(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        IsImmutable = json.Child("immutable"u8) is { ValueKind: JsonValueKind.True };
        HoldsOurs = ours.Owns(json, "f:data", "f:policy.json");
        NeedsNewPods = json.Child("metadata"u8)?.Child("annotations"u8)?.Is("mcpruntime.org/policy-needs-new-pods"u8, "true") == true;
        if (json.Child("data"u8)?.Child("policy.json"u8) is not { ValueKind: JsonValueKind.String } value)
            return;
        using var text = JsonText.Of(value);
        Policy = StoredPolicy.Read(text.Bytes);
    }

    /// <summary>True when it can only be deleted, not changed.</summary>
    public bool IsImmutable { get; }

    /// <summary><see cref="PolicyConfigMapBuilder.NeedsNewPods"/>.</summary>
    public bool NeedsNewPods { get; }

    /// <summary>
    /// Whether managedFields say that we wrote the document: labels, owner and a document that hashes to its revision are
    /// anybody's to give who may write ConfigMaps.
    /// </summary>
    public bool HoldsOurs { get; }

    /// <inheritdoc/>
    public override bool WasAppliedByUs => Fingerprint != OwnedFields.None;

    /// <summary>Null when it holds no valid policy document.</summary>
    public StoredPolicy? Policy { get; }
}
