using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpOperator.Kubernetes.Types;

internal sealed record Ingress : Manifest
{
    public override string ApiVersion => ResourceTypes.Ingress.ApiVersion;
    public override string Kind => ResourceTypes.Ingress.Kind;
    public required IngressSpec Spec { get; init; }
}

internal sealed record IngressSpec
{
    public string? IngressClassName { get; init; }
    public JsonElement? Tls { get; init; }
    public required IReadOnlyList<IngressRule> Rules { get; init; }
}

internal sealed record IngressRule
{
    /// <summary>Null matches every host.</summary>
    public string? Host { get; init; }
    public required HttpIngressRule Http { get; init; }
}

internal sealed record HttpIngressRule
{
    public required IReadOnlyList<HttpIngressPath> Paths { get; init; }
}

internal sealed record HttpIngressPath
{
    public required string Path { get; init; }
    public required string PathType { get; init; }
    public required IngressBackend Backend { get; init; }
}

internal sealed record IngressBackend
{
    public required IngressServiceBackend Service { get; init; }
}

internal sealed record IngressServiceBackend
{
    public required string Name { get; init; }
    public required ServiceBackendPort Port { get; init; }
}

internal sealed record ServiceBackendPort
{
    [JsonPropertyName("number")]
    public required int Number { get; init; }
}
