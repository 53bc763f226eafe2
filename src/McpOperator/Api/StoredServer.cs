using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Api;

/// <summary>
/// An MCPServer as the store keeps it: its spec as the bytes that came (a third of what it takes as objects, and most
/// events do not concern it), of its status what the next report needs. <see cref="Read"/> gives the spec.
/// </summary>
/// <remarks>
/// Of a long spec only an outline is kept (<see cref="DecodeOutline"/>), enough for the routes. Who acts on such a server reads it from the
/// API server again, so that the memory of all does not depend on how much somebody writes into one.
/// </remarks>
internal sealed class StoredServer : IReportedObject
{
    /// <summary>Of a spec that is kept as it is, in bytes. Most have one or two thousand.</summary>
    public const int LongestKept = 16 * 1024;

    public required ObjectMeta Metadata { get; init; }

    /// <inheritdoc cref="MCPServer.AllowAccessFrom"/>
    public string? AllowAccessFrom { get; init; }

    public PauseRequest Pause { get; init; }

    /// <summary>The JSON of the spec, or of its outline; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Spec { get; init; }

    /// <summary>Of the whole spec, in bytes; below zero for an outline. One number, since there are thousands.</summary>
    private int Size { get; init; }

    /// <summary>Of the whole spec, in bytes.</summary>
    public int Length => Math.Abs(Size);

    /// <summary>Whether the spec that <see cref="Read"/> gives lacks its longest parts; that of an invalid one is empty.</summary>
    public bool IsOutline => Size < 0;

    /// <summary>Null while nothing was reported.</summary>
    public LastReport? Reported { get; init; }

    public ObjectKey Key => Metadata.Key;

    public string ResourceVersion => Metadata.ResourceVersion;

    /// <summary>
    /// A <see cref="Decoder{T}"/>. Never throws for what is stored, on a CRD without a schema anything: metadata is read
    /// field by field, the spec is not looked at yet, and a status that does not fit counts as none, for it is ours and
    /// is written anew.
    /// </summary>
    public static StoredServer Decode(JsonElement json, OwnedFields ours)
    {
        var spec = json.Child("spec"u8) is { } child ? JsonMarshal.GetRawUtf8Value(child) : default;
        return Of(json, ours, spec.Length, spec.Length <= SpecSize.Most ? spec.ToArray() : default);
    }

    /// <summary>The same for the store: of a long spec the outline, and whether the whole is valid.</summary>
    public static StoredServer DecodeOutline(JsonElement json, OwnedFields ours, OperatorSettings settings)
    {
        var whole = Decode(json, ours);
        if (whole.Length is <= LongestKept or > SpecSize.Most)
            return whole;
        var server = whole.Read();
        var effective = server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) };
        return Of(json, ours, -whole.Length, Validation.Validate(effective, settings).Count > 0 ? default : OutlineOf(server.Spec));
    }

    /// <summary>True when spec and metadata of two states are the same, as far as they are kept.</summary>
    public static bool DifferOnlyInStatus(StoredServer before, StoredServer after) =>
        before.AllowAccessFrom == after.AllowAccessFrom && before.Pause == after.Pause && IReportedObject.DifferOnlyInStatus(before, after);

    /// <summary>The server with its spec decoded, as whoever acts on it wants it, unless <see cref="IsOutline"/>.</summary>
    public MCPServer Read()
    {
        var fault = IsOutline && Spec.IsEmpty ? new SpecFault("spec", "is not valid") : SpecSize.Fault(Length);
        IReadOnlyList<SpecFault>? faults = fault is null ? null : [fault];
        return new()
        {
            Metadata = Metadata,
            AllowAccessFrom = AllowAccessFrom,
            Pause = Pause,
            Spec = (fault is null ? SpecJson.Read(Spec, ApiJsonContext.Default.MCPServerSpec, out faults) : null) ?? new MCPServerSpec(),
            Unreadable = faults,
            Reported = Reported,
        };
    }

    private static StoredServer Of(JsonElement json, OwnedFields ours, int size, ReadOnlyMemory<byte> spec) => new()
    {
        Metadata = ObjectMeta.Decode(json.Child("metadata"u8) ?? default),
        AllowAccessFrom = MCPServer.Consent(json.Child("metadata"u8)?.Child("annotations"u8)?.Interned("mcpruntime.org/allow-access-from"u8)),
        Pause = PauseRequests.Of(json.Child("metadata"u8)?.Child("annotations"u8)),
        Spec = spec,
        Size = size,
        Reported = LastReport.Decode(json, ours, ReportedMcp.Decode),
    };

    /// <summary>Without what may be long, and leads to no route.</summary>
    private static byte[] OutlineOf(MCPServerSpec spec) => JsonSerializer.SerializeToUtf8Bytes(
        spec with
        {
            Description = null,
            Tools = null,
            Prompts = null,
            McpResources = null,
            Tasks = null,
            EnvVars = null,
            SecretEnvVars = null,
            Command = null,
            Args = null,
            EnvFrom = null,
            Probes = null,
            PodTemplate = null,
            ImagePullSecrets = null,
            IngressAnnotations = spec.IngressAnnotations?.GetValueOrDefault(Routing.ClassAnnotation) is { } named
                ? new Dictionary<string, string> { [Routing.ClassAnnotation] = named } : null,
            DisruptionBudget = null,
            Network = null,
        },
        ApiJsonContext.Default.MCPServerSpec);
}
