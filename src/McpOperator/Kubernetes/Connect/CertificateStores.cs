using System.Runtime.InteropServices;

namespace McpOperator.Kubernetes;

/// <summary>
/// The certificate stores that .NET opens for its first TLS connection, even when it is told to trust other certificates. For a
/// cluster with its own CA the machine's store is 140 unused certificates: a megabyte, and half of the time of a start.
/// </summary>
internal static partial class CertificateStores
{
    /// <summary>By convention a path that does not exist.</summary>
    private const string Nowhere = "/nonexistent";

    /// <summary>To be called once, before the first connection. Changes the environment of the whole process.</summary>
    public static void OpenOnlyWhatIsNeeded(ClusterAccess access)
    {
        // .NET looks for the user's store in HOME. With neither HOME nor /etc/passwd, as in an image from scratch, every request
        // would throw ("No such file or directory").
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
            Environment.SetEnvironmentVariable("HOME", "/");

        var needsMachine = !access.InsecureSkipTlsVerify && access.CertificateAuthority is null && access.CertificateAuthorityFile is null;
        if (needsMachine || OperatingSystem.IsWindows())
            return;
        // The change is for OpenSSL in this process. .NET hands a copy of the environment to processes that it starts, and
        // makes that copy when the environment is first read as a whole. Reading it now, before the change, keeps the user's
        // values for credential plugins, which could not log in if they trusted nobody.
        _ = Environment.GetEnvironmentVariables();
        SetNative("SSL_CERT_FILE", Nowhere, overwrite: 1);
        SetNative("SSL_CERT_DIR", Nowhere, overwrite: 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNative(string name, string value, int overwrite);
}
