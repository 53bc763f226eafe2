using System.Text.Json;

namespace McpOperator.Api;

/// <summary>What an MCP server says of itself. Its texts are cleaned, and cut.</summary>
internal sealed record McpInfo
{
    /// <summary>Null of one that answers nobody who has not proved who he is.</summary>
    public string? Name { get; init; }
    public string? Version { get; init; }

    /// <summary>The date that it has agreed to.</summary>
    public string? ProtocolVersion { get; init; }

    /// <summary>Their names, in order.</summary>
    public IReadOnlyList<string>? Capabilities { get; init; }

    /// <summary>How many it lists; null when that is not known.</summary>
    public int? Tools { get; init; }

    /// <summary>Of the Deployment, whose pod answered: the first part of its uid, and the number of its revision.</summary>
    public string? Revision { get; init; }

    public bool Equals(McpInfo? other) => other is not null && Name == other.Name && Version == other.Version && ProtocolVersion == other.ProtocolVersion
        && Tools == other.Tools && Revision == other.Revision && (Capabilities ?? []).SequenceEqual(other.Capabilities ?? []);

    public override int GetHashCode() => HashCode.Combine(Name, Version, Revision);
}

/// <summary>
/// The same as it was reported, with the words of the two conditions that tell of it: so nothing is written after a restart, before the server
/// was asked again.
/// </summary>
internal sealed record ReportedMcp(McpInfo? Info, string? ReadyMessage, string? ToolsMessage)
{
    /// <summary>Null of a status that tells nothing of it, as most do.</summary>
    public static ReportedMcp? Decode(JsonElement status)
    {
        var info = status.Child("mcp"u8);
        var ready = status.Child("conditions"u8).FindItem("type"u8, ConditionTypes.McpReady);
        return info is null && ready is null ? null : new ReportedMcp(
            info is { ValueKind: JsonValueKind.Object } told ? Read(told) : null,
            ready?.Text("message"u8),
            status.Child("conditions"u8).FindItem("type"u8, ConditionTypes.ToolsMatch)?.Text("message"u8));
    }

    private static McpInfo Read(JsonElement told) => new()
    {
        Name = told.Text("name"u8),
        Version = told.Text("version"u8),
        ProtocolVersion = told.Text("protocolVersion"u8),
        Capabilities = told.Child("capabilities"u8) is { ValueKind: JsonValueKind.Array } names
            ? [.. names.EnumerateArray().Select(static name => name.ToString())]
            : null,
        Tools = told.Child("tools"u8) is { ValueKind: JsonValueKind.Number } ? (int)told.Number("tools"u8) : null,
        Revision = told.Text("revision"u8),
    };
}
