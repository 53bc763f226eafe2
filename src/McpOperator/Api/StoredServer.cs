using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Api;

/// <summary>
/// An MCPServer as the store keeps it: its spec as the bytes that came (a third of what it takes as objects, and most
/// events do not concern it), of its status what the next report needs. <see cref="Read"/> gives the spec.
/// </summary>
internal sealed class StoredServer : IReportedObject
{
    public required ObjectMeta Metadata { get; init; }

    /// <inheritdoc cref="MCPServer.AllowAccessFrom"/>
    public string? AllowAccessFrom { get; init; }

    /// <summary>The JSON of the spec; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Spec { get; init; }

    /// <summary>Null while nothing was reported.</summary>
    public LastReport? Reported { get; init; }

    public ObjectKey Key => Metadata.Key;

    public string ResourceVersion => Metadata.ResourceVersion;

    /// <summary>
    /// A <see cref="Decoder{T}"/>. Never throws for what is stored, on a CRD without a schema anything: metadata is read
    /// field by field, the spec is not looked at yet, and a status that does not fit counts as none, for it is ours and
    /// is written anew.
    /// </summary>
    public static StoredServer Decode(JsonElement json, OwnedFields ours) => new()
    {
        Metadata = ObjectMeta.Decode(json.Child("metadata"u8) ?? default),
        AllowAccessFrom = json.Child("metadata"u8)?.Child("annotations"u8)?.Interned("mcpruntime.org/allow-access-from"u8),
        Spec = json.Child("spec"u8) is { } spec ? JsonMarshal.GetRawUtf8Value(spec).ToArray() : default,
        Reported = LastReport.Decode(json, ours),
    };

    /// <summary>True when spec and metadata of two states are the same, as far as they are kept.</summary>
    public static bool DifferOnlyInStatus(StoredServer before, StoredServer after) =>
        before.AllowAccessFrom == after.AllowAccessFrom && IReportedObject.DifferOnlyInStatus(before, after);

    /// <summary>The server with its spec decoded, as whoever acts on it wants it.</summary>
    public MCPServer Read() => new()
    {
        Metadata = Metadata,
        AllowAccessFrom = AllowAccessFrom,
        Spec = SpecJson.Read(Spec, ApiJsonContext.Default.MCPServerSpec, out var faults) ?? new MCPServerSpec(),
        Unreadable = faults,
        Reported = Reported,
    };
}
