using System.Text.Json;
using McpOperator.Controller;

namespace McpOperator.Apply;

/// <summary>Objects of one kind that custom resources own, as the API server was last seen to hold them.</summary>
/// <param name="Type">The kind.</param>
/// <param name="Decode">What is kept of an object.</param>
/// <param name="Store">Where it is kept.</param>
/// <param name="IsExact">
/// Whether an apply is for what was read, by preconditions in its manifest, and for this moment: it is not sent again, as it is, when
/// the API server asks to come back later.
/// </param>
/// <param name="LongestPause">Between two repairs of one that is contested; null for <see cref="Contest.LongestPause"/>.</param>
/// <param name="Unwatched">Why no watch sees an object, for it lacks the label that is asked for; null when it has it.</param>
internal sealed record OwnedObjects<T>(
    ResourceType Type, Decoder<T> Decode, Store<T> Store, bool IsExact = false, TimeSpan? LongestPause = null,
    Func<JsonElement, Problem?>? Unwatched = null)
    where T : Observed
{
    /// <summary>What is there of the owner's under this name.</summary>
    public T? Find(Owner owner, ObjectKey key) =>
        Store.Get(key) is { } live && owner.OwnershipConflict(Type, live) is null ? live : null;
}
