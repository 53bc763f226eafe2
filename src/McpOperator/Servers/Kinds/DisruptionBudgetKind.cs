using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// How many pods of a server may be evicted at a time. Not of a single one: its budget would keep every node from being drained.
/// API servers before 1.21 do not have this version of it.
/// </summary>
internal sealed class DisruptionBudgetKind(Store<ObservedPresence> store, OwnedFields ours)
    : OwnedKind<ObservedPresence>(
        ResourceTypes.PodDisruptionBudget, ConditionTypes.DisruptionBudgetReady, store, json => new ObservedPresence(json, ours), ours)
{
    public override bool IsOptional => true;

    public override DesiredState DesiredStateOf(Pass pass) =>
        IsWanted(pass) ? new DesiredState.Apply(() => Build(pass.Server)) : new DesiredState.Absent();

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass) => IsWanted(pass) || pass.ResultOf(this).Problem is not null
        ? [ConditionOf(pass, pass.ResultOf(this).Problem, _ => Ready(Reasons.DisruptionBudgetCreated, "the PodDisruptionBudget exists"))]
        : [];

    /// <summary>Of a suspended server it stays, as its route does.</summary>
    private static bool IsWanted(Pass pass) => pass.Spec is { DisruptionBudget: not null, Replicas: > 1 };

    /// <param name="server">With the defaults filled in, and valid.</param>
    internal static byte[] Build(MCPServer server)
    {
        var budget = server.Spec.DisruptionBudget!;
        var spec = new JsonObject { ["selector"] = Labels.SelectorOf(server.Metadata.Name) };
        if (budget.MinAvailable is { } least)
            spec["minAvailable"] = JsonValue.Create(least);
        if (budget.MaxUnavailable is { } most)
            spec["maxUnavailable"] = JsonValue.Create(most);
        return ApplyConfiguration.Of(ResourceTypes.PodDisruptionBudget, Labels.MetadataOf(server, Labels.Of(server.Metadata.Name)), spec);
    }
}
