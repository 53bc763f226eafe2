using System.Text;
using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>
/// HTTP with SSE (2024-11-05): one stream of events, whose first one names where messages are to be sent to; the responses come on the stream.
/// </summary>
internal sealed class EventStreamHttp : IMcpTransport, IDisposable
{
    /// <summary>A streamable server may answer a GET with a stream of its own, on which nothing comes.</summary>
    private static readonly TimeSpan EndpointIsNamed = TimeSpan.FromSeconds(2);

    private readonly McpHttp _http;
    private readonly HttpResponseMessage _response;
    private readonly EventReader _events;
    private readonly Uri _endpoint;

    private EventStreamHttp(McpHttp http, HttpResponseMessage response, EventReader events, Uri endpoint)
    {
        _http = http;
        _response = response;
        _events = events;
        _endpoint = endpoint;
    }

    public string? ProtocolVersion { private get; set; }

    /// <exception cref="McpFault">There is no such stream.</exception>
    public static async Task<IMcpTransport> OpenAsync(McpHttp http, Uri uri, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(EndpointIsNamed, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        HttpResponseMessage? response = null;
        EventReader? events = null;
        try
        {
            response = await http.SendAsync(HttpMethod.Get, uri, McpHttp.Events, body: null, headers: null, either.Token).ConfigureAwait(false);
            if (McpHttp.TypeOf(response) != McpHttp.Events)
                throw new McpFault(Reasons.McpProtocolError, "answered no stream of events");
            events = new EventReader(await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false), http.Allowance);
            if (await events.ReadAsync(either.Token).ConfigureAwait(false) is not { Name: "endpoint", Data: var data })
                throw new McpFault(Reasons.McpProtocolError, "answered a stream of events that does not begin with an endpoint");
            return new EventStreamHttp(http, response, events, EndpointOf(uri, data.Span));
        }
        catch (Exception exception)
        {
            events?.Dispose();
            response?.Dispose();
            if (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                throw new McpFault(Reasons.McpProtocolError, "answered a stream of events on which no endpoint came");
            throw;
        }
    }

    public async Task RequestAsync(byte[] message, int id, ResultReader read, CancellationToken cancellationToken)
    {
        (await NotifyAsync(message, cancellationToken).ConfigureAwait(false)).Dispose();
        while (await _events.ReadAsync(cancellationToken).ConfigureAwait(false) is { } one)
        {
            if (one.IsMessage && JsonRpc.Read(one.Data, id, read))
                return;
        }

        throw new McpFault(Reasons.McpProtocolError, "ended its stream of events before the response");
    }

    public Task<HttpResponseMessage> NotifyAsync(byte[] message, CancellationToken cancellationToken) =>
        _http.SendAsync(HttpMethod.Post, _endpoint, $"{McpHttp.Json}, {McpHttp.Events}", message, headers: null, cancellationToken);

    /// <summary>The session ends with its stream.</summary>
    public Task<HttpResponseMessage>? EndAsync(CancellationToken cancellationToken) => null;

    public void Dispose()
    {
        _events.Dispose();
        _response.Dispose();
    }

    /// <summary>
    /// Its path, at the server itself: a server may name the address at which clients find it, and must not have the operator send messages to whom it likes.
    /// </summary>
    private static Uri EndpointOf(Uri stream, ReadOnlySpan<byte> data) =>
        Uri.TryCreate(stream, Encoding.UTF8.GetString(data), out var named) && (named.Scheme == Uri.UriSchemeHttp || named.Scheme == Uri.UriSchemeHttps)
        && Uri.TryCreate(stream.GetLeftPart(UriPartial.Authority) + named.PathAndQuery, UriKind.Absolute, out var endpoint)
            ? endpoint
            : throw new McpFault(Reasons.McpProtocolError, "names an endpoint that is no URL");
}
