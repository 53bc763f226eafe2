using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// How deep JSON of the API server may nest: as deep as it takes it itself, and some more for the list around it. A deeper object would
/// end the list and the watch of its whole kind. (Go's encoding/json has 10,000; .NET's default is 64.)
/// </summary>
/// <remarks>Whoever descends by recursion must look at how much of the stack is left.</remarks>
internal static class JsonLimits
{
    private const int MaxDepth = 10_016;

    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = MaxDepth };

    public static JsonReaderOptions Reader { get; } = new() { MaxDepth = MaxDepth };
}
