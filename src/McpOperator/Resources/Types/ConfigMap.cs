namespace McpOperator.Resources.Types;

public sealed record ConfigMap : Manifest
{
    public override string ApiVersion => Kinds.ConfigMap.ApiVersion;
    public override string Kind => Kinds.ConfigMap.Kind;
    public required IReadOnlyDictionary<string, string> Data { get; init; }
}
