using McpOperator.Controller;

namespace McpOperator.Hosting;

/// <summary>The counters of the lanes under the names of controller-runtime, which existing dashboards use.</summary>
internal sealed class ControllerMetrics(IReadOnlyList<Lane> lanes, IReadOnlyCollection<IReflector> reflectors)
{
    public void Write(PrometheusWriter metrics)
    {
        metrics.Counter("controller_runtime_reconcile_total", "Reconciles by result.");
        foreach (var lane in lanes)
        {
            Result(lane, "success", lane.Counters.Succeeded);
            Result(lane, "error", lane.Counters.Failed);
            Result(lane, "requeue", lane.Counters.Requeued);
            Result(lane, "requeue_after", lane.Counters.RequeuedAfter);
        }

        metrics.Counter("controller_runtime_reconcile_errors_total", "Reconciles that ended with an error.");
        OfController(lane => lane.Counters.Failed);
        metrics.Counter("controller_runtime_reconcile_panics_total", "Reconciles that ended with an error that nobody foresaw.");
        OfController(lane => lane.Counters.Panicked);
        metrics.Histogram("controller_runtime_reconcile_time_seconds", "How long a reconcile took.");
        foreach (var lane in lanes)
            metrics.Sample(lane.Counters.Durations, ("controller", lane.Name));
        metrics.Gauge("controller_runtime_max_concurrent_reconciles", "Reconciles that may be in flight.");
        OfController(lane => lane.Workers);
        metrics.Gauge("controller_runtime_active_workers", "Reconciles in flight.");
        OfController(lane => lane.Counters.ActiveWorkers);

        metrics.Gauge("workqueue_depth", "Keys that wait to be reconciled.");
        OfQueue(lane => lane.Queue.Depth);
        metrics.Counter("workqueue_adds_total", "Keys added to the queue.");
        OfQueue(lane => lane.Queue.Adds);
        metrics.Counter("workqueue_retries_total", "Keys added with a delay: retries and requeues.");
        OfQueue(lane => lane.Queue.Retries);

        metrics.Histogram("workqueue_queue_duration_seconds", "How long a key waited for a worker.");
        foreach (var lane in lanes)
            metrics.Sample(lane.Queue.Waits, ("name", lane.Name), ("controller", lane.Name));
        metrics.Histogram("workqueue_work_duration_seconds", "How long a worker had a key.");
        foreach (var lane in lanes)
            metrics.Sample(lane.Counters.WorkDurations, ("name", lane.Name), ("controller", lane.Name));
        metrics.Gauge("workqueue_unfinished_work_seconds", "How long the workers have had the keys that they have now, together.");
        OfQueue(lane => lane.Counters.Busy().Together.TotalSeconds);
        metrics.Gauge("workqueue_longest_running_processor_seconds", "How long the slowest of them has had its key.");
        OfQueue(lane => lane.Counters.Busy().Longest.TotalSeconds);

        metrics.Counter("mcp_operator_watch_restarts_total", "Watches begun again.");
        metrics.Sample(reflectors.Sum(reflector => reflector.WatchRestarts));
        metrics.Counter("mcp_operator_relists_total", "Complete lists after the first.");
        metrics.Sample(reflectors.Sum(reflector => reflector.Relists));

        void Result(Lane lane, string result, long count) =>
            metrics.Sample(count, ("controller", lane.Name), ("result", result));

        void OfController(Func<Lane, double> value)
        {
            foreach (var lane in lanes)
                metrics.Sample(value(lane), ("controller", lane.Name));
        }

        void OfQueue(Func<Lane, double> value)
        {
            foreach (var lane in lanes)
                metrics.Sample(value(lane), ("name", lane.Name), ("controller", lane.Name));
        }
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
