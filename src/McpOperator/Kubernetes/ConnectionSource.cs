namespace McpOperator.Kubernetes;

/// <summary>
/// Finds out how to reach the cluster: an explicit kubeconfig, else the pod's service account, else $KUBECONFIG, else
/// ~/.kube/config. The surroundings are parameters, for tests.
/// </summary>
public sealed class ConnectionSource
{
    private const string DefaultNamespace = "default";

    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    public string ServiceAccountDirectory { get; init; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <param name="kubeconfig">The value of --kubeconfig; null or empty when it was not given.</param>
    /// <exception cref="ConnectionException">Nothing was found, or what was found is unusable.</exception>
    public ClusterAccess Find(string? kubeconfig = null)
    {
        if (!string.IsNullOrEmpty(kubeconfig))
            return Kubeconfig.Read([kubeconfig], mustExist: true)!;

        if (InCluster() is { } inCluster)
            return inCluster;

        // A list is merged, and files that do not exist are skipped: kubectl's rules.
        var list = (Variable("KUBECONFIG") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var home = Variable("HOME") ?? Variable("USERPROFILE");
        var file = home is null ? null : Path.Combine(home, ".kube", "config");
        string[] paths = list.Length > 0 ? list : file is null ? [] : [file];

        return Kubeconfig.Read(paths, mustExist: false) ?? throw new ConnectionException(
            "no cluster to connect to: no --kubeconfig was given, this is no pod (KUBERNETES_SERVICE_HOST, "
            + $"KUBERNETES_SERVICE_PORT and {TokenPath} are not all there), "
            + (list.Length > 0
                ? $"and no file of $KUBECONFIG exists ({string.Join(", ", list)})"
                : $"$KUBECONFIG is not set, and {file ?? "~/.kube/config"} does not exist"));
    }

    private string TokenPath => Path.Combine(ServiceAccountDirectory, "token");

    private ClusterAccess? InCluster()
    {
        var host = Variable("KUBERNETES_SERVICE_HOST");
        var port = Variable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port) || !File.Exists(TokenPath))
            return null;

        var address = host.Contains(':') && !host.StartsWith('[') ? $"[{host}]" : host;
        if (!Uri.TryCreate($"https://{address}:{port}", UriKind.Absolute, out var server))
            throw new ConnectionException($"KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no address: {host}, {port}");

        var authority = Path.Combine(ServiceAccountDirectory, "ca.crt");
        var ns = Path.Combine(ServiceAccountDirectory, "namespace");
        return new ClusterAccess
        {
            Server = server,
            Namespace = File.Exists(ns) && File.ReadAllText(ns).Trim() is { Length: > 0 } name ? name : DefaultNamespace,
            Origin = "in-cluster",
            CertificateAuthorityFile = File.Exists(authority) ? authority : null,
            TokenFile = TokenPath,
        };
    }
}
