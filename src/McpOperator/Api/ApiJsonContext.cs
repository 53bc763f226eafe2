using System.Text.Json.Serialization;

namespace McpOperator.Api;

/// <summary>
/// The JSON of the custom resources. Null means "not there" in both directions; false and 0 are written. The status is
/// only written, and writing needs less code than reading.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MCPServerSpec), GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(MCPAccessGrantSpec), GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(MCPAgentSessionSpec), GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(MCPServerStatus), GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(AccessStatus), GenerationMode = JsonSourceGenerationMode.Serialization)]
internal sealed partial class ApiJsonContext : JsonSerializerContext;
