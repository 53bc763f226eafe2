namespace McpOperator.Servers.Readiness;

/// <summary>Who asks, as servers are told.</summary>
internal sealed record McpClient(string Name, string Version);
