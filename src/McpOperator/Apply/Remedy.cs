namespace McpOperator.Apply;

/// <summary>A step before an apply that was refused as invalid (400, 422) is sent again.</summary>
internal abstract record Remedy
{
    private Remedy()
    {
    }

    /// <summary>Applies this first.</summary>
    public sealed record Apply(byte[] Body) : Remedy;

    /// <summary>Sends a strategic merge patch, made for the live object; none when it is empty.</summary>
    public sealed record Patch(Decoder<byte[]> BodyFor) : Remedy;

    /// <summary>Takes over what others own at these paths of fieldsV1 (<see cref="FieldOwnership"/>).</summary>
    public sealed record TakeOver(IReadOnlyList<IReadOnlyList<string>> Paths) : Remedy
    {
        /// <summary>
        /// Takes over those paths that the refusal names; null when it names none. A webhook's or a quota's refusal names no
        /// field, and no take-over would help.
        /// </summary>
        public static TakeOver? Of(IReadOnlyList<IReadOnlyList<string>> paths, ApiException refusal)
        {
            if (refusal.Code != System.Net.HttpStatusCode.UnprocessableEntity || refusal.Status.Details?.Causes is not { } causes)
                return null;
            var faulty = paths.Where(path => causes.Any(cause => Leads(cause.Field, FieldOf(path)))).ToList();
            return faulty.Count == 0 ? null : new TakeOver(faulty);
        }

        /// <summary>The name of the last field in the path; a list item's key may follow it.</summary>
        private static string FieldOf(IReadOnlyList<string> path) =>
            path.Last(step => step.StartsWith("f:", StringComparison.Ordinal))["f:".Length..];

        /// <summary>True when the path of a cause, such as <c>spec.ports[1].name</c>, goes through a field of this name.</summary>
        private static bool Leads(string? path, string field) =>
            path is not null && path.Split('.', '[').Contains(field);
    }
}

/// <summary>An apply that the API server found invalid.</summary>
internal readonly record struct RefusedApply(bool IsNew, IReadOnlyList<Remedy> Tried, ApiException Refusal);
