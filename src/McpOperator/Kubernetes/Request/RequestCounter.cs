using System.Globalization;

namespace McpOperator.Kubernetes;

/// <summary>
/// What <c>rest_client_requests_total</c> counts: every request sent, retries included, by method and status code.
/// </summary>
internal sealed class RequestCounter
{
    private readonly PairCounts _counts = new();

    /// <summary>A copy, in the order of method and code.</summary>
    public IReadOnlyList<(string Method, string Code, long Count)> Snapshot() => _counts.Snapshot();

    /// <summary>Counts one request. The code is null when no answer came.</summary>
    internal void Count(HttpMethod method, int? code) =>
        // "<error>" is client-go's word for it (tools/metrics), and what dashboards filter by.
        _counts.Count(method.Method, code?.ToString(CultureInfo.InvariantCulture) ?? "<error>");
}
