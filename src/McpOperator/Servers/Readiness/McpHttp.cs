using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using McpOperator.Api;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Readiness;

/// <summary>
/// HTTP with one server, and nobody else: no redirect is followed, no proxy, cookie or credential used, and no more read than a server is allowed.
/// Its connections end with it, so that none is kept of a thousand servers.
/// </summary>
internal sealed class McpHttp(IPEndPoint server, McpClient client) : IDisposable
{
    public const string Json = "application/json";
    public const string Events = "text/event-stream";

    /// <summary>Of an error's words.</summary>
    private const int LargestRefusal = 4 * 1024;

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        // Nothing is decompressed, which is the default. Saying so would link the decompressors, a megabyte of them.
        // Framework.substitutions.xml has the reading of cookies cut out, and that of a demand for credentials.
        UseCookies = false,
        ActivityHeadersPropagator = null,
        // In KiB.
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 0,
    });

    public ByteAllowance Allowance { get; } = new();

    /// <summary>What was asked last, such as "POST http://10.0.0.7:8088/mcp".</summary>
    public string Asked { get; private set; } = "";

    /// <param name="path">From the root; what it has to escape is escaped.</param>
    public Uri UriOf(string path) => new UriBuilder(Uri.UriSchemeHttp, server.Address.ToString(), server.Port, path).Uri;

    /// <param name="body">Null for none.</param>
    /// <returns>The head of the answer, to be disposed of: who does so before its end closes the connection.</returns>
    /// <exception cref="McpFault">The status is not 2xx.</exception>
    /// <exception cref="HttpRequestException">There was no connection, or no HTTP: see <see cref="FaultOf"/>.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri uri, string accept, byte[]? body, Action<HttpRequestHeaders>? headers, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, uri) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.TryAddWithoutValidation("User-Agent", $"{client.Name}/{client.Version}");
        headers?.Invoke(request.Headers);
        if (body is not null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(Json) } };
        // Without the query, in which the old transport has its session.
        Asked = $"{method} {ForeignText.Clean(uri.AbsoluteUri)}";
        var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The body of an answer, up to <paramref name="most"/> bytes.</summary>
    /// <exception cref="McpFault">A server may not send as much.</exception>
    public async Task<PooledBuffer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken, int most = int.MaxValue)
    {
        var buffer = new PooledBuffer();
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            while (buffer.Written.Length < most && await body.ReadAsync(buffer.GetMemory(), cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                Allowance.Take(read);
                buffer.Advance(read);
                ByteAllowance.CheckMessage(buffer.Written.Length);
            }

            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The media type; null without one.</summary>
    public static string? TypeOf(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType?.ToLowerInvariant();

    private async Task<McpFault> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status is 401 or 403)
            return new McpFault(Reasons.AuthRequired, $"answered {status}", status);
        if (status is >= 300 and < 400)
        {
            var target = ForeignText.Clean(response.Headers.TryGetValues("Location", out var values) ? values.First() : "");
            return new McpFault(Reasons.McpProtocolError, $"answered {status}{(target.Length > 0 ? $", to {target}" : "")}, and redirects are not followed", status);
        }

        var words = "";
        if (TypeOf(response) == Json)
        {
            using var body = await ReadAsync(response, cancellationToken, LargestRefusal).ConfigureAwait(false);
            words = JsonRpc.WordsOf(body.Written);
        }

        var isNotThere = status is >= 500 or 408 or 429;
        return new McpFault(isNotThere ? Reasons.McpNotAnswering : Reasons.McpProtocolError, $"answered {status}{(words.Length > 0 ? $" ({words})" : "")}", status);
    }

    /// <summary>What the client throws, of a request or while a body is read.</summary>
    public static McpFault FaultOf(Exception exception) =>
        ((exception as HttpRequestException)?.HttpRequestError ?? (exception as HttpIOException)?.HttpRequestError) is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded
            ? new McpFault(Reasons.McpProtocolError, $"answered what is not HTTP: {ForeignText.Clean(exception.Message)}")
            // The words of the socket have no address in them, which the pod's name stands for.
            : new McpFault(Reasons.McpNotAnswering, $"{McpWords.NoAnswer}: {ForeignText.Clean((exception.InnerException as SocketException ?? exception).Message)}");
}
