using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace McpOperator.Kubernetes;

/// <summary>
/// The certificates in force, and the options of a TLS connection with them. SslStream itself always checks the name of the
/// server. No callback accepts a wrong one, as the official client's does once a CA is configured.
/// </summary>
internal sealed class TlsSettings
{
    private readonly bool _skipVerify;
    private readonly Func<byte[]?> _authority;
    private readonly Func<CertificatePem?> _certificate;
    private readonly List<ReloadedFile> _files = [];

    public TlsSettings(ClusterAccess access, TimeProvider time)
    {
        _skipVerify = access.InsecureSkipTlsVerify;
        _authority = Source(access.CertificateAuthority, access.CertificateAuthorityFile, time);
        var certificate = Source(access.ClientCertificate, access.ClientCertificateFile, time);
        var key = Source(access.ClientKey, access.ClientKeyFile, time);

        CertificatePem? last = null;
        _certificate = () => (certificate(), key()) switch
        {
            (null, _) or (_, null) => null,
            var (c, k) when last is not null && last.Certificate == c && last.Key == k => last,
            var (c, k) => last = new CertificatePem(c, k),
        };
    }

    /// <summary>The certificates that connections are made with. Compared by reference.</summary>
    public readonly record struct Material(byte[]? Authority, CertificatePem? Certificate);

    /// <summary>Not thread-safe.</summary>
    /// <param name="issued">The certificate of a credential plugin, which comes before the configured one.</param>
    public Material Current(CertificatePem? issued) => new(_skipVerify ? null : _authority(), issued ?? _certificate());

    /// <summary>Makes the next <see cref="Current"/> read the files.</summary>
    public void Expire() => _files.ForEach(file => file.Expire());

    /// <exception cref="CryptographicException">It is no PEM, or the key does not belong to the certificate.</exception>
    public SslClientAuthenticationOptions Options(Material material)
    {
        var options = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(material.Authority) };
        if (_skipVerify)
            options.RemoteCertificateValidationCallback = (_, _, _, _) => _skipVerify;
        else if (options.CertificateChainPolicy.CustomTrustStore is var bundle && TrustAnchors.AreNeeded(bundle))
            options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => TrustAnchors.Accept(bundle, certificate, chain, errors);
        if (material.Certificate is { } certificate)
            options.ClientCertificateContext = Identity(certificate);
        return options;
    }

    /// <param name="authority">The CA in PEM; null to trust the machine's.</param>
    private static X509ChainPolicy Trust(byte[]? authority)
    {
        var policy = new X509ChainPolicy
        {
            // The API server sends its whole chain, and a download of intermediates could hang. Downloads and revocation checks
            // are cut out of the framework: Framework.substitutions.xml must change with this.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        if (authority is null)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        // The whole bundle: during a rotation it holds the old and the new CA.
        policy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(authority));
        return policy.CustomTrustStore.Count > 0
            ? policy
            : throw new CryptographicException("there is no certificate in the certificate authority's PEM");
    }

    private static SslStreamCertificateContext Identity(CertificatePem pem)
    {
        var text = Encoding.UTF8.GetString(pem.Certificate);
        X509Certificate2 leaf;
        try
        {
            leaf = X509Certificate2.CreateFromPem(text, Encoding.UTF8.GetString(pem.Key));
        }
        catch (ArgumentException)
        {
            throw new CryptographicException("the key is not that of the client certificate");
        }
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(text);
        return SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    private Func<byte[]?> Source(byte[]? data, string? path, TimeProvider time)
    {
        if (data is not null || path is null)
            return () => data;
        var file = new ReloadedFile(path, time);
        _files.Add(file);
        return file.Read;
    }
}
