using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpOperator.Unit.Kubernetes;

/// <summary>A certificate authority made for one test.</summary>
internal sealed class TestAuthority
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    /// <param name="name">Of its subject.</param>
    /// <param name="issuer">Makes this an intermediate one; null for a root.</param>
    /// <param name="until">When it expires; the default is tomorrow.</param>
    /// <param name="isAboveAnother">An intermediate one may issue other authorities.</param>
    public TestAuthority(string name = "test CA", TestAuthority? issuer = null, DateTimeOffset? until = null, bool isAboveAnother = false)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, issuer is not null && !isAboveAnother, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), until ?? DateTimeOffset.UtcNow.AddHours(20));
        _certificate = issuer is null
            ? request.CreateSelfSigned(from, to)
            : request.Create(
                issuer._certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer._key), from, to, RandomNumberGenerator.GetBytes(8));
    }

    public string Pem => _certificate.ExportCertificatePem() + "\n";

    public X509Certificate2 Certificate => _certificate;

    public X509Certificate2 Server(params string[] names) => Issue("server", Alternatives(names));

    /// <summary>One that an API server may not show: it has expired, or is for clients.</summary>
    public X509Certificate2 Server(string name, DateTimeOffset? until = null, bool forClients = false) =>
        Issue("server", Alternatives(name), until, forClients);

    /// <summary>A server's certificate, and one that its key has signed as if it were an authority's.</summary>
    public (X509Certificate2 Certificate, X509Certificate2 Below) ServerThatSigns(string name, string nameBelow)
    {
        var certificate = Server(name);
        return (certificate, Issue("below", Alternatives(nameBelow), signer: certificate));
    }

    private static X509Extension Alternatives(params string[] names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        return alternatives.Build();
    }

    public X509Certificate2 Client(string name) => Issue(name, null);

    private X509Certificate2 Issue(string name, X509Extension? alternatives, DateTimeOffset? until = null, bool? forClients = null, X509Certificate2? signer = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (alternatives is not null)
            request.CertificateExtensions.Add(alternatives);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(forClients ?? alternatives is null ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        // Without the issuer's certificate, and so without its key identifier: whoever has its name may be the issuer.
        using var issued = request.Create(
            (signer ?? _certificate).SubjectName, X509SignatureGenerator.CreateForECDsa(signer?.GetECDsaPrivateKey() ?? _key),
            DateTimeOffset.UtcNow.AddHours(-2), until ?? DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(ECDsa.Create(key.ExportParameters(true)));
    }
}

internal static class TestCertificateExtensions
{
    public static string CertificatePem(this X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";

    public static string KeyPem(this X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
