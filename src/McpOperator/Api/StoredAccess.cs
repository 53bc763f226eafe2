using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Api;

/// <summary>
/// A grant or a session as the store keeps it: as <see cref="StoredServer"/> does, the spec as the bytes that came. Of
/// thousands few are looked at again.
/// </summary>
internal sealed class StoredAccess : IReportedObject
{
    public required ObjectMeta Metadata { get; init; }

    /// <summary>The JSON of the spec; empty when there is none, and of one that is too large.</summary>
    public ReadOnlyMemory<byte> Spec { get; init; }

    /// <summary>
    /// The server that it is for, in its own namespace when it names none. One that names no server is for the server with a
    /// blank name, which does not exist.
    /// </summary>
    public required ObjectKey Server { get; init; }

    /// <summary>Null when the spec is kept, or there is none.</summary>
    private SpecFault? TooLarge { get; init; }

    /// <summary>Null while nothing was reported.</summary>
    public LastReport? Reported { get; init; }

    public ObjectKey Key => Metadata.Key;

    public string ResourceVersion => Metadata.ResourceVersion;

    /// <summary>A <see cref="Decoder{T}"/>. Never throws for what is stored.</summary>
    public static StoredAccess Decode(JsonElement json, OwnedFields ours)
    {
        var metadata = ObjectMeta.Decode(json.Child("metadata"u8) ?? default);
        var spec = json.Child("spec"u8);
        var server = spec?.Child("serverRef"u8);
        var bytes = spec is { } child ? JsonMarshal.GetRawUtf8Value(child) : default;
        var tooLarge = SpecSize.Fault(bytes.Length, SpecSize.MostOfAccess);
        return new StoredAccess
        {
            Metadata = metadata,
            Spec = tooLarge is null ? bytes.ToArray() : default,
            TooLarge = tooLarge,
            Server = new ObjectKey(
                Defaults.Trimmed(server?.Interned("namespace"u8)) ?? metadata.Namespace, server?.Interned("name"u8) ?? ""),
            Reported = LastReport.Decode(json, ours),
        };
    }

    /// <summary>The same spec in another object.</summary>
    public StoredAccess In(ObjectMeta metadata, LastReport? reported) =>
        new() { Metadata = metadata, Spec = Spec, TooLarge = TooLarge, Server = Server, Reported = reported };

    /// <summary>With its spec decoded; of an object that came from a store of grants.</summary>
    public MCPAccessGrant ReadGrant() => new()
    {
        Metadata = Metadata,
        Spec = SpecJson.Read(Spec, ApiJsonContext.Default.MCPAccessGrantSpec, out var faults) ?? new MCPAccessGrantSpec(),
        Unreadable = TooLarge is null ? faults : [TooLarge],
        Reported = Reported,
    };

    /// <summary>With its spec decoded; of an object that came from a store of sessions.</summary>
    public MCPAgentSession ReadSession() => new()
    {
        Metadata = Metadata,
        Spec = SpecJson.Read(Spec, ApiJsonContext.Default.MCPAgentSessionSpec, out var faults) ?? new MCPAgentSessionSpec(),
        Unreadable = TooLarge is null ? faults : [TooLarge],
        Reported = Reported,
    };
}
