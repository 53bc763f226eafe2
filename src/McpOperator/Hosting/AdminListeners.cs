using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>
/// The listeners of metrics and probes. They are bound before anything else begins, so that an address in use is noticed at
/// once, and serve from when the operator has begun until after it has ended.
/// </summary>
internal sealed class AdminListeners(RunContext context, IHostApplicationLifetime lifetime, ILogger logger)
    : IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    private AdminServer? _metrics;
    private AdminServer? _probes;

    /// <exception cref="BindException">An address cannot be had.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _metrics = Bind("metrics-bind-address", context.Options.Metrics, context.Metrics.Answer);
        _probes = Bind(
            "health-probe-bind-address", context.Options.Probes, context.Liveness.Answer, context.Readiness.Answer);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // When the operator has failed already, its reason must be the last line of the log.
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return Task.CompletedTask;
        Serve(_metrics, "/metrics");
        Serve(_probes, "/healthz and /readyz");
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken) => await DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_metrics is not null)
            await _metrics.DisposeAsync();
        if (_probes is not null)
            await _probes.DisposeAsync();
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private AdminServer? Bind(string flag, BindAddress? address, params Func<AdminRequest, AdminResponse?>[] endpoints) =>
        address is null ? null : AdminServer.Bind(flag, address, endpoints, logger, context.Time);

    private void Serve(AdminServer? server, string paths)
    {
        if (server is null)
            return;
        server.Start();
        logger.Serving(paths, server.EndPoint);
    }
}
