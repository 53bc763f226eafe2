using k8s.KubeConfigModels;
using YamlDotNet.Core;

namespace McpOperator.Kubernetes;

/// <summary>
/// Reads kubeconfig files with the official client's models. Merging, paths and credentials are done here: that client
/// resolves the paths of merged files against the first one, joins a plugin's arguments with spaces and does not know
/// <c>tokenFile</c>.
/// </summary>
internal static class Kubeconfig
{
    private sealed record ClusterEntry(string Path, ClusterEndpoint Cluster, string? ExecConfig, string? Unsupported);

    private sealed record UserEntry(string Path, UserCredentials User, string? TokenFile, string? InteractiveMode, string? Unsupported);

    /// <summary>
    /// Merges as kubectl does: the first file that names a context, cluster, user or the current context decides.
    /// </summary>
    /// <param name="mustExist">Whether a file that does not exist or is empty is an error. Else it is skipped.</param>
    /// <param name="why">Why these files are read; part of <see cref="ClusterAccess.Origin"/>.</param>
    /// <param name="proxyTo">Gives the proxy on the way to a server.</param>
    /// <returns>Null when all files were skipped.</returns>
    /// <exception cref="ConnectionException">A file is unreadable, or the current context is incomplete.</exception>
    public static ClusterAccess? Read(
        IReadOnlyList<string> paths, bool mustExist, string why = "--kubeconfig", Func<Uri, Uri?>? proxyTo = null)
    {
        var contexts = new Dictionary<string, ContextDetails>();
        var clusters = new Dictionary<string, ClusterEntry>();
        var users = new Dictionary<string, UserEntry>();
        string? current = null;
        var found = new List<string>();

        foreach (var path in paths.Select(Path.GetFullPath))
        {
            if (!mustExist && !File.Exists(path))
                continue;
            if (Load(path) is not { } read)
            {
                if (mustExist)
                    throw new ConnectionException($"{path}: an empty kubeconfig");
                continue;
            }
            found.Add(path);
            var file = read.Models;
            if (string.IsNullOrEmpty(current))
                current = file.CurrentContext;
            foreach (var context in file.Contexts ?? [])
                contexts.TryAdd(context.Name ?? "", context.ContextDetails ?? new());
            foreach (var cluster in file.Clusters ?? [])
            {
                clusters.TryAdd(cluster.Name ?? "", new(
                    path, cluster.ClusterEndpoint ?? new(), read.ExecConfigs.GetValueOrDefault(cluster.Name ?? ""),
                    read.Unsupported.GetValueOrDefault($"cluster {cluster.Name}")));
            }
            foreach (var user in file.Users ?? [])
            {
                users.TryAdd(user.Name ?? "", new(
                    path, user.UserCredentials ?? new(), read.TokenFiles.GetValueOrDefault(user.Name ?? ""),
                    read.InteractiveModes.GetValueOrDefault(user.Name ?? ""), read.Unsupported.GetValueOrDefault($"user {user.Name}")));
            }
        }
        if (found.Count == 0)
            return null;

        var origin = string.Join(Path.PathSeparator, found);
        if (string.IsNullOrEmpty(current))
            throw new ConnectionException($"{origin}: no current-context is set");
        if (!contexts.TryGetValue(current, out var details))
            throw new ConnectionException($"{origin}: there is no context {current}");
        if (!clusters.TryGetValue(details.Cluster ?? "", out var clusterEntry))
            throw new ConnectionException($"{origin}: there is no cluster {details.Cluster} (context {current})");
        if (!Uri.TryCreate(clusterEntry.Cluster.Server, UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http"))
            throw new ConnectionException($"{origin}: the server of cluster {details.Cluster} is no URL");

        // A context without a user is anonymous. A user that it names must exist.
        var userEntry = new UserEntry(clusterEntry.Path, new(), null, null, null);
        if (!string.IsNullOrEmpty(details.User) && !users.TryGetValue(details.User, out userEntry))
            throw new ConnectionException($"{origin}: there is no user {details.User} (context {current})");

        return Access(origin, why, server, proxyTo?.Invoke(server), details, clusterEntry, userEntry!);
    }

    private static ClusterAccess Access(
        string origin, string why, Uri server, Uri? proxy, ContextDetails context, ClusterEntry clusterEntry, UserEntry userEntry)
    {
        var cluster = clusterEntry.Cluster;
        var user = userEntry.User;
        if (clusterEntry.Unsupported is { } ofCluster)
            throw new ConnectionException($"{clusterEntry.Path}: cluster {context.Cluster} has {ofCluster}, which this operator does not support");
        if (userEntry.Unsupported is { } ofUser)
            throw new ConnectionException($"{userEntry.Path}: user {context.User} has {ofUser}: this operator does not impersonate others");
        if (user.AuthProvider is { } provider)
            throw new ConnectionException($"{origin}: auth-provider {provider.Name} is gone from Kubernetes; use an exec plugin");

        if (HasOne(user.ClientCertificateData, user.ClientCertificate) != HasOne(user.ClientKeyData, user.ClientKey))
            throw new ConnectionException($"{userEntry.Path}: user {context.User} has a client certificate without a key, or the reverse");

        return new ClusterAccess
        {
            Server = server,
            Namespace = NullIfEmpty(context.Namespace) ?? "default",
            Origin = $"{origin} ({why}){(proxy is null ? "" : $" through the proxy {proxy.Authority}")}",
            Proxy = proxy,
            CertificateAuthority = Data(clusterEntry.Path, "certificate-authority-data", cluster.CertificateAuthorityData),
            CertificateAuthorityFile = FileOf(clusterEntry.Path, cluster.CertificateAuthority),
            TlsServerName = NullIfEmpty(cluster.TlsServerName),
            InsecureSkipTlsVerify = cluster.SkipTlsVerify,
            ClientCertificate = Data(userEntry.Path, "client-certificate-data", user.ClientCertificateData),
            ClientCertificateFile = FileOf(userEntry.Path, user.ClientCertificate),
            ClientKey = Data(userEntry.Path, "client-key-data", user.ClientKeyData),
            ClientKeyFile = FileOf(userEntry.Path, user.ClientKey),
            Token = NullIfEmpty(user.Token),
            TokenFile = FileOf(userEntry.Path, userEntry.TokenFile),
            Username = NullIfEmpty(user.UserName),
            Password = user.Password,
            Exec = user.ExternalExecution is { } exec ? Plugin(userEntry, context.User, exec, clusterEntry.ExecConfig) : null,
        };
    }

    private static ExecCommand Plugin(UserEntry userEntry, string user, ExternalExecution exec, string? clusterConfig)
    {
        var path = userEntry.Path;
        if (string.IsNullOrEmpty(exec.Command))
            throw new ConnectionException($"{path}: an exec plugin without a command");
        if (string.IsNullOrEmpty(exec.ApiVersion))
            throw new ConnectionException($"{path}: exec plugin {exec.Command} has no apiVersion");
        if (userEntry.InteractiveMode is "Always")
            throw new ConnectionException($"{path}: exec plugin {exec.Command} of user {user} must ask on a terminal (interactiveMode: Always), and the operator has none");
        if (userEntry.InteractiveMode is not (null or "Never" or "IfAvailable"))
            throw new ConnectionException($"{path}: exec plugin {exec.Command} of user {user} has an interactiveMode other than Never, IfAvailable and Always");

        return new ExecCommand
        {
            ApiVersion = exec.ApiVersion,
            // A bare name is looked up in $PATH. With a slash it is a path, relative to the file as all of them are.
            Command = exec.Command.Contains('/') ? FileOf(path, exec.Command)! : exec.Command,
            Arguments = [.. exec.Arguments ?? []],
            Environment =
            [
                .. (exec.EnvironmentVariables ?? []).Select(
                    variable => KeyValuePair.Create(variable.GetValueOrDefault("name") ?? "", variable.GetValueOrDefault("value") ?? "")),
            ],
            ProvideClusterInfo = exec.ProvideClusterInfo,
            ClusterConfig = clusterConfig,
        };
    }

    /// <summary>Null when the file is empty.</summary>
    private static KubeconfigFile? Load(string path)
    {
        try
        {
            return KubeconfigYaml.Read(File.ReadAllBytes(path));
        }
        catch (YamlException e)
        {
            // Without the text of the exception, which can quote the value at fault.
            throw new ConnectionException($"{path}: no kubeconfig (line {e.Start.Line}, column {e.Start.Column})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConnectionException($"{path}: {e.Message}");
        }
    }

    private static byte[]? Data(string path, string field, string? base64)
    {
        if (string.IsNullOrEmpty(base64))
            return null;
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            throw new ConnectionException($"{path}: {field} is no base64");
        }
    }

    /// <summary>A relative path is relative to the kubeconfig that it stands in.</summary>
    private static string? FileOf(string path, string? file) =>
        string.IsNullOrEmpty(file) ? null : Path.GetFullPath(file, Path.GetDirectoryName(path)!);

    private static bool HasOne(string? data, string? file) => !string.IsNullOrEmpty(data) || !string.IsNullOrEmpty(file);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
