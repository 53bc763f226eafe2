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
public sealed partial class ApiJsonContext : JsonSerializerContext;

/// <summary>metav1.Time: RFC 3339, UTC, whole seconds.</summary>
public sealed class KubernetesTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
}
