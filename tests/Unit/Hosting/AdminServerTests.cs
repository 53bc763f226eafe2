using System.Net;
using System.Net.Sockets;
using System.Text;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Hosting;

public sealed class AdminServerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MetricsEndpoint _metrics = new();
    private readonly HealthEndpoint _health = new("healthz", NullLogger.Instance, LogLevel.Debug);
    private readonly AdminServer _server;

    public AdminServerTests()
    {
        _health.Add("ping", () => null);
        _server = Bind(new BindAddress(IPAddress.Loopback, 0));
        _server.Start();
    }

    private AdminServer Bind(BindAddress address) => AdminServer.Bind(
        "metrics-bind-address", address, [_metrics.Answer, _health.Answer], NullLogger.Instance, _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_server.EndPoint, Token);
        return socket;
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Token);
    }

    // A reset or an end: whether the server had read everything is the scheduler's choice.
    private static async Task AssertClosedAsync(Socket socket)
    {
        var error = await Record.ExceptionAsync(
            async () => Assert.Equal(0, await socket.ReceiveAsync(new byte[1], Token)));
        Assert.True(error is null or SocketException, error?.ToString());
    }

    private async Task<string> SendAsync(string request)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), Token);
        return await ReadToEndAsync(socket);
    }

    [Fact]
    public async Task AnOrdinaryClientGetsAnswersOneAfterTheOther()
    {
        _metrics.Add(m =>
        {
            m.Gauge("answer", "It.");
            m.Sample(42);
        });
        using var client = new HttpClient { BaseAddress = new Uri($"http://{_server.EndPoint}") };
        Assert.Equal("ok", await client.GetStringAsync("/healthz", Token));
        Assert.Equal("[+]ping ok\nhealthz check passed\n", await client.GetStringAsync("/healthz?verbose", Token));
        using var scraped = await client.GetAsync("/metrics", Token);
        Assert.Equal("# HELP answer It.\n# TYPE answer gauge\nanswer 42\n", await scraped.Content.ReadAsStringAsync(Token));
        Assert.Equal(PrometheusWriter.ContentType, scraped.Content.Headers.ContentType?.ToString());
        using var missing = await client.GetAsync("/nope", Token);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/healthz"), Token);
        Assert.Equal(2, head.Content.Headers.ContentLength);
        using var posted = await client.PostAsync("/healthz", new StringContent(new string('x', 10_000)), Token);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
        Assert.Equal(["GET", "HEAD"], posted.Content.Headers.Allow.Order());
    }

    [Theory]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nok")]
    [InlineData("GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nok")]
    [InlineData("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Connection: close\r\n\r\n")]
    [InlineData("DELETE /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ", "Method Not Allowed\n")]
    [InlineData("GET /healthz HTTP/2.0\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n")]
    [InlineData("GET http://x/healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n")]
    [InlineData("\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n")]
    [InlineData("\u0016\u0003\u0001 hello over TLS\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n")]
    [InlineData("GET /healthz/nope HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", "Not Found\n")]
    public async Task ARequestIsAnsweredAndTheConnectionClosed(string request, string start, string end)
    {
        var answer = await SendAsync(request);
        Assert.StartsWith(start, answer, StringComparison.Ordinal);
        Assert.EndsWith(end, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnOversizedHeadIsRefusedAndTheAnswerArrives()
    {
        var answer = await SendAsync("GET /healthz HTTP/1.1\r\nX: " + new string('x', 3 * AdminConnection.HeadLimit));
        Assert.StartsWith("HTTP/1.1 431 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHeadInPiecesIsWaitedFor()
    {
        using var socket = await ConnectAsync();
        foreach (var piece in new[] { "GET /hea", "lthz HTTP/1.1\r\n", "Host: x\r", "\n\r", "\n" })
            await socket.SendAsync(Encoding.ASCII.GetBytes(piece), Token);
        Assert.EndsWith("ok", await ReadToEndAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatSendsNothingBlocksNobodyAndIsCutOff()
    {
        using var slow = await ConnectAsync();
        await slow.SendAsync("GET /heal"u8.ToArray(), Token);
        Assert.EndsWith("ok", await SendAsync("GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);

        _time.Advance(AdminConnection.Timeout);
        await AssertClosedAsync(slow);
    }

    [Fact]
    public async Task WhenAllPlacesAreTakenTheOldestConnectionGivesWay()
    {
        var slow = new List<Socket>();
        for (var i = 0; i < 40; i++)
            slow.Add(await ConnectAsync());
        Assert.EndsWith("ok", await SendAsync("GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);

        // Without the clock having moved.
        await AssertClosedAsync(slow[0]);
        slow.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task AWriterThatThrowsIsA500AndTheServerLives()
    {
        var broken = true;
        _metrics.Add(_ =>
        {
            if (broken)
                throw new InvalidOperationException("x");
        });
        Assert.StartsWith("HTTP/1.1 500 ", await SendAsync("GET /metrics HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        broken = false;
        Assert.StartsWith("HTTP/1.1 200 ", await SendAsync("GET /metrics HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void ATakenAddressIsNamedWithItsFlag()
    {
        var taken = new BindAddress(IPAddress.Loopback, _server.EndPoint.Port);
        var error = Assert.Throws<BindException>(() => Bind(taken));
        Assert.StartsWith($"--metrics-bind-address={taken}: cannot listen there: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutAnAddressItAnswersOnIPv4AsWell()
    {
        await using var server = Bind(new BindAddress(null, 0));
        server.Start();
        using var client = new HttpClient();
        Assert.Equal("ok", await client.GetStringAsync($"http://127.0.0.1:{server.EndPoint.Port}/healthz", Token));
    }

    [Fact]
    public async Task StoppingClosesWhatIsOpen()
    {
        using var slow = await ConnectAsync();
        Assert.EndsWith("ok", await SendAsync("GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        await _server.DisposeAsync();
        await AssertClosedAsync(slow);
        await Assert.ThrowsAnyAsync<SocketException>(ConnectAsync);
    }
}
