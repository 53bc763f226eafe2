using McpOperator.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>
/// Starts the listeners and then the operator, and ends them in the opposite order. The generic host keeps that order.
/// </summary>
internal sealed class OperatorHost(ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>
    /// How long the operator may take to stop. The rest of the five seconds that the process has is for flushing the log.
    /// </summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(4.5);

    private readonly ILogger _logger = loggers.CreateLogger<OperatorHost>();

    /// <summary>Runs the operator until <paramref name="stopping"/>, and returns the exit code.</summary>
    /// <param name="operate">
    /// The operator. It must return, or throw <see cref="OperationCanceledException"/>, after the token of the context was
    /// cancelled. When it ends before, in whatever way, it has failed.
    /// </param>
    public async Task<int> RunAsync(
        Func<RunContext, Task> operate, RunOptions options, OperatorSettings settings, CancellationToken stopping)
    {
        var context = new RunContext
        {
            Options = options,
            Settings = settings,
            LoggerFactory = loggers,
            Time = time,
            Liveness = new HealthEndpoint("healthz", _logger, LogLevel.Error),
            Readiness = new HealthEndpoint("readyz", _logger, LogLevel.Debug),
            Metrics = new MetricsEndpoint(),
            Stopping = stopping,
        };
        context.Liveness.Add("ping", () => null);
        context.Readiness.Add("shutdown", () => stopping.IsCancellationRequested ? "the process is stopping" : null);
        context.Metrics.Add(new ProcessMetrics(time.GetUtcNow()).Write);

        // Empty: it must read no configuration files and no environment variables, and watch no files.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime>(new TokenLifetime());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        builder.Services.AddSingleton<IHostedService>(provider => new AdminListeners(
            context, provider.GetRequiredService<IHostApplicationLifetime>(), _logger));
        builder.Services.AddSingleton<IHostedService>(provider => new OperatorRunner(
            operate, context, provider.GetRequiredService<IHostApplicationLifetime>(), _logger));
        using var host = builder.Build();
        var runner = host.Services.GetServices<IHostedService>().OfType<OperatorRunner>().Single();
        try
        {
            await host.RunAsync(stopping);
        }
        catch (BindException e)
        {
            _logger.BindFailed(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stop came before everything had begun.
            await runner.StopAsync(CancellationToken.None);
        }

        if (runner.HasFailed)
            return 1;
        _logger.Stopped();
        return 0;
    }

    /// <summary>Replaces the host's own, which would handle signals: <see cref="Signals"/> does.</summary>
    private sealed class TokenLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
