using System.Runtime.InteropServices;

namespace McpOperator.Kubernetes;

/// <summary>
/// The certificate stores that .NET opens for its first TLS connection, whether it is to trust them or not. For a cluster
/// with a CA of its own the machine's is 140 certificates that nobody asks: a megabyte, and half of the time that a
/// start takes.
/// </summary>
internal static partial class CertificateStores
{
    /// <summary>By convention, what does not exist.</summary>
    private const string Nowhere = "/nonexistent";

    /// <summary>Once, before the first connection. Process-wide.</summary>
    public static void OpenOnlyWhatIsNeeded(ClusterAccess access)
    {
        // The user's is looked for in HOME. With neither HOME nor /etc/passwd, as in an empty root directory, that is an
        // exception ("No such file or directory") for every request.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
            Environment.SetEnvironmentVariable("HOME", "/");

        var needsMachine = !access.InsecureSkipTlsVerify && access.CertificateAuthority is null && access.CertificateAuthorityFile is null;
        if (needsMachine || OperatingSystem.IsWindows())
            return;
        // OpenSSL's own environment. .NET's is a copy, made when it is first read as a whole: made now, before the change, a
        // credential plugin gets what the user has set. A plugin that trusted nobody could not log in.
        _ = Environment.GetEnvironmentVariables();
        SetNative("SSL_CERT_FILE", Nowhere, overwrite: 1);
        SetNative("SSL_CERT_DIR", Nowhere, overwrite: 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNative(string name, string value, int overwrite);
}
