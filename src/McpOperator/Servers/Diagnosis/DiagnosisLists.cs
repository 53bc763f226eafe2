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

    /// <summary>What is refused, and why, for as long as it is: by what was to be listed, and where.</summary>
    private readonly Dictionary<string, string> _faults = [];

    /// <summary>Null when the API server refuses, or is away.</summary>
    public async Task<IReadOnlyList<T>?> ListAsync<T>(ListWatch list, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        try
        {
            var items = (await list.ListAsync("0", cancellationToken).ConfigureAwait(false)).Items;
            lock (_faults)
                _faults.Remove(list.Name);
            return [.. items.Cast<T>()];
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            var fault = (exception as ApiException)?.Status.Message ?? exception.Message;
            bool isNews;
            lock (_faults)
            {
                isNews = _faults.GetValueOrDefault(list.Name) != fault;
                _faults[list.Name] = fault;
            }

            tell(isNews ? LogLevel.Warning : LogLevel.Debug, fault);
            return null;
        }
    }
}
