using System.Net;
using System.Text;

namespace McpOperator.Unit.Kubernetes;

/// <summary>
/// A server that expects requests in order: each step sees what was sent (<c>METHOD path?query</c>, body) and answers
/// or throws. A request without a step is a failure.
/// </summary>
internal sealed class ScenarioHandler(params Func<SentRequest, HttpResponseMessage>[] steps) : HttpMessageHandler
{
    private int _next;

    public List<SentRequest> Sent { get; } = [];

    public static HttpResponseMessage Json(string body, HttpStatusCode code = HttpStatusCode.OK) =>
        new(code) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Status(int code, string reason, string message) => Json(
        $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{{message}}","reason":"{{reason}}","code":{{code}}}""",
        (HttpStatusCode)code);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sent = new SentRequest(
            $"{request.Method} {request.RequestUri}",
            request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken),
            request.Content?.Headers.ContentType?.ToString(),
            request.Headers.UserAgent.ToString(),
            request.Headers.Accept.ToString(),
            cancellationToken);
        Sent.Add(sent);
        Assert.True(_next < steps.Length, $"not expected: {sent.Line}");
        return steps[_next++](sent);
    }
}

internal sealed record SentRequest(
    string Line, string Body, string? ContentType, string UserAgent, string Accept, CancellationToken CancellationToken);
