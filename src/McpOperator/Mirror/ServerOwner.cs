using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Mirror;

internal static class ServerOwner
{
    public static Owner AsOwner(this MCPServer server) => new(MCPServer.Type, server.Metadata);

    /// <summary>Whether the predecessor has reported on it since this operator did.</summary>
    public static bool IsTakenOver(this MCPServer server) => server.Reported?.IsByPredecessor == true;

    /// <summary>Whether the object of this condition was somebody else's at the last report.</summary>
    public static bool HadNameConflict(this MCPServer server, string condition) => server.Reported?.Find(condition) is { Reason: Problem.NameConflict };

    /// <summary>
    /// Whether the object of this condition existed at the last report. Not if its reason says that it was missing, refused or in
    /// conflict: what is created after that is new, not repaired.
    /// </summary>
    public static bool ExistedAtLastStatus(this MCPServer server, string condition) => server.Reported?.Find(condition) is
    {
        Reason: not (Reasons.NotCreated or Reasons.RouteConflict or Reasons.PolicyTooLarge
            or Problem.NameConflict or Problem.ApplyFailed or Problem.NotInstalled),
    };
}
