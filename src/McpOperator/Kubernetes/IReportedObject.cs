namespace McpOperator.Kubernetes;

/// <summary>An object whose status we write.</summary>
internal interface IReportedObject : IKubernetesObject
{
    ObjectMeta Metadata { get; }

    /// <summary>Null while nothing was reported.</summary>
    LastReport? Reported { get; }

    /// <summary>
    /// True when spec and metadata of two states are the same, as far as they are kept.
    /// </summary>
    static bool DifferOnlyInStatus(IReportedObject before, IReportedObject after) =>
        before.Metadata.IsSameButForVersion(after.Metadata);
}
