using McpOperator.Reconciliation;

namespace McpOperator.Hosting;

/// <summary>What only this operator counts.</summary>
internal sealed class OperatorMetrics(OperatorCounters counters)
{
    public void Write(PrometheusWriter metrics)
    {
        metrics.Counter("mcp_operator_access_judged_total", "Grants and sessions looked at, each as often as it was.");
        metrics.Sample(counters.Judged);
    }
}
