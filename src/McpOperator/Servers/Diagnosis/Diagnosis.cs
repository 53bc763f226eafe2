using McpOperator.Servers.Kinds;

namespace McpOperator.Servers.Diagnosis;

/// <summary>What is known of why a server's pods are not ready, while they are not.</summary>
internal sealed class Diagnosis
{
    private readonly Dictionary<DeploymentKind, Cause> _causes = [];

    /// <summary>Of the Deployments for which it was made: another one begins it anew.</summary>
    public required Progress Progress { get; set; }

    /// <summary>Timestamp of the next list of the pods.</summary>
    public required long DueAt { get; set; }

    /// <summary>Timestamp of the last one.</summary>
    public long LookedAt { get; set; }

    /// <summary>How often the pods were listed.</summary>
    public int Looks { get; set; }

    /// <summary>How often events were asked for.</summary>
    public int EventLists { get; set; }

    /// <summary>What the kubelet says in events, by the reason and the pod; null where none said why.</summary>
    public Dictionary<string, string?> Words { get; } = [];

    /// <summary>Null when none was found yet.</summary>
    public Cause? CauseOf(DeploymentKind kind) => _causes.GetValueOrDefault(kind);

    public void Found(DeploymentKind kind, Cause? cause)
    {
        if (cause is null)
            _causes.Remove(kind);
        else
            _causes[kind] = cause;
    }
}

/// <summary>How far the Deployments of both tracks are: generations, and the numbers of pods.</summary>
internal readonly record struct Progress(long Generations, int Replicas, int Updated, int Available, int Ready)
{
    public Progress With(ObservedDeployment track) => new(
        Generations + track.Generation, Replicas + track.Replicas, Updated + track.UpdatedReplicas, Available + track.AvailableReplicas, Ready + track.ReadyReplicas);
}
