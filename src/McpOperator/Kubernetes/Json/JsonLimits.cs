using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// How deep JSON of the API server may nest. A user's custom resource can nest deeper than 64, which is .NET's default.
/// </summary>
internal static class JsonLimits
{
    private const int MaxDepth = 1024;

    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = MaxDepth };

    public static JsonReaderOptions Reader { get; } = new() { MaxDepth = MaxDepth };
}
