using System.Globalization;

namespace McpOperator.Kubernetes;

/// <summary>
/// What <c>rest_client_requests_total</c> counts: every request sent, retries included, by method and status code.
/// </summary>
internal sealed class RequestCounter
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Method, string Code), long> _counts = [];

    /// <summary>A copy, in the order of method and code.</summary>
    public IReadOnlyList<RequestCount> Snapshot()
    {
        lock (_lock)
        {
            return
            [
                .. _counts
                    .OrderBy(entry => entry.Key.Method, StringComparer.Ordinal)
                    .ThenBy(entry => entry.Key.Code, StringComparer.Ordinal)
                    .Select(entry => new RequestCount(entry.Key.Method, entry.Key.Code, entry.Value)),
            ];
        }
    }

    /// <summary>Counts one request. The code is null when no answer came.</summary>
    internal void Count(HttpMethod method, int? code)
    {
        // "<error>" is client-go's word for it (tools/metrics), and what dashboards filter by.
        var key = (method.Method, code?.ToString(CultureInfo.InvariantCulture) ?? "<error>");
        lock (_lock)
            _counts[key] = _counts.GetValueOrDefault(key) + 1;
    }
}

/// <summary>How often one method was answered with one code.</summary>
internal readonly record struct RequestCount(string Method, string Code, long Count);
