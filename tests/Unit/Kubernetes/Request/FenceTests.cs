using System.Net;
using System.Text;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Kubernetes;

/// <summary>Whoever loses the lead while a write is under way does not send its body.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class FenceTests : IDisposable
{
    private const string Body = """{"kind":"ConfigMap"}""";

    private static readonly ResourceType ConfigMaps = new("", "v1", "configmaps", "ConfigMap");

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();
    private readonly List<string> _bodies = [];
    private volatile bool _leads = true;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AWriteOfTheLeaderIsSent()
    {
        await using var server = await StartAsync(HttpProtocols.Http2);
        using var connection = Connect(server);

        await WriteAsync(connection, () => _leads);

        Assert.Equal([Body], _bodies);
    }

    [Fact]
    public async Task ThePluginTakesLong()
    {
        await using var server = await StartAsync(HttpProtocols.Http2);
        var lost = Path.Combine(_directory.Path, "lost");
        var plugin = _directory.Write("plugin", $$$"""
            #!/bin/sh
            touch {{{lost}}}
            echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}'
            """);
        File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using var connection = Connect(server, exec: new ExecCommand { ApiVersion = "client.authentication.k8s.io/v1", Command = plugin });

        await IsNotSentAsync(connection, () => !File.Exists(lost));

        Assert.True(File.Exists(lost));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task TheConnectionTakesLong(HttpProtocols protocols)
    {
        await using var server = await StartAsync(protocols);
        server.OnHandshake = () => _leads = false;
        using var connection = Connect(server);

        await IsNotSentAsync(connection, () => _leads);

        Assert.False(_leads);
        Assert.Empty(_bodies);
        // The connection, or one like it, is good for the next leader.
        server.OnHandshake = null;
        _leads = true;
        await WriteAsync(connection, () => _leads);
        Assert.Equal([Body], _bodies);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task TheTokenIsRefusedAndThenAnotherLeads(HttpProtocols protocols)
    {
        var token = _directory.Write("token", "one");
        await using var server = await StartAsync(protocols);
        server.Answer = async context =>
        {
            await ReadAsync(context);
            _leads = false;
            File.WriteAllText(token, "two");
            context.Response.StatusCode = 401;
        };
        using var connection = Connect(server, tokenFile: token);

        await IsNotSentAsync(connection, () => _leads);

        Assert.Equal([Body], _bodies);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(0, HttpProtocols.Http1)]
    [InlineData(1, HttpProtocols.Http1)]
    [InlineData(2, HttpProtocols.Http1)]
    [InlineData(0, HttpProtocols.Http2)]
    [InlineData(1, HttpProtocols.Http2)]
    [InlineData(2, HttpProtocols.Http2)]
    public async Task WhateverElseIsUnderWayGoesOn(int looks, HttpProtocols protocols)
    {
        await using var server = await StartAsync(protocols);
        var release = new TaskCompletionSource();
        var write = server.Answer;
        server.Answer = async context =>
        {
            if (context.Request.Method != "GET")
            {
                await write(context);
                return;
            }

            await context.Response.Body.FlushAsync();
            await release.Task;
            await context.Response.WriteAsync("the end");
        };
        using var connection = Connect(server);
        using var invoker = new HttpMessageInvoker(connection, disposeHandler: false);
        using var watch = await invoker.SendAsync(
            new(HttpMethod.Get, server.Address) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower },
            default);
        var looked = 0;

        await IsNotSentAsync(connection, () => looked++ < looks);

        Assert.Equal(looks + 1, looked); // not sent again, either
        Assert.Empty(_bodies);
        await WriteAsync(connection, () => true);
        Assert.Equal([Body], _bodies);
        release.SetResult();
        Assert.Equal("the end", await watch.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task HalfOfALargeBodyIsNoBody(HttpProtocols protocols)
    {
        await using var server = await StartAsync(protocols);
        using var connection = Connect(server);
        var body = Encoding.UTF8.GetBytes(new string('x', 1_000_000));
        var looked = 0;

        await IsNotSentAsync(connection, () => looked++ < 40, body);

        Assert.Empty(_bodies);
        await WriteAsync(connection, () => true, body);
        Assert.Equal([body.Length], _bodies.Select(text => text.Length));
    }

    [Fact]
    public async Task ADeletionHasABodyToo()
    {
        await using var server = await StartAsync(HttpProtocols.Http2);
        server.OnHandshake = () => _leads = false;
        using var connection = Connect(server);
        using var client = new ApiClient(Product.Identity, connection, _time, mayWrite: () => _leads);

        await Assert.ThrowsAsync<HttpRequestException>(() => client.DeleteAsync(ConfigMaps, new("a", "x"), "u-1"));

        Assert.Empty(_bodies);
    }

    private async Task<TlsServer> StartAsync(HttpProtocols protocols)
    {
        var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"), protocols);
        server.Answer = ReadAsync;
        return server;
    }

    /// <summary>As an API server does before it acts. A body that does not come to its end is an exception here.</summary>
    private async Task ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        lock (_bodies)
            _bodies.Add(body);
    }

    private Connection Connect(TlsServer server, string? tokenFile = null, ExecCommand? exec = null) => new(
        new ClusterAccess
        {
            Server = server.Address,
            Namespace = "a",
            Origin = "test",
            CertificateAuthority = Encoding.UTF8.GetBytes(_authority.Pem),
            TokenFile = tokenFile,
            Exec = exec,
        },
        _time);

    private async Task IsNotSentAsync(Connection connection, Func<bool> mayWrite, byte[]? body = null)
    {
        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => WriteAsync(connection, mayWrite, body));
        Assert.Equal("POST /api/v1/namespaces/a/configmaps: not sent, since this process does not lead (any more)", fault.Message);
    }

    private async Task WriteAsync(Connection connection, Func<bool> mayWrite, byte[]? body = null)
    {
        using var client = new ApiClient(Product.Identity, connection, _time, mayWrite: mayWrite);
        await client.CreateAsync(ConfigMaps, "a", body ?? Encoding.UTF8.GetBytes(Body));
    }
}
