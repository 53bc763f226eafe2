using McpOperator.Api;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>What the operator gets from the process.</summary>
internal sealed class RunContext
{
    public required RunOptions Options { get; init; }

    public required OperatorSettings Settings { get; init; }

    public required ILoggerFactory LoggerFactory { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>/healthz: when a check fails, the kubelet restarts the process.</summary>
    public required HealthEndpoint Liveness { get; init; }

    /// <summary>
    /// /readyz. Checks that are added before the operator's first await are in place when the first probe is answered.
    /// </summary>
    public required HealthEndpoint Readiness { get; init; }

    public required MetricsEndpoint Metrics { get; init; }

    /// <summary>Cancelled when the process is asked to stop.</summary>
    public required CancellationToken Stopping { get; init; }
}
