namespace McpOperator.Kubernetes;

/// <summary>
/// Finds out how to reach the cluster, in controller-runtime's order: an explicit kubeconfig, else $KUBECONFIG, else the pod's
/// service account, else ~/.kube/config. Environment and directory are parameters for tests.
/// </summary>
internal sealed class ConnectionSource
{
    private const string DefaultNamespace = "default";

    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    public string ServiceAccountDirectory { get; init; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <param name="kubeconfig">The value of --kubeconfig; null or empty when it was not given.</param>
    /// <exception cref="ConnectionException">Nothing was found, or what was found is unusable.</exception>
    public ClusterAccess Find(string? kubeconfig = null)
    {
        if (!string.IsNullOrEmpty(kubeconfig))
            return Read([kubeconfig], "--kubeconfig", mustExist: true)!;

        // A list is merged, and files that do not exist or are empty are skipped: kubectl's rules.
        var list = (Variable("KUBECONFIG") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (list.Length > 0 && Read(list, "$KUBECONFIG") is { } ofVariable)
            return ofVariable;

        var nothingGiven = list.Length == 0
            ? "neither --kubeconfig nor $KUBECONFIG is given"
            : $"no --kubeconfig is given, and $KUBECONFIG names no file that has anything in it: {string.Join(", ", list)}";
        if (InCluster(nothingGiven) is { } inCluster)
            return inCluster;

        var noPod = $"this is no pod (KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and {TokenPath} are not all there)";
        if (list.Length > 0)
            throw new ConnectionException($"no cluster to connect to: {noPod}, and {nothingGiven}");
        var home = Variable("HOME") ?? Variable("USERPROFILE");
        var file = home is null ? null : Path.Combine(home, ".kube", "config");
        return (file is null ? null : Read([file], $"{nothingGiven}, and this is no pod")) ?? throw new ConnectionException(
            $"no cluster to connect to: {nothingGiven}, {noPod}, and {file ?? "~/.kube/config"} does not exist or is empty");
    }

    private string TokenPath => Path.Combine(ServiceAccountDirectory, "token");

    private ClusterAccess? Read(IReadOnlyList<string> paths, string why, bool mustExist = false) =>
        Kubeconfig.Read(paths, mustExist, why, server => ProxyEnvironment.For(server, Variable));

    /// <summary>
    /// Never through a proxy: the proxy variables of a pod are meant for the world outside, not for its own cluster.
    /// </summary>
    private ClusterAccess? InCluster(string why)
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
            Origin = $"in-cluster ({why})",
            CertificateAuthorityFile = File.Exists(authority) ? authority : null,
            TokenFile = TokenPath,
        };
    }
}
