namespace McpOperator.Testing;

public sealed record ControlPlaneOptions
{
    /// <summary>Generous, since it is only ever waited for in full by a start that fails.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Appended to kube-apiserver's arguments, where a later one overrides an earlier one of the same name.</summary>
    public IReadOnlyList<string> ApiServerArguments { get; init; } = [];

    /// <summary>What kube-apiserver writes into its audit log, as the YAML of an audit.k8s.io/v1 Policy.</summary>
    public string AuditPolicy { get; init; } = AuditLog.Policy;

    /// <summary>Gets a line for anything that takes more than a moment.</summary>
    public Action<string> Progress { get; init; } = Console.Error.WriteLine;

    /// <summary>USE_EXISTING_CLUSTER=true: the cluster of KUBECONFIG instead of one of our own.</summary>
    public bool UseExistingCluster { get; init; } = Flag("USE_EXISTING_CLUSTER");

    /// <summary>KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT=true: the output of etcd and kube-apiserver goes to stderr too.</summary>
    public bool AttachOutput { get; init; } = Flag("KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT");

    private static bool Flag(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { } value && (value == "1" || bool.TryParse(value, out var on) && on);
}
