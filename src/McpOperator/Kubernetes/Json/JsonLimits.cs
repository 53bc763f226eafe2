using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>How deep an object of the API server may nest: a user's custom resource can be deeper than .NET's 64.</summary>
internal static class JsonLimits
{
    private const int MaxDepth = 1024;

    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = MaxDepth };

    public static JsonReaderOptions Reader { get; } = new() { MaxDepth = MaxDepth };
}
