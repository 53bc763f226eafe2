using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace McpOperator.Kubernetes;

/// <summary>
/// Makes every certificate of a bundle a trust anchor, as in Go. For .NET only a self-signed certificate is one, and the chain
/// of a cluster whose CA is an intermediate has no end (PartialChain).
/// </summary>
internal static class TrustAnchors
{
    public static bool AreNeeded(X509Certificate2Collection bundle) => bundle.Any(
        certificate => !certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData));

    /// <summary>
    /// Accepts a chain without an end when it leads to a certificate of the bundle. Every other error, such as a wrong name or an
    /// expired certificate, stays an error.
    /// </summary>
    public static bool Accept(X509Certificate2Collection bundle, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        if (errors == SslPolicyErrors.RemoteCertificateChainErrors && certificate is X509Certificate2 leaf && chain is not null
            && bundle.Any(anchor => LeadsTo(anchor, leaf, chain.ChainPolicy)))
        {
            return true;
        }

        // Thrown and not returned as false, which would only be reported as "rejected by the callback".
        var statuses = string.Join(", ", chain?.ChainStatus.Select(status => status.Status) ?? []);
        throw new AuthenticationException($"the remote certificate is invalid: {errors}{(statuses.Length > 0 ? $" ({statuses})" : "")}");
    }

    /// <summary>
    /// Builds the chain with this anchor alone, without certificates that could take its place or stand above it. So the chain
    /// can end nowhere else, and each step of it is checked as in any chain: signature, time, purpose, right to issue.
    /// </summary>
    private static bool LeadsTo(X509Certificate2 anchor, X509Certificate2 leaf, X509ChainPolicy asked)
    {
        using var chain = new X509Chain { ChainPolicy = asked.Clone() };
        var policy = chain.ChainPolicy;
        policy.CustomTrustStore.Clear();
        policy.CustomTrustStore.Add(anchor);
        policy.ExtraStore.Clear();
        foreach (var sent in asked.ExtraStore)
        {
            var subject = sent.SubjectName.RawData.AsSpan();
            if (!subject.SequenceEqual(anchor.SubjectName.RawData) && !subject.SequenceEqual(anchor.IssuerName.RawData))
                policy.ExtraStore.Add(sent);
        }

        // In a chain without an end, the time of the last certificate is not checked by the framework.
        var now = DateTime.Now;
        if (now < anchor.NotBefore || now > anchor.NotAfter)
            return false;
        var whole = chain.Build(leaf);
        return (whole || chain.ChainStatus.All(status => status.Status == X509ChainStatusFlags.PartialChain))
            && chain.ChainElements is [.., var last]
            && last.Certificate.RawDataMemory.Span.SequenceEqual(anchor.RawDataMemory.Span);
    }
}
