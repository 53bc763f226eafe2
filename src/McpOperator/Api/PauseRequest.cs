using System.Text.Json;

namespace McpOperator.Api;

/// <summary>What the annotation <c>mcpruntime.org/paused</c> of a server asks for. A byte, for it is kept of every server.</summary>
internal enum PauseRequest : byte
{
    None,

    /// <summary>Nothing of the server is written but its status, and what takes access away.</summary>
    Paused,

    /// <summary>Neither <c>true</c> nor <c>false</c>. It pauses nothing, and is told.</summary>
    Unclear,
}

internal static class PauseRequests
{
    public const string Annotation = "mcpruntime.org/paused";

    /// <summary>What is wrong with an unclear one.</summary>
    public const string Unclear = $"the annotation {Annotation} must be \"true\" or \"false\"";

    /// <summary>For whoever looks at what would become of a server; null of one that is not paused.</summary>
    public static string? Note(MCPServer server) => server.Pause == PauseRequest.Paused
        ? $"MCPServer {server.Key} is paused: nothing of it is written before the annotation {Annotation} is gone"
        : null;

    public static PauseRequest Of(JsonElement? annotations) => annotations?.Child("mcpruntime.org/paused"u8) switch
    {
        null => PauseRequest.None,
        { ValueKind: JsonValueKind.String } value when value.ValueEquals("true"u8) => PauseRequest.Paused,
        { ValueKind: JsonValueKind.String } value when value.ValueEquals("false"u8) => PauseRequest.None,
        _ => PauseRequest.Unclear,
    };
}
