using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Mirror;

internal static class ServerOwner
{
    /// <summary>A server, as the owner of objects.</summary>
    public static Owner AsOwner(this MCPServer server) => new(MCPServer.Type, server.Metadata);

    /// <summary>Whether its spec has been reported on before, so that nothing else is wanted than then.</summary>
    public static bool IsReported(this MCPServer server) => server.Reported?.ObservedGeneration == server.Metadata.Generation;

    /// <summary>Whether somebody else had the name of the object that a condition tells of.</summary>
    public static bool WasTaken(this MCPServer server, string condition) => server.Reported?.Find(condition) is { Reason: Problem.NameConflict };

    /// <summary>
    /// Whether the last report knew of the object that a condition tells of. Until a conflict or a refusal is over nobody deletes what
    /// is made after it.
    /// </summary>
    public static bool Had(this MCPServer server, string condition) => server.Reported?.Find(condition) is
    {
        Reason: not (Reasons.NotCreated or Reasons.RouteConflict or Reasons.PolicyTooLarge
            or Problem.NameConflict or Problem.ApplyFailed or Problem.NotInstalled),
    };
}
