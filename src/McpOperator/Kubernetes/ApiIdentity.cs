namespace McpOperator.Kubernetes;

/// <summary>As what the program is known to the API server.</summary>
/// <param name="UserAgent">In the audit log; the version is added.</param>
/// <param name="FieldManager">In <c>metadata.managedFields</c>. Changing it orphans every field ever written.</param>
/// <param name="Predecessor">The field manager of an operator that this one takes the place of; null for none.</param>
internal sealed record ApiIdentity(string UserAgent, string FieldManager, string? Predecessor = null)
{
    /// <summary>What is ours of an object.</summary>
    public OwnedFields OwnedFields { get; } = new(FieldManager, Predecessor);
}
