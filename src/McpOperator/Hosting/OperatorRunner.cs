using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>
/// Runs the operator as a service of the host. Not a BackgroundService, which begins on another thread: the readiness checks
/// that the operator adds first must be there before the first probe is answered.
/// </summary>
internal sealed class OperatorRunner(
    Func<RunContext, Task> operate, RunContext context, IHostApplicationLifetime lifetime, ILogger logger)
    : IHostedService
{
    private Task _running = Task.CompletedTask;

    /// <summary>Whether the operator ended without being asked to, or did not end when it was.</summary>
    public bool HasFailed { get; private set; }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = RunAsync();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_running.IsCompleted)
            await Task.WhenAny(_running, Task.Delay(OperatorHost.StopTimeout, context.Time, cancellationToken));
        if (_running.IsCompleted)
            return;
        HasFailed = true;
        logger.StopTimedOut(OperatorHost.StopTimeout.TotalSeconds);
    }

    private async Task RunAsync()
    {
        try
        {
            await operate(context);
            if (context.Stopping.IsCancellationRequested)
                return;
            logger.OperatorEnded();
        }
        catch (OperationCanceledException) when (context.Stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Kubernetes.ConnectionException e)
        {
            logger.NotConnected(e.Message);
        }
        catch (Controller.LeaseLostException)
        {
            // The elector has logged it already, when it happened.
        }
        catch (Exception e)
        {
            logger.OperatorFailed(e);
        }

        HasFailed = true;
        lifetime.StopApplication();
    }
}
