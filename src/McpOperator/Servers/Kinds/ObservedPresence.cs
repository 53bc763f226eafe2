using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Servers.Kinds;

/// <summary>An object of which it matters that it is there, and as we made it.</summary>
internal sealed class ObservedPresence(JsonElement json, OwnedFields ours) : Observed(json, ours, Labels.OwnerOf(json));
