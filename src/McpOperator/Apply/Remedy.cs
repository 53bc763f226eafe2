namespace McpOperator.Apply;

/// <summary>What is done before an apply that the API server found invalid is tried again.</summary>
internal abstract record Remedy
{
    private Remedy()
    {
    }

    /// <summary>Applies this first.</summary>
    public sealed record Apply(byte[] Manifest) : Remedy;

    /// <summary>Sends a strategic merge patch.</summary>
    public sealed record Patch(byte[] Body) : Remedy;

    /// <summary>Takes over what others own at these paths of fieldsV1 (<see cref="FieldOwnership"/>).</summary>
    public sealed record TakeOver(IReadOnlyList<IReadOnlyList<string>> Places) : Remedy
    {
        /// <summary>
        /// Of those places where the API server found a fault; null when there are none. A webhook's or a quota's refusal names no
        /// field, and none of the others' fields is in its way.
        /// </summary>
        public static TakeOver? Of(IReadOnlyList<IReadOnlyList<string>> places, ApiException refusal)
        {
            if (refusal.Code != System.Net.HttpStatusCode.UnprocessableEntity || refusal.Status.Details?.Causes is not { } causes)
                return null;
            var faulty = places.Where(place => causes.Any(cause => Leads(cause.Field, FieldOf(place)))).ToList();
            return faulty.Count == 0 ? null : new TakeOver(faulty);
        }

        /// <summary>The last field of a place, which may go on to one of its items.</summary>
        private static string FieldOf(IReadOnlyList<string> place) =>
            place.Last(step => step.StartsWith("f:", StringComparison.Ordinal))["f:".Length..];

        /// <summary>True when the path of a cause, such as <c>spec.ports[1].name</c>, goes through a field of this name.</summary>
        private static bool Leads(string? path, string field) =>
            path is not null && path.Split('.', '[').Contains(field);
    }
}

/// <summary>The remedy that may help after a refusal; null when none will.</summary>
internal delegate Remedy? Recovery(in Attempt attempt);

/// <summary>An apply that the API server found invalid.</summary>
/// <param name="IsNew">Whether the object was not there before.</param>
/// <param name="Tried">The remedies so far.</param>
/// <param name="Refusal">The answer.</param>
internal readonly record struct Attempt(bool IsNew, IReadOnlyList<Remedy> Tried, ApiException Refusal);
