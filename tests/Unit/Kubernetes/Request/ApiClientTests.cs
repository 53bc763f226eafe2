using System.Net;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Kubernetes;

public sealed class ApiClientTests
{
    private const string Root = "https://api.test";

    private static readonly ResourceType Deployments = new("apps", "v1", "deployments", "Deployment");
    private static readonly ResourceType ConfigMaps = new("", "v1", "configmaps", "ConfigMap");
    private static readonly ObjectKey Key = new("team-a", "echo");
    private static readonly byte[] Body = "{\"a\":1}"u8.ToArray();

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task FindReadsTheObject()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""));

        Assert.Equal("echo", await Client(server).FindAsync(Deployments, Key, Name, "0"));

        Assert.Equal($"GET {Root}/apis/apps/v1/namespaces/team-a/deployments/echo?resourceVersion=0", server.Sent[0].Line);
        Assert.Matches("^mcp-operator/[0-9]+\\.[0-9]+\\.[0-9]+$", server.Sent[0].UserAgent);
    }

    [Fact]
    public async Task FindIsNullWhenThereIsNone()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Status(404, "NotFound", "no such thing"));

        Assert.Null(await Client(server).FindAsync(ConfigMaps, Key, Name));

        Assert.Equal($"GET {Root}/api/v1/namespaces/team-a/configmaps/echo", server.Sent[0].Line);
    }

    [Fact]
    public async Task AServerMayHaveAPath()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""));

        await Client(server, $"{Root}/k8s/clusters/c-1/").FindAsync(ConfigMaps, Key, json => json.GetRawText());

        Assert.Equal($"GET {Root}/k8s/clusters/c-1/api/v1/namespaces/team-a/configmaps/echo", server.Sent[0].Line);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"metadata":{"name":7}}""")]
    public async Task AnAnswerThatIsNoObjectIsNotDecoded(string body)
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Json(body));

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => Client(server).ApplyAsync(Deployments, Key, Body, force: true, Name));

        Assert.Contains("the answer is no object", fault.Message);
    }

    [Fact]
    public async Task EachWriteIsTheRequestThatItSays()
    {
        var server = new ScenarioHandler(
            [.. Enumerable.Repeat<Func<SentRequest, HttpResponseMessage>>(_ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""), 8)]);
        var client = Client(server);

        await client.ApplyAsync(Deployments, Key, Body, force: true, Name);
        await client.ApplyAsync(Deployments, Key, Body, force: false, Name);
        await client.ApplyStatusAsync(Deployments, Key, Body, Name);
        await client.MergePatchAsync(Deployments, Key, Body, Name);
        await client.CreateAsync(Deployments, "team-a", Body);
        Assert.Equal("echo", await client.CreateAsync(Deployments, "team-a", Body, Name));
        Assert.Equal("echo", await client.UpdateAsync(Deployments, Key, Body, Name));
        Assert.True(await client.DeleteAsync(Deployments, Key, "u-1"));

        const string path = "/apis/apps/v1/namespaces/team-a/deployments";
        const string manager = "?fieldManager=mcp-runtime-operator";
        Assert.Equal(
            [
                ($"PATCH {Root}{path}/echo{manager}&force=true", "application/apply-patch+yaml"),
                ($"PATCH {Root}{path}/echo{manager}", "application/apply-patch+yaml"),
                ($"PATCH {Root}{path}/echo/status{manager}&force=true", "application/apply-patch+yaml"),
                ($"PATCH {Root}{path}/echo{manager}", "application/merge-patch+json"),
                ($"POST {Root}{path}{manager}", "application/json"),
                ($"POST {Root}{path}{manager}", "application/json"),
                ($"PUT {Root}{path}/echo{manager}", "application/json"),
                ($"DELETE {Root}{path}/echo", "application/json"),
            ],
            server.Sent.Select(sent => (sent.Line, sent.ContentType!)));
        Assert.All(server.Sent.SkipLast(1), sent => Assert.Equal(Encoding.UTF8.GetString(Body), sent.Body));
        Assert.Equal(
            """{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"u-1"}}""",
            server.Sent[^1].Body);
    }

    [Fact]
    public async Task WhoMayNotWriteSendsNothingButReads()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""));
        var client = new ApiClient(Product.Identity, server, new Uri(Root), _time, mayWrite: () => false);

        Func<Task>[] writes =
        [
            () => client.ApplyAsync(Deployments, Key, Body, true, Name),
            () => client.ApplyStatusAsync(Deployments, Key, Body, Name),
            () => client.MergePatchAsync(Deployments, Key, Body, Name),
            () => client.JsonPatchAsync(Deployments, Key, Body, static _ => true),
            () => client.StrategicPatchAsync(Deployments, Key, Body, static _ => true),
            () => client.CreateAsync(Deployments, "team-a", Body),
            () => client.UpdateAsync(Deployments, Key, Body, Name),
            () => client.DeleteAsync(Deployments, Key, "u-1"),
        ];
        foreach (var write in writes)
            Assert.EndsWith("does not lead (any more)", (await Assert.ThrowsAsync<HttpRequestException>(write)).Message, StringComparison.Ordinal);
        Assert.Empty(server.Sent);
        Assert.Empty(client.Requests.Snapshot());

        Assert.Equal("echo", await client.FindAsync(Deployments, Key, Name));
    }

    [Fact]
    public async Task WhoMayNoLongerWriteDoesNotTryAgain()
    {
        var mayWrite = true;
        var server = new ScenarioHandler(_ => Busy(429, "7"));
        var apply = new ApiClient(Product.Identity, server, new Uri(Root), _time, mayWrite: () => mayWrite).ApplyAsync(Deployments, Key, Body, true, Name);

        mayWrite = false;
        _time.Advance(TimeSpan.FromSeconds(7));

        await Assert.ThrowsAsync<HttpRequestException>(() => apply);
        Assert.Single(server.Sent);
    }

    [Theory]
    [InlineData(404, "NotFound")]
    [InlineData(409, "Conflict")]
    public async Task DeletingWhatIsGoneOrReplacedIsNoError(int code, string reason) =>
        Assert.False(await Client(new ScenarioHandler(_ => ScenarioHandler.Status(code, reason, "x"))).DeleteAsync(Deployments, Key, "u-1"));

    [Fact]
    public async Task ARefusalCarriesTheStatus()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Json(
            """
            {"kind":"Status","message":"Deployment is invalid","reason":"Invalid","code":422,
             "details":{"causes":[{"reason":"FieldValueRequired","message":"Required value","field":"spec.selector"}]}}
            """,
            HttpStatusCode.UnprocessableEntity));

        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client(server).ApplyAsync(Deployments, Key, Body, true, Name));

        Assert.True(refusal.IsInvalid);
        Assert.True(refusal.Status.HasCause("FieldValueRequired"));
        Assert.Equal(
            "PATCH /apis/apps/v1/namespaces/team-a/deployments/echo: Deployment is invalid", refusal.Message);
    }

    [Theory]
    [InlineData("<html><head><title>502</title></head>\n<body> Bad\r\n gateway </body></html>", "502 Bad Gateway: 502 Bad gateway")]
    [InlineData("", "502 Bad Gateway")]
    [InlineData("{\"kind\":\"Other\"}", "502 Bad Gateway: {\"kind\":\"Other\"}")]
    [InlineData("not json {", "502 Bad Gateway: not json {")]
    public async Task AnErrorThatIsNoStatusIsDescribed(string body, string message)
    {
        var server = new ScenarioHandler(_ => new(HttpStatusCode.BadGateway) { Content = new StringContent(body) });

        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client(server).MergePatchAsync(Deployments, Key, Body, Name));

        Assert.Equal(HttpStatusCode.BadGateway, refusal.Code);
        Assert.Equal(message, refusal.Status.Message);
    }

    [Fact]
    public async Task ALongErrorIsCutShort()
    {
        var server = new ScenarioHandler(_ => new(HttpStatusCode.BadGateway) { Content = new StringContent(new string('x', 200_000)) });

        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client(server).CreateAsync(Deployments, "a", Body));

        Assert.InRange(refusal.Message.Length, 200, 400);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task RetryAfterIsWaitedForAndTheBodySentAgain(int code)
    {
        var server = new ScenarioHandler(_ => Busy(code, "7"), _ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""));

        var apply = Client(server).ApplyAsync(Deployments, Key, Body, true, Name);
        Assert.Single(server.Sent);
        _time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.Single(server.Sent);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal("echo", await apply);
        Assert.Equal(server.Sent[0].Body, server.Sent[1].Body);
    }

    /// <summary>An outage of minutes is for the caller's backoff: a reconcile that waits for so long looks like one that hangs.</summary>
    [Fact]
    public async Task ARetryAfterOfMinutesIsNotWaitedFor()
    {
        var server = new ScenarioHandler(_ => Busy(429, "20"), _ => Busy(429, "11"));

        var apply = Client(server).ApplyAsync(Deployments, Key, Body, true, Name);
        _time.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(429, (int)(await Assert.ThrowsAsync<ApiException>(() => apply)).Code);
        Assert.Equal(2, server.Sent.Count);
    }

    /// <summary>By the time that it is sent again somebody may have been taken out of it.</summary>
    [Fact]
    public async Task WhatMustNotBeSentLaterThanNowIsNotSentAgain()
    {
        var server = new ScenarioHandler(_ => Busy(429, "1"));

        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client(server).ApplyAsync(Deployments, Key, Body, true, Name, mayWait: false));

        Assert.Equal(429, (int)refusal.Code);
    }

    [Theory]
    [InlineData(429, null)]
    [InlineData(500, "soon")]
    [InlineData(409, "1")]
    public async Task WithoutANumberOfSecondsNothingIsRetried(int code, string? retryAfter)
    {
        var server = new ScenarioHandler(_ => Busy(code, retryAfter));

        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client(server).ApplyAsync(Deployments, Key, Body, true, Name));

        Assert.Equal(code, (int)refusal.Code);
    }

    [Fact]
    public async Task TheTenthAttemptIsTheLast()
    {
        var server = new ScenarioHandler([.. Enumerable.Repeat<Func<SentRequest, HttpResponseMessage>>(_ => Busy(429, "0"), 10)]);

        await Assert.ThrowsAsync<ApiException>(() => Client(server).ApplyAsync(Deployments, Key, Body, true, Name));

        Assert.Equal(10, server.Sent.Count);
    }

    [Fact]
    public async Task AReadIsSentAgainWhenItsConnectionBreaks()
    {
        var server = new ScenarioHandler(
            _ => throw Broken(), _ => throw Broken(), _ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""));

        Assert.Equal("echo", await Client(server).FindAsync(Deployments, Key, Name));
    }

    [Fact]
    public async Task AReadIsNotSentAgainForEver()
    {
        var server = new ScenarioHandler(_ => throw Broken(), _ => throw Broken(), _ => throw Broken());

        await Assert.ThrowsAsync<HttpRequestException>(() => Client(server).FindAsync(Deployments, Key, Name));
    }

    [Fact]
    public async Task AWriteIsNotSentAgainWhenItsConnectionBreaks()
    {
        var server = new ScenarioHandler(_ => throw Broken());

        await Assert.ThrowsAsync<HttpRequestException>(() => Client(server).ApplyAsync(Deployments, Key, Body, true, Name));
    }

    [Fact]
    public async Task ARefusedConnectionFailsAtOnce()
    {
        var server = new ScenarioHandler(_ => throw new HttpRequestException(
            HttpRequestError.ConnectionError, "Connection refused", new System.Net.Sockets.SocketException(111)));

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => Client(server).FindAsync(Deployments, Key, Name));

        Assert.Equal(HttpRequestError.ConnectionError, fault.HttpRequestError);
        Assert.StartsWith("GET /apis/apps/v1/namespaces/team-a/deployments/echo: ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAnswerThatStallsIsGivenUp()
    {
        var server = new ScenarioHandler(_ => new(HttpStatusCode.OK) { Content = new StreamContent(new StalledStream()) });

        var find = Client(server).FindAsync(Deployments, Key, Name);
        Assert.False(find.IsCompleted);
        _time.Advance(ApiClient.Deadline);

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => find);
        Assert.IsType<TimeoutException>(fault.InnerException);
    }

    [Fact]
    public async Task CancellationIsNoFault()
    {
        using var cancel = new CancellationTokenSource();
        var server = new ScenarioHandler(_ => new(HttpStatusCode.OK) { Content = new StreamContent(new StalledStream()) });

        var find = Client(server).FindAsync(Deployments, Key, Name, null, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => find);
    }

    [Fact]
    public async Task RequestsAreCountedByMethodAndCode()
    {
        var server = new ScenarioHandler(
            _ => ScenarioHandler.Status(404, "NotFound", "x"),
            _ => Busy(429, "0"),
            _ => ScenarioHandler.Json("""{"metadata":{"name":"echo"}}"""),
            _ => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"));
        var client = Client(server);

        await client.FindAsync(Deployments, Key, Name);
        await client.ApplyAsync(Deployments, Key, Body, true, Name);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.FindAsync(Deployments, Key, Name));

        Assert.Equal(
            [new("GET", "404", 1), new("GET", "<error>", 1), new("PATCH", "200", 1), new("PATCH", "429", 1)],
            client.Requests.Snapshot());
    }

    [Fact]
    public async Task AFaultSaysItsCauseInOneText()
    {
        var untrusted = new AuthenticationException("The remote certificate is invalid: UntrustedRoot");
        var client = Client(new ScenarioHandler(_ => throw new HttpRequestException(
            HttpRequestError.SecureConnectionError, "The SSL connection could not be established, see inner exception.", untrusted)));

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => client.FindAsync(Deployments, Key, Name));

        Assert.EndsWith(": The SSL connection could not be established: The remote certificate is invalid: UntrustedRoot", fault.Message);
    }

    private ApiClient Client(HttpMessageHandler server, string root = Root) => new(Product.Identity, server, new Uri(root), _time);

    private static string Name(JsonElement json) => json.GetProperty("metadata").GetProperty("name").GetString()!;

    private static HttpRequestException Broken() => new("An error occurred while sending the request.", new IOException("reset"));

    private static HttpResponseMessage Busy(int code, string? retryAfter)
    {
        var response = ScenarioHandler.Status(code, "TooManyRequests", "busy");
        if (retryAfter is not null)
            response.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
        return response;
    }
}
