using System.Text.Json.Serialization;

namespace McpOperator.Kubernetes.Types;

internal sealed record Service : Manifest
{
    public override string ApiVersion => ResourceTypes.Service.ApiVersion;
    public override string Kind => ResourceTypes.Service.Kind;
    public required ServiceSpec Spec { get; init; }
}

internal sealed record ServiceSpec
{
    public required string Type { get; init; }
    public required IReadOnlyDictionary<string, string> Selector { get; init; }
    public required IReadOnlyList<ServicePort> Ports { get; init; }
}

internal sealed record ServicePort
{
    public required string Name { get; init; }

    [JsonPropertyName("port")]
    public required int Number { get; init; }

    /// <summary>The name of a container's port, so that each pod is reached at its own number of it.</summary>
    public required string TargetPort { get; init; }

    /// <summary>Part of the list's merge key, so always written (kubernetes#98576).</summary>
    public string Protocol { get; init; } = "TCP";
}
