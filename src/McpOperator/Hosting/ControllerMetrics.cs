using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Hosting;

/// <summary>The loop's counters under the names of controller-runtime, which dashboards know.</summary>
internal sealed class ControllerMetrics(
    ReconcileCounters reconciles, WorkQueue queue, IReadOnlyCollection<IReflector> reflectors, int workers)
{
    private const string Controller = "mcpserver";

    public void Write(PrometheusWriter metrics)
    {
        metrics.Counter("controller_runtime_reconcile_total", "Reconciles by result.");
        Result("success", reconciles.Succeeded);
        Result("error", reconciles.Failed);
        Result("requeue", reconciles.Requeued);
        Result("requeue_after", reconciles.RequeuedAfter);
        metrics.Counter("controller_runtime_reconcile_errors_total", "Reconciles that ended with an error.");
        metrics.Sample(reconciles.Failed, ("controller", Controller));
        metrics.Counter("controller_runtime_reconcile_panics_total", "Reconciles that ended with an error that nobody foresaw.");
        metrics.Sample(reconciles.Panicked, ("controller", Controller));
        metrics.Histogram("controller_runtime_reconcile_time_seconds", "How long a reconcile took.");
        metrics.Sample(reconciles.Durations, ("controller", Controller));
        metrics.Gauge("controller_runtime_max_concurrent_reconciles", "Reconciles that may be in flight.");
        metrics.Sample(workers, ("controller", Controller));
        var busy = reconciles.Busy();
        metrics.Gauge("controller_runtime_active_workers", "Reconciles in flight.");
        metrics.Sample(busy.Workers, ("controller", Controller));

        metrics.Gauge("workqueue_depth", "Keys that wait to be reconciled.");
        metrics.Sample(queue.Depth, ("name", Controller), ("controller", Controller));
        metrics.Counter("workqueue_adds_total", "Keys added to the queue.");
        metrics.Sample(queue.Adds, ("name", Controller), ("controller", Controller));
        metrics.Counter("workqueue_retries_total", "Keys added with a delay: retries and requeues.");
        metrics.Sample(queue.Retries, ("name", Controller), ("controller", Controller));

        metrics.Histogram("workqueue_queue_duration_seconds", "How long a key waited for a worker.");
        metrics.Sample(queue.Waits, ("name", Controller), ("controller", Controller));
        metrics.Histogram("workqueue_work_duration_seconds", "How long a worker had a key.");
        metrics.Sample(reconciles.WorkDurations, ("name", Controller), ("controller", Controller));
        metrics.Gauge("workqueue_unfinished_work_seconds", "How long the workers have had the keys that they have now, together.");
        metrics.Sample(busy.Together.TotalSeconds, ("name", Controller), ("controller", Controller));
        metrics.Gauge("workqueue_longest_running_processor_seconds", "How long the slowest of them has had its key.");
        metrics.Sample(busy.Longest.TotalSeconds, ("name", Controller), ("controller", Controller));

        metrics.Counter("mcp_operator_watch_restarts_total", "Watches begun again.");
        metrics.Sample(reflectors.Sum(reflector => reflector.WatchRestarts));
        metrics.Counter("mcp_operator_relists_total", "Complete lists after the first.");
        metrics.Sample(reflectors.Sum(reflector => reflector.Relists));

        void Result(string result, long count) =>
            metrics.Sample(count, ("controller", Controller), ("result", result));
    }
}

/// <summary>The election, under client-go's names; only while --leader-elect is on.</summary>
internal sealed class ElectionMetrics(LeaderElector elector)
{
    public void Write(PrometheusWriter metrics)
    {
        metrics.Gauge("leader_election_master_status", "1 while this process leads, else 0.");
        metrics.Sample(elector.Leads ? 1 : 0, ("name", elector.Name));
        metrics.Counter("leader_election_slowpath_total", "Renewals that had to read the lease first.");
        metrics.Sample(elector.SlowPaths, ("name", elector.Name));
    }
}

/// <summary>Requests to the API server, under client-go's name.</summary>
internal sealed class ClientMetrics(RequestCounter requests, Uri server)
{
    public void Write(PrometheusWriter metrics)
    {
        metrics.Counter("rest_client_requests_total", "Requests to the API server by method and status code.");
        foreach (var request in requests.Snapshot())
            metrics.Sample(request.Count, ("code", request.Code), ("method", request.Method), ("host", server.Authority));
    }
}
