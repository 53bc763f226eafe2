using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Kubernetes;

/// <summary>An HTTPS server as an API server is one: TLS 1.2 and up, HTTP/2, asks for a client certificate.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>What the next handshakes present.</summary>
    public X509Certificate2 Certificate { get; set; } = null!;

    /// <summary>What is sent after <see cref="Certificate"/>.</summary>
    public X509Certificate2Collection Chain { get; } = [];

    /// <summary>The names that clients asked for in their handshakes.</summary>
    public List<string?> Names { get; } = [];

    /// <summary>How a request is answered: the default is 200 with an object.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public List<(string? Authorization, string? ClientCertificate, string Protocol, string Host)> Requests { get; } = [];

    /// <summary>Happens in the middle of each handshake.</summary>
    public Action? OnHandshake { get; set; }

    public static async Task<TlsServer> StartAsync(
        X509Certificate2 certificate, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        TlsServer? server = null;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocols;
            listen.UseHttps(https =>
            {
                https.SslProtocols = SslProtocols.None;
                https.ServerCertificateSelector = (_, name) =>
                {
                    server!.OnHandshake?.Invoke();
                    lock (server.Names)
                        server.Names.Add(name);
                    return server.Certificate;
                };
                https.OnAuthenticate = (_, options) =>
                {
                    if (server!.Chain.Count == 0)
                        return;
                    options.ServerCertificateSelectionCallback = null;
                    options.ServerCertificateContext = SslStreamCertificateContext.Create(server.Certificate, server.Chain, offline: true);
                };
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = (_, _, _) => true;
            });
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        server = new TlsServer(app) { Certificate = certificate };
        app.Run(async context =>
        {
            lock (server.Requests)
            {
                server.Requests.Add((
                    context.Request.Headers.Authorization.ToString() is { Length: > 0 } value ? value : null,
                    context.Connection.ClientCertificate?.Subject,
                    context.Request.Protocol,
                    context.Request.Host.Value ?? ""));
            }
            await server.Answer(context);
            if (!context.Response.HasStarted && context.Response.StatusCode == 200)
                await context.Response.WriteAsync("""{"metadata":{"name":"x"}}""");
        });
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
