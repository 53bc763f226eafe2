namespace McpOperator.Kubernetes.Types;

internal sealed record ConfigMap : Manifest
{
    public override string ApiVersion => ResourceTypes.ConfigMap.ApiVersion;
    public override string Kind => ResourceTypes.ConfigMap.Kind;
    public required IReadOnlyDictionary<string, string> Data { get; init; }
}
