using System.Net;

namespace McpOperator.Testing;

/// <summary>An answer of the API server other than 2xx; <see cref="Reason"/> is its Status object's (NotFound, Conflict, …).</summary>
public sealed class KubeException(HttpStatusCode code, string reason, string message) : Exception(message)
{
    public HttpStatusCode Code { get; } = code;

    public string Reason { get; } = reason;
}
