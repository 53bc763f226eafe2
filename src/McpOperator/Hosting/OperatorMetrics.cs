using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;

namespace McpOperator.Hosting;

/// <summary>What only this operator counts. What the servers are in is counted at the scrape, from the stores.</summary>
internal sealed class OperatorMetrics(WriteCounters counters, Func<long> judged, Stores stores, EventRecorder recorder)
{
    private const string NotReported = "";

    /// <summary>Of a status that somebody else wrote.</summary>
    private const string OtherReason = "Other";

    private static readonly string[] NotReadyReasons =
    [
        .. Reasons.Causes, Reasons.DeploymentPaused, .. Reasons.Waits, Reasons.Terminating, Reasons.InvalidSpec, Reasons.RouteConflict, Reasons.Paused,
        Reasons.PolicyOutdated, Reasons.PolicyTooLarge, Problem.NameConflict, Problem.ApplyFailed, Problem.Contested,
        Problem.LabelOverwritten, Problem.NotInstalled, OtherReason,
    ];

    /// <summary>In the order of <see cref="McpResult"/>.</summary>
    private static readonly string[] ProbeResults = ["answered", "auth_required", "not_answering", "protocol_error", "not_asked"];

    private static readonly string[] Phases = [Phase.Ready, Phase.PartiallyReady, Phase.Pending, Phase.Error, Phase.Suspended, NotReported];

    public void Write(PrometheusWriter metrics)
    {
        Span<int> byPhase = stackalloc int[Phases.Length];
        var byReason = new int[NotReadyReasons.Length];
        var (current, others) = (0, 0);
        foreach (var server in stores.Servers.Snapshot())
        {
            var phase = Array.IndexOf(Phases, server.Reported?.Phase ?? NotReported);
            byPhase[phase < 0 ? Phases.Length - 1 : phase]++;
            if (server.Reported?.Find(ConditionTypes.Ready) is { Status: not "True" } unready)
                byReason[Array.IndexOf(NotReadyReasons, unready.Reason) is var known and >= 0 ? known : byReason.Length - 1]++;
            if (server.Reported?.Find(ConditionTypes.PolicyReady) is not { } policy)
                continue;
            if (policy.Status == "True")
                current++;
            else
                others++;
        }

        metrics.Gauge("mcp_operator_servers", "MCPServers by the phase that was reported last; none for those not reported yet.");
        for (var i = 0; i < Phases.Length; i++)
            metrics.Sample(byPhase[i], ("phase", Phases[i]));
        metrics.Gauge("mcp_operator_servers_not_ready", "MCPServers whose condition Ready is not True, by its reason.");
        for (var i = 0; i < NotReadyReasons.Length; i++)
            metrics.Sample(byReason[i], ("reason", NotReadyReasons[i]));
        metrics.Gauge("mcp_operator_policies", "Policies of gateways, by whether the current one is in force.");
        metrics.Sample(current, ("current", "true"));
        metrics.Sample(others, ("current", "false"));
        metrics.Counter("mcp_operator_writes_total", "Writes that the API server took, by kind and reason.");
        foreach (var (kind, reason, count) in counters.Writes())
            metrics.Sample(count, ("kind", kind), ("reason", reason));
        metrics.Counter("mcp_operator_contested_repairs_total", "Repairs of what somebody else keeps changing back, by kind.");
        foreach (var (kind, count) in counters.ContestedRepairs())
            metrics.Sample(count, ("kind", kind));
        metrics.Gauge("mcp_operator_status_fields_undeclared", "Fields of a status that the CRD of its kind lacks, as of the last refusal.");
        foreach (var (kind, count) in counters.UndeclaredStatusFields())
            metrics.Sample(count, ("kind", kind));
        metrics.Counter("mcp_operator_access_judged_total", "Grants and sessions looked at, each as often as it was.");
        metrics.Sample(judged());
        metrics.Counter("mcp_operator_mcp_probes_total", "MCP servers asked whether they answer, by what came of it.");
        for (var i = 0; i < ProbeResults.Length; i++)
            metrics.Sample(stores.Mcp.Count((McpResult)i), ("result", ProbeResults[i]));
        metrics.Gauge("mcp_operator_mcp_probes_in_flight", "MCP servers that are being asked.");
        metrics.Sample(stores.Mcp.InFlight);
        metrics.Counter("mcp_operator_events_dropped_total", "Events that were not written.");
        metrics.Sample(recorder.Dropped);
    }
}
