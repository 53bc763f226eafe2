using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>One request to the API server. Its text, which stands in errors, has no query.</summary>
internal sealed record ApiRequest(
    HttpMethod Method, string Path, string Query = "", ReadOnlyMemory<byte> Body = default, string? ContentType = null)
{
    /// <summary>
    /// False for a request that must not be sent again later. When the API server asks to try later, the caller gets the refusal,
    /// since by then it will have another request.
    /// </summary>
    public bool MayWait { get; init; } = true;

    /// <summary>What the answer shall be.</summary>
    public string Accept { get; init; } = "application/json";

    public override string ToString() => $"{Method.Method} {Path}";
}

/// <summary>
/// Sends requests: deadline, retries, counting, and the server's refusals as <see cref="ApiException"/>. The rules of
/// retrying are client-go's (rest/with_retry.go, rest/request.go).
/// </summary>
internal sealed class Requester(
    string userAgent, HttpMessageHandler transport, Uri server, TimeProvider time, RequestCounter requests, Func<bool>? mayWrite) : IDisposable
{
    private const int MaxAttempts = 10;

    /// <summary>How often a GET whose connection broke is sent again.</summary>
    private const int MaxResends = 2;

    /// <summary>
    /// How long after its first attempt a request is sent again because the server asks for it, slow attempts included. Beyond it the
    /// backoff of the caller waits. client-go has no such limit, but it also has no check for a reconcile that hangs.
    /// </summary>
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly ProductInfoHeaderValue _userAgent =
        new(userAgent, typeof(Requester).Assembly.GetName().Version?.ToString(3));

    private readonly HttpMessageInvoker _invoker = new(transport, disposeHandler: false);

    public RequestCounter Requests => requests;

    public TimeProvider Time => time;

    /// <summary>
    /// Sends the request and reads the answer, both within <paramref name="deadline"/>. A GET whose connection breaks is sent again,
    /// so that <paramref name="read"/> may run more than once.
    /// </summary>
    /// <exception cref="ApiException">The server refused.</exception>
    /// <exception cref="HttpRequestException">No complete answer came in time.</exception>
    public async Task<T> SendAsync<T>(
        ApiRequest request,
        TimeSpan deadline,
        Func<Stream, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken)
    {
        return await RetryAsync(
            request,
            deadline,
            async (response, token) =>
            {
                using (response)
                {
                    var stream = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
                    return await read(stream, token).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends the request. <paramref name="deadline"/> is for the headers; the body may take as long as it takes.</summary>
    public Task<HttpResponseMessage> OpenAsync(ApiRequest request, TimeSpan deadline, CancellationToken cancellationToken) =>
        RetryAsync(request, deadline, (response, _) => Task.FromResult(response), cancellationToken);

    public void Dispose() => _invoker.Dispose();

    private async Task<T> RetryAsync<T>(
        ApiRequest request,
        TimeSpan deadline,
        Func<HttpResponseMessage, CancellationToken, Task<T>> finish,
        CancellationToken cancellationToken)
    {
        var resends = 0;
        var begun = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            using var expiry = new CancellationTokenSource(deadline, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token);
            TimeSpan delay;
            try
            {
                var response = await SendOnceAsync(request, either.Token).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                    return await finish(response, either.Token).ConfigureAwait(false);
                using (response)
                {
                    var refusal = await ApiError.FromAsync(response, request.ToString(), either.Token).ConfigureAwait(false);
                    // A webhook that denies the object would be asked the same again, while a worker waits.
                    if (attempt >= MaxAttempts || !request.MayWait || refusal.IsDenied || !AsksToRetry(response, out delay)
                        || time.GetElapsedTime(begun) + delay > LongestRetry)
                        throw refusal;
                }
            }
            catch (OperationCanceledException) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                var seconds = deadline.TotalSeconds.ToString(CultureInfo.InvariantCulture);
                throw new HttpRequestException($"{request}: no answer within {seconds} s", new TimeoutException());
            }
            catch (Exception e) when (request.Method == HttpMethod.Get && resends < MaxResends && IsBrokenConnection(e))
            {
                resends++;
                continue;
            }
            catch (HttpRequestException e)
            {
                throw new HttpRequestException(e.HttpRequestError, $"{request}: {Explain(e)}", e, e.StatusCode);
            }
            catch (Exception e) when (e is IOException or JsonException)
            {
                throw new HttpRequestException(HttpRequestError.ResponseEnded, $"{request}: {e.Message}", e);
            }

            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(server.AbsoluteUri.TrimEnd('/') + request.Path + request.Query))
        {
            // With plain http, and with servers without ALPN, it becomes 1.1.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.UserAgent.Add(_userAgent);
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        if (request.ContentType is not null)
        {
            var content = FencedContent.Of(request.Body, mayWrite);
            content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
            content.ThrowIfFenced();
            message.Content = content;
        }

        int? code = null;
        try
        {
            var response = await _invoker.SendAsync(message, cancellationToken).ConfigureAwait(false);
            code = (int)response.StatusCode;
            return response;
        }
        finally
        {
            Requests.Count(request.Method, code);
        }
    }

    /// <summary>An overloaded server answers 429 or 5xx with Retry-After in seconds. Without that header the caller decides.</summary>
    private static bool AsksToRetry(HttpResponseMessage response, out TimeSpan delay)
    {
        var wanted = response.Headers.RetryAfter?.Delta;
        delay = wanted ?? TimeSpan.Zero;
        return wanted is not null && (response.StatusCode == HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500);
    }

    /// <summary>
    /// For a broken connection the framework's message says "see inner exception", which most log lines do not show.
    /// </summary>
    private static string Explain(HttpRequestException exception)
    {
        var text = exception.Message;
        for (var inner = exception.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (!text.Contains(inner.Message, StringComparison.Ordinal))
                text = $"{text.Replace(", see inner exception.", "", StringComparison.Ordinal)}: {inner.Message}";
        }

        return text;
    }

    /// <summary>
    /// Whether the request was sent and no complete answer came. Not so when no connection could be made: that fails at once, so that
    /// the caller backs off.
    /// </summary>
    private static bool IsBrokenConnection(Exception exception) => exception switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError } => true,
        HttpRequestException { HttpRequestError: HttpRequestError.Unknown, InnerException: IOException } => true,
        IOException => true,
        _ => false,
    };
}
