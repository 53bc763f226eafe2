using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>
/// The operator as the host's service. Not a BackgroundService: that one begins on another thread, and the readiness
/// checks that the operator adds first must be there before the first probe is answered.
/// </summary>
internal sealed class OperatorRunner(
    Func<RunContext, Task> operate, RunContext context, IHostApplicationLifetime lifetime, ILogger logger)
    : IHostedService
{
    private Task _running = Task.CompletedTask;

    /// <summary>True when the operator ended in another way than by being asked to, or did not end.</summary>
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
            // The elector has said so, at the moment that it happened.
        }
        catch (Exception e)
        {
            logger.OperatorFailed(e);
        }

        HasFailed = true;
        lifetime.StopApplication();
    }
}
