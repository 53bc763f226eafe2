using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace McpOperator.Testing;

/// <summary>A certificate and its private key, as PEM.</summary>
public sealed record PemPair(string Certificate, string Key);

/// <summary>
/// A certificate authority that lives as long as one control plane. It signs the servers' certificates for 127.0.0.1 and
/// localhost, and one client certificate a user: Kubernetes reads the common name as the user, organizations as groups.
/// </summary>
public sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=mcp-operator test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        // A day back, so that a clock that is put right during a run does not end it.
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        CertificatePem = _certificate.ExportCertificatePem();
    }

    public string CertificatePem { get; }

    /// <summary>For a server that also authenticates to others with the same pair, as etcd does to its own gateway.</summary>
    public PemPair IssueServer(string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        return Issue(DistinguishedName(name, []), [ServerAuthentication, ClientAuthentication], names.Build());
    }

    public PemPair IssueClient(string user, IEnumerable<string> groups) => Issue(DistinguishedName(user, groups), [ClientAuthentication]);

    /// <summary>The key that signs service account tokens; RSA, because every version of the API server takes it.</summary>
    public static string CreateServiceAccountKey()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportRSAPrivateKeyPem();
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    private static Oid ServerAuthentication => new("1.3.6.1.5.5.7.3.1");
    private static Oid ClientAuthentication => new("1.3.6.1.5.5.7.3.2");

    private static X500DistinguishedName DistinguishedName(string commonName, IEnumerable<string> organizations)
    {
        var builder = new X500DistinguishedNameBuilder();
        foreach (var organization in organizations)
            builder.AddOrganizationName(organization);
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    private PemPair Issue(X500DistinguishedName subject, Oid[] usages, X509Extension? names = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages], false));
        if (names is not null)
            request.CertificateExtensions.Add(names);
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var certificate = request.Create(_certificate, _certificate.NotBefore, _certificate.NotAfter, serial);
        return new(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
