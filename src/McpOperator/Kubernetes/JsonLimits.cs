using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>How deep an object of the API server may nest: a user's custom resource can be deeper than .NET's 64.</summary>
internal static class JsonLimits
{
    private const int MaxDepth = 1024;

    public static JsonDocumentOptions Document { get; } = new() { MaxDepth = MaxDepth };

    public static JsonReaderOptions Reader { get; } = new() { MaxDepth = MaxDepth };
}

/// <summary>Look-ups that take whatever JSON comes.</summary>
internal static class JsonElementExtensions
{
    /// <summary>False when it is no object, has no such member or the member is null.</summary>
    public static bool TryGetMember(this JsonElement element, string name, out JsonElement member)
    {
        member = default;
        return element.ValueKind == JsonValueKind.Object
            && element.TryGetProperty(name, out member)
            && member.ValueKind != JsonValueKind.Null;
    }

    /// <summary>Null when there is no such member, or it is no string.</summary>
    public static string? GetText(this JsonElement element, string name) =>
        element.TryGetMember(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    public static string? ResourceVersion(this JsonElement element) =>
        element.TryGetMember("metadata", out var metadata) ? metadata.GetText("resourceVersion") : null;
}
