namespace McpOperator.Api;

/// <summary>Why a server does not get its routes: another one comes first.</summary>
/// <param name="Holder">The server that comes first.</param>
/// <param name="Route">The route that this server asks for and does not get.</param>
/// <param name="IsMetadata">Whether that is the route of this server's OAuth metadata.</param>
/// <param name="Overlap">How the holder's route lies to it.</param>
internal sealed record RouteConflict(ObjectKey Holder, Route Route, bool IsMetadata, RouteOverlap Overlap)
{
    /// <summary>
    /// For the owner of the server, with the way out. It says no more of the holder than its name, since the reader may have no
    /// right to look into the holder's namespace.
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

internal enum RouteOverlap
{
    /// <summary>Both routes are the same.</summary>
    Same,

    /// <summary>The holder's route is below the metadata path that this server asks for.</summary>
    BelowIt,

    /// <summary>The holder's route is a metadata path, and this server asks for a route below it.</summary>
    AboveIt,
}
