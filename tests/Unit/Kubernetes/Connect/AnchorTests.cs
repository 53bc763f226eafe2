using System.Security.Cryptography.X509Certificates;
using System.Text;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

/// <summary>
/// Whom a cluster's bundle of certificates vouches for: as in Go, any certificate of it is an anchor, whoever has signed it.
/// The leaves here name their issuer and not its key, so that only the signature tells an authority from its namesake.
/// </summary>
public sealed class AnchorTests
{
    private const string Address = "127.0.0.1";

    private readonly TestAuthority _root = new("root");
    private readonly TestAuthority _intermediate;

    public AnchorTests() => _intermediate = new TestAuthority("intermediate", _root);

    [Fact]
    public Task AnIntermediateIsEnough() => AcceptedAsync(_intermediate.Pem, _intermediate.Server(Address));

    [Fact]
    public Task SoItIsWhenTheServerSendsItToo() =>
        AcceptedAsync(_intermediate.Pem, _intermediate.Server(Address), _intermediate.Certificate);

    [Fact]
    public Task SoItIsWhenTheServerSendsWhatIsAboveIt() =>
        AcceptedAsync(_intermediate.Pem, _intermediate.Server(Address), _intermediate.Certificate, _root.Certificate);

    [Fact]
    public async Task WhatIsAboveItMayHaveExpired()
    {
        var root = new TestAuthority("root", until: DateTimeOffset.UtcNow.AddMinutes(-1));
        var intermediate = new TestAuthority("intermediate", root);

        await AcceptedAsync(intermediate.Pem, intermediate.Server(Address), intermediate.Certificate, root.Certificate);
    }

    [Fact]
    public async Task OneThatIsTwoStepsAwayIsReachedByWhatTheServerSends()
    {
        var upper = new TestAuthority("upper", _root, isAboveAnother: true);
        var lower = new TestAuthority("lower", upper);

        await AcceptedAsync(upper.Pem, lower.Server(Address), lower.Certificate);
    }

    [Fact]
    public Task AnyOfTheBundleCounts() =>
        AcceptedAsync(new TestAuthority().Pem + _intermediate.Pem + new TestAuthority("third", _root).Pem, _intermediate.Server(Address));

    // A CA that was renewed under its old name: both are in the bundle while the servers change over.
    [Fact]
    public async Task OfTwoOfOneNameEitherCounts()
    {
        var renewed = new TestAuthority("intermediate", _root);

        await AcceptedAsync(_intermediate.Pem + renewed.Pem, renewed.Server(Address));
        await AcceptedAsync(renewed.Pem + _intermediate.Pem, renewed.Server(Address));
    }

    [Fact]
    public async Task TheServersOwnCertificateIsOneToo()
    {
        var certificate = _intermediate.Server(Address);

        await AcceptedAsync(certificate.CertificatePem(), certificate);
    }

    [Fact]
    public Task ItsNameIsCheckedThen() => RefusedAsync(
        "RemoteCertificateNameMismatch", _intermediate.Pem, _intermediate.Server("10.1.2.3"), _intermediate.Certificate);

    [Fact]
    public async Task TheNameOfAServersOwnCertificateIsCheckedToo()
    {
        var certificate = _intermediate.Server("10.1.2.3");

        await RefusedAsync("RemoteCertificateNameMismatch", certificate.CertificatePem(), certificate);
    }

    [Fact]
    public Task AnExpiredCertificateIsRefused() => RefusedAsync(
        "NotTimeValid", _intermediate.Pem, _intermediate.Server(Address, until: DateTimeOffset.UtcNow.AddMinutes(-1)));

    [Fact]
    public async Task AnExpiredAnchorIsRefused()
    {
        var expired = new TestAuthority("intermediate", _root, until: DateTimeOffset.UtcNow.AddMinutes(-1));

        await RefusedAsync("", expired.Pem, expired.Server(Address));
        await RefusedAsync("", expired.Pem, expired.Server(Address), expired.Certificate, _root.Certificate);
    }

    [Fact]
    public Task ACertificateForClientsIsRefused() => RefusedAsync(
        "NotValidForUsage", _intermediate.Pem, _intermediate.Server(Address, forClients: true), _intermediate.Certificate);

    [Fact]
    public async Task AStrangersChainIsRefused()
    {
        var strangersRoot = new TestAuthority("stranger");
        var stranger = new TestAuthority("strange intermediate", strangersRoot);

        await RefusedAsync("", _intermediate.Pem, stranger.Server(Address));
        await RefusedAsync("", _intermediate.Pem, stranger.Server(Address), stranger.Certificate);
        await RefusedAsync("", _intermediate.Pem, stranger.Server(Address), stranger.Certificate, strangersRoot.Certificate);
        await RefusedAsync("", _intermediate.Pem, strangersRoot.Server(Address));
    }

    [Fact]
    public async Task AStrangersChainOfTheSameNamesIsRefused()
    {
        var strangersRoot = new TestAuthority("root");
        var stranger = new TestAuthority("intermediate", strangersRoot);

        await RefusedAsync("NotSignatureValid", _intermediate.Pem, stranger.Server(Address));
        await RefusedAsync("", _intermediate.Pem, stranger.Server(Address), stranger.Certificate);
        await RefusedAsync("", _intermediate.Pem, stranger.Server(Address), stranger.Certificate, strangersRoot.Certificate);
        // That the true one is sent along makes no difference.
        await RefusedAsync("", _intermediate.Pem, stranger.Server(Address), _intermediate.Certificate);
        await RefusedAsync("", _intermediate.Pem, new TestAuthority("intermediate").Server(Address));
    }

    [Fact]
    public async Task AStrangerTwoStepsBelowANamesakeIsRefused()
    {
        var upper = new TestAuthority("upper", _root, isAboveAnother: true);
        var stranger = new TestAuthority("lower", new TestAuthority("upper", isAboveAnother: true));

        await RefusedAsync("NotSignatureValid", upper.Pem, stranger.Server(Address), stranger.Certificate);
    }

    [Fact]
    public Task ItsOwnIssuerIsNotVouchedFor() => RefusedAsync("", _intermediate.Pem, _root.Server(Address), _root.Certificate);

    [Fact]
    public async Task AServersCertificateIsNoAuthority()
    {
        // Whoever holds the key of any certificate of the cluster would else be the API server.
        var (certificate, below) = _intermediate.ServerThatSigns("10.1.2.3", Address);

        await RefusedAsync("", _intermediate.Pem, below, certificate);
        await RefusedAsync("", certificate.CertificatePem(), below, certificate);
    }

    [Fact]
    public async Task AServersCertificateVouchesForNoOtherOfItsName()
    {
        var known = _intermediate.Server(Address);

        await RefusedAsync("", known.CertificatePem(), _intermediate.Server(Address));
        await RefusedAsync("", known.CertificatePem(), new TestAuthority("intermediate", _root).Server(Address));
    }

    private static async Task AcceptedAsync(string bundle, X509Certificate2 certificate, params X509Certificate2[] chain)
    {
        await using var server = await TlsServer.StartAsync(certificate);
        server.Chain.AddRange(chain);

        using var answer = await SendAsync(server, bundle);

        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task RefusedAsync(string why, string bundle, X509Certificate2 certificate, params X509Certificate2[] chain)
    {
        await using var server = await TlsServer.StartAsync(certificate);
        server.Chain.AddRange(chain);

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(server, bundle));

        Assert.Equal(HttpRequestError.SecureConnectionError, fault.HttpRequestError);
        Assert.Contains(why, fault.InnerException!.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private static async Task<HttpResponseMessage> SendAsync(TlsServer server, string bundle)
    {
        using var connection = new Connection(
            new ClusterAccess
            {
                Server = server.Address,
                Namespace = "default",
                Origin = "test",
                CertificateAuthority = Encoding.UTF8.GetBytes(bundle),
            },
            TimeProvider.System);
        using var invoker = new HttpMessageInvoker(connection, disposeHandler: false);
        return await invoker.SendAsync(new(HttpMethod.Get, server.Address), default);
    }
}
