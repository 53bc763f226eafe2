using System.Net.Http.Headers;
using System.Text;

namespace McpOperator.Kubernetes;

/// <summary>How a request authenticates. Not a record, whose text would show it.</summary>
internal sealed class Credential(AuthenticationHeaderValue? authorization, CertificatePem? certificate = null)
{
    public AuthenticationHeaderValue? Authorization { get; } = authorization;

    public CertificatePem? Certificate { get; } = certificate;

    public static Credential Bearer(string token) => new(new AuthenticationHeaderValue("Bearer", token));
}

/// <summary>A client certificate with its intermediates, and its key, in PEM. Compared by reference.</summary>
internal sealed class CertificatePem(byte[] certificate, byte[] key)
{
    public byte[] Certificate { get; } = certificate;

    public byte[] Key { get; } = key;
}

/// <summary>Where credentials come from.</summary>
internal interface ICredentialSource
{
    /// <summary>The credential to use now; the same object for as long as it is the same credential.</summary>
    /// <param name="refused">A credential that the server answered 401 to, so that another one is looked for; else null.</param>
    /// <exception cref="HttpRequestException">There is none. The message says why, and never quotes a credential.</exception>
    ValueTask<Credential> GetAsync(Credential? refused, CancellationToken cancellationToken);
}

/// <summary>A token or a password written into the kubeconfig, or nothing at all.</summary>
internal sealed class FixedCredentials(Credential credential) : ICredentialSource
{
    public static ICredentialSource From(ClusterAccess access, TimeProvider time)
    {
        // The order of client-go (transport/config.go, rest/transport.go), which refuses exec beside any other credential.
        if (access.Exec is { } exec)
            return new ExecPlugin(exec, access, time);
        if (access.TokenFile is { } file)
            return new TokenFile(new ReloadedFile(file, time));
        if (access.Token is { } token)
            return new FixedCredentials(Credential.Bearer(token));
        if (access.Username is { } name)
        {
            var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{access.Password}"));
            return new FixedCredentials(new Credential(new AuthenticationHeaderValue("Basic", basic)));
        }
        return new FixedCredentials(new Credential(null));
    }

    public ValueTask<Credential> GetAsync(Credential? refused, CancellationToken cancellationToken) => new(credential);
}

/// <summary>A token that the kubelet or a sidecar rotates in a file.</summary>
internal sealed class TokenFile(ReloadedFile file) : ICredentialSource
{
    private readonly Lock _lock = new();
    private byte[]? _content;
    private Credential? _credential;

    public ValueTask<Credential> GetAsync(Credential? refused, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (refused is not null && refused == _credential)
                file.Expire();
            var content = file.Read();
            if (_credential is null || content != _content)
            {
                var token = Encoding.ASCII.GetString(content).Trim();
                if (token.Length == 0)
                    throw new HttpRequestException($"{file.Path}: the token is empty");
                _credential = Credential.Bearer(token);
                _content = content;
            }
            return new(_credential);
        }
    }
}
