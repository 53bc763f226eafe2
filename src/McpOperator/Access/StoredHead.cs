using System.Text.Json;
using McpOperator.Apply;

namespace McpOperator.Access;

/// <summary>What a stored policy says of its server. Null when the document is not ours, whatever it hashes to.</summary>
internal sealed record StoredHead(PolicyHead? Head)
{
    /// <param name="isTakenOver">Whether the predecessor has reported on the server since this operator did.</param>
    public static StoredHead Decode(JsonElement json, ApiIdentity identity, bool isTakenOver)
    {
        // Of what the predecessor wrote we own nothing before our first apply, nor the document after it was at work again.
        var isOurs = identity.OwnedFields.Owns(json, "f:data", "f:policy.json")
            || ((isTakenOver || identity.OwnedFields.Fingerprint(json) == OwnedFields.None)
                && FieldOwnership.PatchOfPredecessor(json, isStatus: false, identity) is not null);
        if (!isOurs || json.Child("data"u8)?.Child("policy.json"u8) is not { ValueKind: JsonValueKind.String } value)
            return new StoredHead(Head: null);
        using var text = JsonText.Of(value);
        return new StoredHead(PolicyHead.Read(text.Bytes));
    }
}
