using System.Text.Json.Serialization;

namespace McpOperator.Kubernetes.Types;

internal sealed record Deployment : Manifest
{
    public override string ApiVersion => ResourceTypes.Deployment.ApiVersion;
    public override string Kind => ResourceTypes.Deployment.Kind;
    public required DeploymentSpec Spec { get; init; }
}

internal sealed record DeploymentSpec
{
    public required int Replicas { get; init; }
    public required LabelSelector Selector { get; init; }
    public required DeploymentStrategy Strategy { get; init; }

    /// <summary>True while no rollout may start; absent otherwise, so that pausing one by hand works.</summary>
    public bool? Paused { get; init; }
    public required PodTemplate Template { get; init; }
}

internal sealed record LabelSelector
{
    public required IReadOnlyDictionary<string, string> MatchLabels { get; init; }
}

internal sealed record DeploymentStrategy
{
    public required string Type { get; init; }

    /// <summary>Only with type RollingUpdate: the API server refuses it otherwise.</summary>
    public RollingUpdate? RollingUpdate { get; init; }
}

internal sealed record RollingUpdate
{
    public required IntOrString MaxUnavailable { get; init; }
    public required IntOrString MaxSurge { get; init; }
}

internal sealed record PodTemplate
{
    public required PodMetadata Metadata { get; init; }
    public required PodSpec Spec { get; init; }
}

internal sealed record PodMetadata
{
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Null rather than empty: an empty map would claim the map itself.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

internal sealed record PodSpec
{
    public required string ServiceAccountName { get; init; }
    public required bool AutomountServiceAccountToken { get; init; }
    public int? TerminationGracePeriodSeconds { get; init; }
    public required PodSecurityContext SecurityContext { get; init; }
    public IReadOnlyList<LocalObjectReference>? ImagePullSecrets { get; init; }
    public required IReadOnlyList<Container> Containers { get; init; }
    public IReadOnlyList<Volume>? Volumes { get; init; }
}

internal sealed record PodSecurityContext
{
    public required bool RunAsNonRoot { get; init; }
    public long? RunAsUser { get; init; }
    public required SeccompProfile SeccompProfile { get; init; }
}

internal sealed record SeccompProfile
{
    public required string Type { get; init; }
}

internal sealed record LocalObjectReference
{
    public required string Name { get; init; }
}

/// <summary>With exactly one of the two sources.</summary>
internal sealed record Volume
{
    public required string Name { get; init; }
    public LocalObjectReference? ConfigMap { get; init; }

    /// <summary>Its <c>secretName</c>: a map, for a type of its own would be kilobytes of code.</summary>
    public IReadOnlyDictionary<string, string>? Secret { get; init; }
}

internal sealed record Container
{
    public required string Name { get; init; }
    public required string Image { get; init; }
    public required string ImagePullPolicy { get; init; }
    public IReadOnlyList<string>? Command { get; init; }
    public IReadOnlyList<string>? Args { get; init; }
    public required IReadOnlyList<ContainerPort> Ports { get; init; }
    public IReadOnlyList<Env>? Env { get; init; }
    public required ContainerResources Resources { get; init; }
    public IReadOnlyList<VolumeMount>? VolumeMounts { get; init; }
    public required Probe LivenessProbe { get; init; }
    public required Probe ReadinessProbe { get; init; }
    public required ContainerSecurityContext SecurityContext { get; init; }
}

internal sealed record ContainerPort
{
    public required string Name { get; init; }

    [JsonPropertyName("containerPort")]
    public required int Number { get; init; }

    /// <summary>Part of the list's merge key, so always written (kubernetes#98576).</summary>
    public string Protocol { get; init; } = "TCP";
}

internal sealed record Env
{
    public required string Name { get; init; }

    /// <summary>The API server does not store an empty one, but keeps it for us: nobody else may give it a value.</summary>
    public string? Value { get; init; }
    public EnvSource? ValueFrom { get; init; }
}

internal sealed record EnvSource
{
    public required SecretKeySelector SecretKeyRef { get; init; }
}

internal sealed record SecretKeySelector
{
    public required string Name { get; init; }
    public required string Key { get; init; }
}

internal sealed record ContainerResources
{
    public required Quantities Requests { get; init; }
    public required Quantities Limits { get; init; }
}

internal sealed record VolumeMount
{
    public required string Name { get; init; }
    public required string MountPath { get; init; }
    public required bool ReadOnly { get; init; }
}

/// <summary>In the API server's canonical form: any other is stored differently from what was sent.</summary>
internal sealed record Quantities
{
    public required string Cpu { get; init; }
    public required string Memory { get; init; }
}

/// <summary>With exactly one of the two actions.</summary>
internal sealed record Probe
{
    public TcpSocketAction? TcpSocket { get; init; }
    public HttpGetAction? HttpGet { get; init; }
    public required int InitialDelaySeconds { get; init; }
    public required int PeriodSeconds { get; init; }
}

internal sealed record TcpSocketAction
{
    public required int Port { get; init; }
}

internal sealed record HttpGetAction
{
    public required string Path { get; init; }
    public required int Port { get; init; }
}

internal sealed record ContainerSecurityContext
{
    public required bool AllowPrivilegeEscalation { get; init; }
    public required bool RunAsNonRoot { get; init; }

    /// <summary>Null, which is the API server's false, for images that we know nothing of.</summary>
    public bool? ReadOnlyRootFilesystem { get; init; }
    public required Capabilities Capabilities { get; init; }
}

internal sealed record Capabilities
{
    public required IReadOnlyList<string> Drop { get; init; }
}
