namespace McpOperator.Servers.Readiness;

/// <summary>What of a server is to be asked.</summary>
/// <param name="Uid">The server's.</param>
/// <param name="Revision">Of the Deployment, all of whose pods are of it.</param>
/// <param name="Deployment">Its name.</param>
/// <param name="Port">The server's own: the gateway is not asked.</param>
/// <param name="Path">Where the server is expected behind its route.</param>
/// <param name="FormerHash">Of the template of the revision before, whose pods a list that lags may still have; null where it is not known.</param>
internal sealed record McpTarget(ObjectKey Server, string Uid, string Revision, string Deployment, int Port, string Path, string? FormerHash = null);
