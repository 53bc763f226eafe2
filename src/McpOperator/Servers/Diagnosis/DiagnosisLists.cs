using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Lists for a diagnosis: from the API server's cache, and what cannot be listed holds nobody up.</summary>
/// <param name="tell">Logs why not: a fault that is news as a warning.</param>
internal sealed class DiagnosisLists(Action<LogLevel, string> tell)
{
    /// <summary>
    /// From one list to the next. With these figures, and two lists of events, the pods of a server cost one in the first minute, and ten
    /// in the first hour.
    /// </summary>
    public static readonly Backoff Again = new(TimeSpan.FromMinutes(1), 2, TimeSpan.FromMinutes(12), Jitter: 0, TimeSpan.MaxValue);

    private string? _fault;

    /// <summary>Null when the API server refuses, or is away.</summary>
    public async Task<IReadOnlyList<T>?> ListAsync<T>(ListWatch list, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        try
        {
            return [.. (await list.ListAsync("0", cancellationToken).ConfigureAwait(false)).Items.Cast<T>()];
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            var fault = (exception as ApiException)?.Status.Message ?? exception.Message;
            tell(fault == _fault ? LogLevel.Debug : LogLevel.Warning, fault);
            _fault = fault;
            return null;
        }
    }
}
