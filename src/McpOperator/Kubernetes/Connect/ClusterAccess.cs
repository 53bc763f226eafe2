namespace McpOperator.Kubernetes;

/// <summary>
/// Where the API server is and how to authenticate to it, as read from a kubeconfig or a service account. Data wins over a file
/// of the same purpose, as in client-go. Not a record, whose text would show the token.
/// </summary>
internal sealed class ClusterAccess
{
    public required Uri Server { get; init; }

    /// <summary>The namespace of the context or of the pod.</summary>
    public required string Namespace { get; init; }

    /// <summary>Where this was found and why it was taken, for a log line.</summary>
    public required string Origin { get; init; }

    /// <summary>PEM, any number of certificates. Without it and without a file, the machine's roots are trusted.</summary>
    public byte[]? CertificateAuthority { get; init; }

    public string? CertificateAuthorityFile { get; init; }

    /// <summary>The proxy on the way to the server; null when there is none.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>The name to ask for and to check, when the server's address is not in its certificate.</summary>
    public string? TlsServerName { get; init; }

    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>PEM, the leaf first.</summary>
    public byte[]? ClientCertificate { get; init; }

    public string? ClientCertificateFile { get; init; }

    public byte[]? ClientKey { get; init; }

    public string? ClientKeyFile { get; init; }

    public string? Token { get; init; }

    /// <summary>Wins over <see cref="Token"/>.</summary>
    public string? TokenFile { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    public ExecCommand? Exec { get; init; }

    public override string ToString() => $"{Server} ({Origin})";
}

/// <summary>A credential plugin: a command that prints an ExecCredential.</summary>
internal sealed class ExecCommand
{
    /// <summary>client.authentication.k8s.io/v1 or v1beta1.</summary>
    public required string ApiVersion { get; init; }

    public required string Command { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>Whether the plugin is given the cluster that the credential is for.</summary>
    public bool ProvideClusterInfo { get; init; }

    /// <summary>JSON: what the cluster's entry holds for plugins. Null when it holds nothing.</summary>
    public string? ClusterConfig { get; init; }
}

/// <summary>No usable way to a cluster was found. The message is for the person who started the operator.</summary>
internal sealed class ConnectionException(string message) : Exception(message);
