using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpOperator.Api;

/// <summary>
/// The JSON of the custom resources. Null means "not there" in both directions; false and 0 are written.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubernetesTimeConverter)])]
[JsonSerializable(typeof(MCPServerSpec))]
[JsonSerializable(typeof(MCPServerStatus))]
[JsonSerializable(typeof(MCPServerPatch))]
public sealed partial class ApiJsonContext : JsonSerializerContext;

/// <summary>The body of a JSON merge patch of an MCPServer, of its spec or of its status.</summary>
public sealed record MCPServerPatch
{
    public MCPServerPatchMetadata? Metadata { get; init; }

    public MCPServerSpec? Spec { get; init; }

    public MCPServerStatus? Status { get; init; }
}

/// <summary>Set, the API server refuses the patch (409) when the object is no longer the one that was read.</summary>
public sealed record MCPServerPatchMetadata(string ResourceVersion);

/// <summary>metav1.Time: RFC 3339, UTC, whole seconds.</summary>
public sealed class KubernetesTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TryParse(reader.GetString(), out var time) ? time : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));

    internal static bool TryParse(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}
