using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Readiness;

namespace McpOperator.Servers;

/// <summary>Composes the status of a server. Pure: the same observations give the same status.</summary>
internal static class StatusReport
{
    public const string AllReady = "All resources are ready";

    private const string AllSuspended = "Suspended: no pods run while spec.suspend is true; all other resources are ready";

    /// <summary>The conditions of all kinds, in the order in which they are reported. Of several of one type the first that failed is told, else the first that is not ready.</summary>
    public static IReadOnlyList<ComponentCondition> ConditionsOf(Pass pass, ServerKinds kinds)
    {
        var components = new List<ComponentCondition>();
        foreach (var component in kinds.All.SelectMany(kind => kind.ConditionsOf(pass)).Concat(pass.Mcp is { } mcp ? [mcp.Ready] : [])
            .OrderBy(component => Array.IndexOf(ConditionTypes.All, component.ConditionType)))
        {
            if (components.Count == 0 || components[^1].ConditionType != component.ConditionType)
                components.Add(component);
            else if (!components[^1].IsFailed && (component.IsFailed || (components[^1].IsReady && !component.IsReady)))
                components[^1] = component;
        }

        return components;
    }

    /// <summary>
    /// Whether only numbers and what is waited for have changed since, of one and the same generation. Nobody waits for that;
    /// what turns <c>Ready</c>, is an error, or a cause that was found, is written at once.
    /// </summary>
    public static bool IsProgress(LastReport? before, MCPServerStatus status) =>
        before?.Find(ConditionTypes.Ready) is { Status: "False", Reason: { } reason } && !status.IsReady()
        && before.ObservedGeneration == status.ObservedGeneration && before.Url == status.Url && before.Image == status.Image
        && (before.Phase == Phase.Error) == (status.Phase == Phase.Error)
        && before.Find(ConditionTypes.Paused)?.Status == status.Conditions!.FirstOrDefault(static condition => condition.Type == ConditionTypes.Paused)?.Status
        && (status.Conditions![0].Reason == reason || Reasons.Waits.Contains(status.Conditions[0].Reason))
        && !status.Conditions.Any(condition => Reasons.Causes.Contains(condition.Reason) && before.Find(condition.Type)?.Reason != condition.Reason);

    /// <param name="server">With its last status.</param>
    /// <param name="fault">Why the whole server fails; null when it does not.</param>
    /// <param name="doubts">What is doubtful in the spec; empty when nothing is.</param>
    /// <param name="url">Where clients reach it; null when the spec does not say.</param>
    /// <param name="image">The resolved image; null when the spec does not say.</param>
    /// <param name="now">Goes into conditions whose status flips.</param>
    /// <param name="mcp">What its MCP server says; null where it is not asked. Its readiness is one of the components.</param>
    /// <param name="pause">Of the annotation that pauses it; null without one.</param>
    public static MCPServerStatus Compose(
        MCPServer server, IReadOnlyList<ComponentCondition> components, Problem? fault, IReadOnlyList<ObservedDeployment> tracks,
        string doubts, string? url, string? image, DateTimeOffset now, PauseReport? pause = null, McpReport? mcp = null)
    {
        // Failures come before what is waited for.
        var failures = components.Where(component => component.IsFailed).ToList();
        var waiting = components.Where(component => component is { IsFailed: false, IsReady: false }).ToList();
        var failed = fault is not null || failures.Count > 0;
        // What stands there is not what the spec asks for.
        var held = pause is { IsDifferent: true } ? pause : null;
        var ready = !failed && waiting.Count == 0 && held is null;
        var isSuspended = components.Any(static component => component is { ConditionType: ConditionTypes.DeploymentReady, Reason: Reasons.Suspended });
        var cause = fault?.Reason ?? failures.FirstOrDefault()?.Reason ?? held?.Condition.Reason ?? waiting.FirstOrDefault()?.Reason
            ?? (pause is { Condition.IsReady: true } ? Reasons.Paused : isSuspended ? Reasons.Suspended : Reasons.AllResourcesReady);
        var all = isSuspended ? AllSuspended : AllReady;
        List<string> parts = ready
            ? [doubts.Length == 0 ? all : $"{all}, but the spec is doubtful: {doubts}"]
            : fault is not null ? [fault.Message]
            : [.. failures.Select(component => component.Message), .. waiting.Select(component => $"{component.Name} not ready: {component.Message}")];
        if (pause is { Condition: { IsReady: true, Message: var paused } })
            parts.Insert(held is null ? parts.Count : failures.Count, paused);
        var message = Kubernetes.Condition.Cut(string.Join("; ", parts));
        var conditions = new List<Condition>(components.Count + 3)
        {
            Condition(ConditionTypes.Ready, ready, cause, message),
        };
        foreach (var component in components)
            conditions.Add(Condition(component.ConditionType, component.IsReady, component.Reason, component.Message));
        if (mcp?.Tools is { } tools)
            conditions.Add(Kubernetes.Condition.Of(ConditionTypes.ToolsMatch, tools.Status, tools.Reason, tools.Message, server.Metadata.Generation, server.Reported, now));
        if (pause is not null)
            conditions.Add(Condition(pause.Condition.ConditionType, pause.Condition.IsReady, pause.Condition.Reason, pause.Condition.Message));

        return new MCPServerStatus
        {
            ObservedGeneration = server.Metadata.Generation,
            Phase = failed ? Phase.Error
                : ready ? isSuspended ? Phase.Suspended : Phase.Ready
                : components.Any(component => component.IsReady) ? Phase.PartiallyReady
                : Phase.Pending,
            Message = message,
            Conditions = conditions,
            Url = url,
            Image = image,
            Mcp = mcp?.Info,
            Replicas = tracks.Sum(track => track.Replicas),
            ReadyReplicas = tracks.Sum(track => track.ReadyReplicas),
            Selector = Labels.PodSelector(server.Metadata.Name),
        };

        Condition Condition(string type, bool isTrue, string reason, string text) =>
            Kubernetes.Condition.Of(type, isTrue, reason, text, server.Metadata.Generation, server.Reported, now);
    }
}
