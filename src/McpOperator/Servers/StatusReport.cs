using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers.Kinds;

namespace McpOperator.Servers;

/// <summary>Composes the status of a server. Pure: the same observations give the same status.</summary>
internal static class StatusReport
{
    public const string AllReady = "All resources are ready";

    /// <summary>The conditions of all kinds, in the order in which they are reported.</summary>
    public static IReadOnlyList<ComponentCondition> ConditionsOf(Pass pass, ServerKinds kinds) =>
        [.. kinds.All.SelectMany(kind => kind.ConditionsOf(pass)).OrderBy(component => Array.IndexOf(ConditionTypes.All, component.ConditionType))];

    /// <summary>
    /// Whether only numbers and what is waited for have changed since, of one and the same generation. Nobody waits for that;
    /// what turns <c>Ready</c>, is an error, or a cause that was found, is written at once.
    /// </summary>
    public static bool IsProgress(LastReport? before, MCPServerStatus status) =>
        before?.Find(ConditionTypes.Ready) is { Status: "False", Reason: { } reason } && !status.IsReady()
        && before.ObservedGeneration == status.ObservedGeneration && before.Url == status.Url && before.Image == status.Image
        && (before.Phase == Phase.Error) == (status.Phase == Phase.Error)
        && (status.Conditions![0].Reason == reason || Reasons.Waits.Contains(status.Conditions[0].Reason))
        && !status.Conditions.Any(condition => Reasons.Causes.Contains(condition.Reason) && before.Find(condition.Type)?.Reason != condition.Reason);

    /// <param name="server">With its last status.</param>
    /// <param name="fault">Why the whole server fails; null when it does not.</param>
    /// <param name="doubts">What is doubtful in the spec; empty when nothing is.</param>
    /// <param name="url">Where clients reach it; null when the spec does not say.</param>
    /// <param name="image">The resolved image; null when the spec does not say.</param>
    /// <param name="now">Goes into conditions whose status flips.</param>
    public static MCPServerStatus Compose(
        MCPServer server, IReadOnlyList<ComponentCondition> components, Problem? fault, IReadOnlyList<ObservedDeployment> tracks,
        string doubts, string? url, string? image, DateTimeOffset now)
    {
        // Failures come before what is waited for.
        var failures = components.Where(component => component.IsFailed).ToList();
        var waiting = components.Where(component => component is { IsFailed: false, IsReady: false }).ToList();
        var failed = fault is not null || failures.Count > 0;
        var ready = !failed && waiting.Count == 0;
        var cause = fault?.Reason ?? failures.Concat(waiting).FirstOrDefault()?.Reason ?? Reasons.AllResourcesReady;
        var message = Kubernetes.Condition.Cut(
            ready ? doubts.Length == 0 ? AllReady : $"{AllReady}, but the spec is doubtful: {doubts}"
            : fault?.Message ?? string.Join("; ", [
                .. failures.Select(component => component.Message), .. waiting.Select(component => $"{component.Name} not ready: {component.Message}")]));
        var conditions = new List<Condition>(components.Count + 1)
        {
            Condition(ConditionTypes.Ready, ready, cause, message),
        };
        foreach (var component in components)
            conditions.Add(Condition(component.ConditionType, component.IsReady, component.Reason, component.Message));

        return new MCPServerStatus
        {
            ObservedGeneration = server.Metadata.Generation,
            Phase = failed ? Phase.Error
                : ready ? Phase.Ready
                : components.Any(component => component.IsReady) ? Phase.PartiallyReady
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
}
