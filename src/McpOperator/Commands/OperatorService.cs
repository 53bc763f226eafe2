using McpOperator.Hosting;

namespace McpOperator.Commands;

/// <summary>The operator itself: connects, and runs the controller until it is told to stop.</summary>
internal static class OperatorService
{
    // TODO: connection and controller loop go here. Add checks to context.Readiness before the first await.
    public static async Task RunAsync(RunContext context)
    {
        context.Readiness.Add("caches", () => "the operator is not wired");
        context.LoggerFactory.CreateLogger(nameof(OperatorService)).NotWired();
        await Task.Delay(Timeout.Infinite, context.Stopping);
    }
}
