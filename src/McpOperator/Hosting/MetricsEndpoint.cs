namespace McpOperator.Hosting;

/// <summary>/metrics: whatever the registered writers write, at the moment of the request.</summary>
internal sealed class MetricsEndpoint
{
    private readonly Lock _lock = new();
    private Action<PrometheusWriter>[] _writers = [];

    /// <summary>
    /// Adds a writer, which is called at each scrape, on any thread, and must be quick. No other writer may write the same
    /// families.
    /// </summary>
    public void Add(Action<PrometheusWriter> writer)
    {
        lock (_lock)
            _writers = [.. _writers, writer];
    }

    internal AdminResponse? Answer(AdminRequest request)
    {
        if (request.Path != "/metrics")
            return null;
        var metrics = new PrometheusWriter(request.Body);
        foreach (var writer in _writers)
            writer(metrics);
        return new AdminResponse(200, PrometheusWriter.ContentType);
    }
}
