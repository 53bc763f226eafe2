using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace McpOperator.Kubernetes;

/// <summary>
/// Sends requests to one API server: TLS, credentials, and their renewal while the process runs. The innermost handler of an
/// <see cref="ApiClient"/>.
/// </summary>
/// <remarks>
/// New certificates, the client's or the CA's, apply to new connections: those get a new <see cref="SocketsHttpHandler"/>,
/// while the streams of the old one go on until the server ends them.
/// </remarks>
internal sealed class Connection : HttpMessageHandler
{
    private readonly string? _tlsName;
    private readonly FixedProxy? _proxy;
    private readonly ICredentialSource _credentials;
    private readonly TlsSettings _tls;
    private readonly Lock _lock = new();
    private TlsSettings.Material _material;
    private HttpMessageInvoker? _invoker;

    public Connection(ClusterAccess access, TimeProvider time)
    {
        Server = access.Server;
        _proxy = access.Proxy is { } proxy ? new FixedProxy(proxy) : null;
        // A fully qualified name may end with a dot. In a certificate, and in a handshake, it has none.
        var host = access.Server.IdnHost;
        _tlsName = (access.TlsServerName ?? (host.EndsWith('.') ? host : null))?.TrimEnd('.');
        _credentials = FixedCredentials.From(access, time);
        _tls = new TlsSettings(access, time);
    }

    public Uri Server { get; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // SocketsHttpHandler takes the name for SNI and for the check of the certificate from the Host header, when there is one.
        // Through a proxy there is no other way to set it.
        if (_tlsName is not null && _proxy is not null)
            request.Headers.Host = _tlsName;

        var credential = await _credentials.GetAsync(refused: null, cancellationToken).ConfigureAwait(false);
        var invoker = Invoker(credential);
        var response = await SendAsync(invoker, credential, request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
            return response;

        // The credential may have been rotated since it was last read. The same one again would only be refused again.
        var fresh = await RefreshAsync(credential, response, cancellationToken).ConfigureAwait(false);
        _tls.Expire();
        var freshInvoker = Invoker(fresh);
        if (fresh == credential && freshInvoker == invoker)
            return response;
        response.Dispose();
        return await SendAsync(freshInvoker, fresh, request, cancellationToken).ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _invoker?.Dispose();
            (_credentials as IDisposable)?.Dispose();
        }
        base.Dispose(disposing);
    }

    private async ValueTask<Credential> RefreshAsync(
        Credential refused, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await _credentials.GetAsync(refused, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMessageInvoker invoker, Credential credential, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // A plugin, or the refusal of an earlier credential, may have taken long. The process may not lead any more.
        (request.Content as FencedContent)?.ThrowIfFenced();
        request.Headers.Authorization = credential.Authorization;
        try
        {
            return await invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            // Perhaps there is a new CA. The next attempt must not wait until the files are due to be read again.
            _tls.Expire();
            throw;
        }
    }

    private HttpMessageInvoker Invoker(Credential credential)
    {
        lock (_lock)
        {
            var material = _tls.Current(credential.Certificate);
            if (_invoker is not null && material == _material)
                return _invoker;
            try
            {
                // The old one is not disposed, since other requests may just be about to use it. Its idle connections end after a
                // minute, and its watches keep their pings.
                _invoker = new HttpMessageInvoker(Handler(material));
                _material = material;
                return _invoker;
            }
            catch (CryptographicException e)
            {
                // Read between the writing of a certificate and that of its key, or while half of a file was written.
                return _invoker ?? throw new HttpRequestException(
                    HttpRequestError.SecureConnectionError, $"the certificates for {Server} cannot be used: {e.Message}", e);
            }
        }
    }

    private SocketsHttpHandler Handler(TlsSettings.Material material)
    {
        var tls = _tls.Options(material);
        var handler = Handler(tls);
        if (_tlsName is not null && _proxy is null && Server.Scheme == Uri.UriSchemeHttps)
            handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(context, tls, _tlsName, cancellationToken);
        return handler;
    }

    /// <summary>Connects to the server's address, and checks the certificate against another name.</summary>
    private static async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, SslClientAuthenticationOptions tls, string name, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? stream = null;
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    ApplicationProtocols = context.InitialRequestMessage.Version.Major >= 2
                        ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]
                        : [SslApplicationProtocol.Http11],
                    CertificateChainPolicy = tls.CertificateChainPolicy,
                    RemoteCertificateValidationCallback = tls.RemoteCertificateValidationCallback,
                    ClientCertificateContext = tls.ClientCertificateContext,
                },
                cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    private SocketsHttpHandler Handler(SslClientAuthenticationOptions tls) => new()
    {
        SslOptions = tls,
        UseProxy = _proxy is not null,
        Proxy = _proxy,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        // A peer that is gone without a word is noticed in 45 s instead of the kernel's 15 min (client-go's figures,
        // apimachinery pkg/util/net/http.go).
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        EnableMultipleHttp2Connections = true,
        // A redirect would send the token to another server.
        AllowAutoRedirect = false,
        // Cookies, Credentials and .NET's own proxy are cut out of the framework: Framework.substitutions.xml must change with
        // this.
        UseCookies = false,
        ActivityHeadersPropagator = null,
    };
}
