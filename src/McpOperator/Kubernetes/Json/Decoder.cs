using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// Turns an object's JSON into the small type that is kept of it. The element is only valid during the call. Must not
/// throw for anything that a user can store in the API server.
/// </summary>
internal delegate T Decoder<out T>(JsonElement json);
