using System.Text.Json;
using McpOperator.Controller;

namespace McpOperator.Apply;

/// <summary>Objects of one kind that custom resources own, and their store.</summary>
/// <param name="HasPreconditions">
/// Whether bodies name preconditions (uid, resourceVersion). Such a body is not sent again after a Retry-After: by then it may be
/// outdated.
/// </param>
/// <param name="LongestPause">Between two repairs of a contested object; null for <see cref="Contest.LongestPause"/>.</param>
/// <param name="Unwatched">Why the watch cannot see an object (it lacks the label that is selected); null when it can.</param>
internal sealed record OwnedObjects<T>(
    ResourceType Type, Decoder<T> Decode, Store<T> Store, bool HasPreconditions = false, TimeSpan? LongestPause = null,
    Func<JsonElement, Problem?>? Unwatched = null)
    where T : Observed
{
    /// <summary>The object of this name, if the owner controls it or may adopt it.</summary>
    public T? FindOwned(Owner owner, ObjectKey key) =>
        Store.Get(key) is { } live && owner.WhyNotOwned(Type, live) is null ? live : null;
}
