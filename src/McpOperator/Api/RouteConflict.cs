using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>Why a server does not get its routes: another one comes first.</summary>
/// <param name="Holder">The other one.</param>
/// <param name="Route">Of the routes that the server asks for, the one in conflict.</param>
/// <param name="IsMetadata">It is the one of the server's OAuth metadata.</param>
/// <param name="Overlap">How the other one's route lies to it.</param>
public sealed record RouteConflict(ObjectKey Holder, Route Route, bool IsMetadata, RouteOverlap Overlap)
{
    /// <summary>
    /// For the owner of the server, and with the way out. Of the other one, which may be in a namespace that the reader has no
    /// right to look into, no more than the name.
    /// </summary>
    public string Message
    {
        get
        {
            var route = Route.Host + (Route.Path.Length == 0 ? "/" : Route.Path);
            var own = IsMetadata ? $"{route}, the OAuth metadata path of this server" : route;
            var what = Overlap switch
            {
                RouteOverlap.BelowIt => $"MCPServer {Holder} has a route below {own}",
                RouteOverlap.AboveIt => $"{own} is below an OAuth metadata path of MCPServer {Holder}",
                _ => $"MCPServer {Holder} has the route {own}",
            };
            return $"{what}: change ingressHost, ingressPath or publicPathPrefix of one of them";
        }
    }
}

public enum RouteOverlap
{
    /// <summary>Both are the same.</summary>
    Same,

    /// <summary>The other one's route is below the metadata path that the server asks for.</summary>
    BelowIt,

    /// <summary>The other one's is a metadata path, and the server asks for one below.</summary>
    AboveIt,
}
