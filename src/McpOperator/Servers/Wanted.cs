using McpOperator.Apply;

namespace McpOperator.Servers;

/// <summary>The desired state of an object.</summary>
internal abstract record Wanted
{
    private Wanted()
    {
    }

    /// <summary>The object must look like this.</summary>
    /// <param name="Manifest">Builds the apply configuration: every field that we own, and no other.</param>
    /// <param name="Recover">Asked for a remedy when the API server refuses it as invalid.</param>
    /// <param name="IsRepair">Whether a difference is drift, not an edit. Null: it is, if the status is about this generation.</param>
    /// <param name="Removal">What to remove from the live object (<see cref="Desired{T}"/>).</param>
    public sealed record Apply(
        Func<byte[]> Manifest, Recovery? Recover = null, bool? IsRepair = null, Func<Observed, byte[]?>? Removal = null) : Wanted;

    /// <summary>The object must not exist.</summary>
    public sealed record Absent : Wanted;

    /// <summary>The object stays as it is.</summary>
    public sealed record Keep : Wanted;

    /// <summary>The object is wanted, but must not exist for now.</summary>
    public sealed record Withhold(Problem Problem) : Wanted;
}
