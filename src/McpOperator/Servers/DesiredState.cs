using McpOperator.Apply;

namespace McpOperator.Servers;

/// <summary>The desired state of an object.</summary>
internal abstract record DesiredState
{
    private DesiredState()
    {
    }

    /// <summary>The object must look like this.</summary>
    /// <param name="Body">Builds the apply configuration: every field that we own, and no other.</param>
    /// <param name="RemedyFor">Asked for a remedy when the API server refuses it as invalid.</param>
    /// <param name="IsRepair">Whether a difference is drift, not an edit. Null: it is, if the status is about this generation.</param>
    /// <param name="Removal">What to remove from the live object (<see cref="ApplyRequest{T}"/>).</param>
    public sealed record Apply(
        Func<byte[]> Body, Func<RefusedApply, Remedy?>? RemedyFor = null, bool? IsRepair = null, Func<Observed, byte[]?>? Removal = null) : DesiredState;

    /// <summary>The object must not exist.</summary>
    public sealed record Absent : DesiredState;

    /// <summary>The object stays as it is.</summary>
    public sealed record Keep : DesiredState;

    /// <summary>The object is wanted, but must not exist for now.</summary>
    public sealed record Withhold(Problem Problem) : DesiredState;
}
