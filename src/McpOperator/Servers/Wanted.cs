using McpOperator.Apply;

namespace McpOperator.Servers;

/// <summary>What a pass wants of an object.</summary>
internal abstract record Wanted
{
    private Wanted()
    {
    }

    /// <summary>It is to be so.</summary>
    /// <param name="Manifest">Makes the apply configuration: every field that we own, and no other.</param>
    /// <param name="Recover">Asked when the API server finds it invalid.</param>
    /// <param name="IsRepair">
    /// Whether nothing else is wanted than before, so that a difference is somebody else's doing. Null: so it is when the generation
    /// of the spec has been reported on before.
    /// </param>
    /// <param name="Removal">What is to be taken out of one that is there (<see cref="Desired{T}"/>).</param>
    public sealed record Apply(
        Func<byte[]> Manifest, Recovery? Recover = null, bool? IsRepair = null, Func<Observed, byte[]?>? Removal = null) : Wanted;

    /// <summary>It is not to be there.</summary>
    public sealed record Absent : Wanted;

    /// <summary>It stays as it is.</summary>
    public sealed record Keep : Wanted;

    /// <summary>It is wanted, and must not be there for now.</summary>
    public sealed record Withhold(Problem Problem) : Wanted;
}
