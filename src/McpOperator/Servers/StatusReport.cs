using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers.Kinds;

namespace McpOperator.Servers;

/// <summary>Composes the status of a server. Pure: the same observations give the same status.</summary>
internal static class StatusReport
{
    public const string AllReady = "All resources are ready";

    /// <summary>The conditions of all kinds, in the order in which they are reported.</summary>
    public static IReadOnlyList<Surface> Surfaces(Pass pass, ServerKinds kinds) =>
        [.. kinds.All.SelectMany(kind => kind.Judge(pass)).OrderBy(surface => Array.IndexOf(ConditionTypes.All, surface.ConditionType))];

    /// <param name="server">With its last status.</param>
    /// <param name="fault">Why the whole server fails; null when it does not.</param>
    /// <param name="url">Where clients reach it; null when the spec does not say.</param>
    /// <param name="image">The resolved image; null when the spec does not say.</param>
    /// <param name="now">Goes into conditions whose status flips.</param>
    public static MCPServerStatus Compose(
        MCPServer server, IReadOnlyList<Surface> surfaces, Problem? fault, IReadOnlyList<ObservedDeployment> tracks,
        string? url, string? image, DateTimeOffset now)
    {
        var failed = fault is not null || surfaces.Any(surface => surface.IsFailed);
        var ready = !failed && surfaces.All(surface => surface.IsReady);
        var cause = fault ?? FirstCause(surfaces);
        var message = Kubernetes.Condition.Cut(ready ? AllReady : Message(fault, surfaces));
        var conditions = new List<Condition>(surfaces.Count + 1)
        {
            Condition(ConditionTypes.Ready, ready, ready ? Reasons.AllResourcesReady : cause!.Reason, message),
        };
        foreach (var surface in surfaces)
            conditions.Add(Condition(surface.ConditionType, surface.IsReady, surface.Reason, surface.Message));

        return new MCPServerStatus
        {
            ObservedGeneration = server.Metadata.Generation,
            Phase = failed ? Phase.Error
                : ready ? Phase.Ready
                : surfaces.Any(surface => surface.IsReady) ? Phase.PartiallyReady
                : Phase.Pending,
            Message = message,
            Conditions = conditions,
            Url = url,
            Image = image,
            Replicas = tracks.Sum(track => track.Replicas),
            ReadyReplicas = tracks.Sum(track => track.ReadyReplicas),
            Selector = Labels.PodSelector(server.Metadata.Name),
        };

        Condition Condition(string type, bool isTrue, string reason, string text) =>
            Kubernetes.Condition.Of(type, isTrue, reason, text, server.Metadata.Generation, server.Reported, now);
    }

    /// <summary>Failures come before what is waited for.</summary>
    private static Problem? FirstCause(IReadOnlyList<Surface> surfaces)
    {
        foreach (var surface in surfaces)
            if (surface.IsFailed)
                return new Problem(surface.Reason, surface.Message);
        foreach (var surface in surfaces)
            if (!surface.IsReady)
                return new Problem(surface.Reason, surface.Message);
        return null;
    }

    private static string Message(Problem? fault, IReadOnlyList<Surface> surfaces)
    {
        if (fault is not null)
            return fault.Message;
        var failed = surfaces.Where(surface => surface.IsFailed).Select(surface => surface.Message);
        var waiting = surfaces
            .Where(surface => !surface.IsFailed && !surface.IsReady)
            .Select(surface => $"{surface.Name} not ready: {surface.Message}");
        return string.Join("; ", failed.Concat(waiting));
    }
}
