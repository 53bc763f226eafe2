using System.Text.Json;
using McpOperator.Apply;

namespace McpOperator.Access;

/// <summary>What a stored policy says of its server. Null when the document is not ours, whatever it hashes to.</summary>
internal sealed record StoredHead(PolicyHead? Head)
{
    public static StoredHead Decode(JsonElement json, ApiIdentity identity)
    {
        // Of what the predecessor wrote we own nothing before our first apply.
        var isOurs = identity.OwnedFields.Owns(json, "f:data", "f:policy.json")
            || (identity.OwnedFields.Fingerprint(json) == OwnedFields.None
                && FieldOwnership.PatchOfPredecessor(json, isStatus: false, identity) is not null);
        if (!isOurs || json.Child("data"u8)?.Child("policy.json"u8) is not { ValueKind: JsonValueKind.String } value)
            return new StoredHead(Head: null);
        using var text = JsonText.Of(value);
        return new StoredHead(PolicyHead.Read(text.Bytes));
    }
}
