using System.Text;
using k8s.KubeConfigModels;
using YamlDotNet.Core;

namespace McpOperator.Kubernetes;

/// <summary>A kubeconfig, and what the official client's models of it lack.</summary>
/// <param name="TokenFiles">By the user's name.</param>
/// <param name="InteractiveModes">Those of plugins, by the user's name.</param>
/// <param name="ExecConfigs">The extension that is handed to plugins, as JSON, by the cluster's name.</param>
/// <param name="Unsupported">The first field that is not supported, by <c>user NAME</c> or <c>cluster NAME</c>.</param>
internal sealed record KubeconfigFile(
    K8SConfiguration Models,
    Dictionary<string, string> TokenFiles,
    Dictionary<string, string> InteractiveModes,
    Dictionary<string, string> ExecConfigs,
    Dictionary<string, string> Unsupported);

/// <summary>
/// Fills the official client's models from the YAML document. The client's own reader is not used: it needs YamlDotNet's
/// deserializer and that one regular expressions, which together are half a megabyte of the binary, and would not work in it
/// (Framework.substitutions.xml).
/// </summary>
internal static class KubeconfigYaml
{
    // If these were ignored, the operator would act with other rights, or on another way, than the user meant.
    private static readonly string[] UnsupportedOfUsers = ["as", "as-uid", "as-groups", "as-user-extra"];
    private static readonly string[] UnsupportedOfClusters = ["proxy-url"];

    /// <summary>Null when there is nothing in it.</summary>
    /// <exception cref="YamlException">It is no YAML, or a field is of another kind than it must be.</exception>
    public static KubeconfigFile? Read(byte[] bytes)
    {
        if (YamlReader.Read(new StreamReader(new MemoryStream(bytes)), allowsMore: true) is not { } root || IsNull(root))
            return null;

        var file = new K8SConfiguration
        {
            CurrentContext = Text(root, "current-context"),
            Contexts = [.. Items(root, "contexts").Select(entry => new Context
            {
                Name = Text(entry, "name"),
                ContextDetails = ReadContext(Child(entry, "context")),
            })],
            Clusters = [.. Items(root, "clusters").Select(entry => new Cluster
            {
                Name = Text(entry, "name"),
                ClusterEndpoint = ReadCluster(Child(entry, "cluster")),
            })],
            Users = [.. Items(root, "users").Select(entry => new User
            {
                Name = Text(entry, "name"),
                UserCredentials = ReadUser(Child(entry, "user")),
            })],
        };
        var all = new KubeconfigFile(file, [], [], [], []);
        foreach (var entry in Items(root, "users"))
        {
            var (user, name) = (Child(entry, "user"), Text(entry, "name") ?? "");
            if (user is not null && Text(user, "tokenFile") is { Length: > 0 } tokenFile)
                all.TokenFiles.TryAdd(name, tokenFile);
            if (user is not null && Child(user, "exec") is { } exec && Text(exec, "interactiveMode") is { Length: > 0 } mode)
                all.InteractiveModes.TryAdd(name, mode);
            NoteUnsupported(entry, "user", UnsupportedOfUsers);
        }

        foreach (var entry in Items(root, "clusters"))
        {
            if (Child(entry, "cluster") is { } cluster && ExecConfig(cluster) is { } config)
                all.ExecConfigs.TryAdd(Text(entry, "name") ?? "", config);
            NoteUnsupported(entry, "cluster", UnsupportedOfClusters);
        }
        return all;

        void NoteUnsupported(YamlValue entry, string kind, string[] fields)
        {
            if (Child(entry, kind) is { } node && fields.FirstOrDefault(field => Child(node, field) is not null) is { } field)
                all.Unsupported.TryAdd($"{kind} {Text(entry, "name")}", field);
        }
    }

    private static ContextDetails? ReadContext(YamlValue? node) => node is null ? null : new()
    {
        Cluster = Text(node, "cluster"),
        User = Text(node, "user"),
        Namespace = Text(node, "namespace"),
    };

    private static ClusterEndpoint? ReadCluster(YamlValue? node) => node is null ? null : new()
    {
        Server = Text(node, "server"),
        CertificateAuthority = Text(node, "certificate-authority"),
        CertificateAuthorityData = Text(node, "certificate-authority-data"),
        TlsServerName = Text(node, "tls-server-name"),
        SkipTlsVerify = IsTrue(node, "insecure-skip-tls-verify"),
    };

    private static UserCredentials? ReadUser(YamlValue? node) => node is null ? null : new()
    {
        ClientCertificate = Text(node, "client-certificate"),
        ClientCertificateData = Text(node, "client-certificate-data"),
        ClientKey = Text(node, "client-key"),
        ClientKeyData = Text(node, "client-key-data"),
        Token = Text(node, "token"),
        UserName = Text(node, "username"),
        Password = Text(node, "password"),
        AuthProvider = Child(node, "auth-provider") is { } provider ? new() { Name = Text(provider, "name") } : null,
        ExternalExecution = Child(node, "exec") is { } exec ? ReadPlugin(exec) : null,
    };

    private static ExternalExecution ReadPlugin(YamlValue node) => new()
    {
        ApiVersion = Text(node, "apiVersion"),
        Command = Text(node, "command"),
        ProvideClusterInfo = IsTrue(node, "provideClusterInfo"),
        Arguments = [.. Items(node, "args").Select(Scalar)],
        EnvironmentVariables =
        [
            .. Items(node, "env").Select(variable => new Dictionary<string, string>
            {
                ["name"] = Text(variable, "name") ?? "",
                ["value"] = Text(variable, "value") ?? "",
            }),
        ],
    };

    /// <summary>The extension that is handed to a plugin (KEP-541), as JSON.</summary>
    private static string? ExecConfig(YamlValue cluster)
    {
        var extension = Items(cluster, "extensions").FirstOrDefault(item => Text(item, "name") == "client.authentication.k8s.io/exec");
        if (extension is null || Child(extension, "extension") is not { } config)
            return null;
        return Encoding.UTF8.GetString(YamlJson.Of(config).Span);
    }

    private static List<YamlValue> Items(YamlValue node, string name) => Child(node, name) switch
    {
        null => [],
        YamlList list => list.Items,
        var other => throw Unexpected(other, $"{name} is no list"),
    };

    private static string? Text(YamlValue node, string name) => Child(node, name) is { } child ? Scalar(child) : null;

    private static string Scalar(YamlValue node) =>
        node is YamlText { Text: var text } ? text : throw Unexpected(node, "not a text");

    private static bool IsTrue(YamlValue node, string name) => Child(node, name) switch
    {
        null or YamlText { Text: "false" or "False" or "FALSE" } => false,
        YamlText { Text: "true" or "True" or "TRUE" } => true,
        var other => throw Unexpected(other, $"{name} is neither true nor false"),
    };

    /// <summary>Null when there is none, or it is null.</summary>
    private static YamlValue? Child(YamlValue node, string name)
    {
        if (node is not YamlMap map)
            throw Unexpected(node, "not a map");
        return map.Find(name) is { } child && !IsNull(child) ? child : null;
    }

    private static bool IsNull(YamlValue value) => value is YamlText { IsPlain: true, Text: "" or "null" or "~" };

    private static YamlException Unexpected(YamlValue node, string message) => new(node.Start, node.Start, message);
}
