using McpOperator.Api;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Readiness;

/// <summary>Streamable HTTP (2025-03-26 and later): each message is a POST, whose answer is JSON, or a stream of events with the response in it.</summary>
internal sealed class StreamableHttp(McpHttp http, Uri uri) : IMcpTransport
{
    private const int LongestSession = 1024;

    private string? _session;

    public string? ProtocolVersion { private get; set; }

    public async Task RequestAsync(byte[] message, int id, ResultReader read, CancellationToken cancellationToken)
    {
        using var response = await NotifyAsync(message, cancellationToken).ConfigureAwait(false);
        if (_session is null && response.Headers.TryGetValues("Mcp-Session-Id", out var values) && values.First() is { Length: <= LongestSession } session)
            _session = session;
        switch (McpHttp.TypeOf(response))
        {
            case McpHttp.Json:
                using (var body = await http.ReadAsync(response, cancellationToken).ConfigureAwait(false))
                {
                    if (!JsonRpc.Read(body.Written, id, read))
                        throw new McpFault(Reasons.McpProtocolError, "answered another message than the response");
                    return;
                }

            case McpHttp.Events:
                using (var events = new EventReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), http.Allowance))
                {
                    while (await events.ReadAsync(cancellationToken).ConfigureAwait(false) is { } one)
                    {
                        // Others are no messages; an empty one begins a stream that can be resumed.
                        if (one.IsMessage && JsonRpc.Read(one.Data, id, read))
                            return;
                    }
                }

                throw new McpFault(Reasons.McpProtocolError, "ended its stream of events before the response");
            case var type:
                throw new McpFault(
                    Reasons.McpProtocolError,
                    $"answered {(int)response.StatusCode} with {(string.IsNullOrEmpty(type) ? "no content" : ForeignText.Clean(type))}, and MCP is {McpHttp.Json} or {McpHttp.Events}");
        }
    }

    public Task<HttpResponseMessage>? EndAsync(CancellationToken cancellationToken) =>
        _session is null ? null : http.SendAsync(HttpMethod.Delete, uri, "*/*", body: null, AddHeaders, cancellationToken);

    public Task<HttpResponseMessage> NotifyAsync(byte[] message, CancellationToken cancellationToken) =>
        http.SendAsync(HttpMethod.Post, uri, $"{McpHttp.Json}, {McpHttp.Events}", message, AddHeaders, cancellationToken);

    private void AddHeaders(System.Net.Http.Headers.HttpRequestHeaders headers)
    {
        if (_session is not null)
            headers.TryAddWithoutValidation("Mcp-Session-Id", _session);
        if (ProtocolVersion is not null)
            headers.TryAddWithoutValidation("MCP-Protocol-Version", ProtocolVersion);
    }
}
