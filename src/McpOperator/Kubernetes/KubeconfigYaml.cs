using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Kubernetes;

/// <summary>
/// Fills the official client's models from the YAML document. The client's own reader goes through YamlDotNet's
/// deserializer, which brings the regular expressions along: together they are half a megabyte of the binary. There
/// they would not work, either (Framework.substitutions.xml).
/// </summary>
internal static class KubeconfigYaml
{
    // Left out, the operator would act with other rights than were meant, or by another way.
    private static readonly string[] UnsupportedOfUsers = ["as", "as-uid", "as-groups", "as-user-extra"];
    private static readonly string[] UnsupportedOfClusters = ["proxy-url"];

    /// <summary>
    /// The file, and what the models lack: each user's <c>tokenFile</c>, and the first field of a user or a cluster
    /// (<c>user NAME</c>, <c>cluster NAME</c>) that is not supported.
    /// </summary>
    /// <exception cref="YamlException">It is no YAML, or a field is of another kind than it must be.</exception>
    public static (K8SConfiguration File, Dictionary<string, string> TokenFiles, Dictionary<string, string> Unsupported)? Read(byte[] bytes)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StreamReader(new MemoryStream(bytes)));
        }
        catch (Exception e) when (e is not YamlException)
        {
            // Of some half-finished scalars the scanner only says that its own state is not valid.
            throw new YamlException("no YAML", e);
        }

        if (yaml.Documents is not [{ RootNode: var root }, ..] || root is YamlScalarNode { Value: "" or "null" or "~" })
            return null;

        var tokenFiles = new Dictionary<string, string>();
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
        var unsupported = new Dictionary<string, string>();
        foreach (var entry in Items(root, "users"))
        {
            if (Child(entry, "user") is { } user && Text(user, "tokenFile") is { Length: > 0 } tokenFile)
                tokenFiles.TryAdd(Text(entry, "name") ?? "", tokenFile);
            NoteUnsupported(entry, "user", UnsupportedOfUsers);
        }

        foreach (var entry in Items(root, "clusters"))
            NoteUnsupported(entry, "cluster", UnsupportedOfClusters);
        return (file, tokenFiles, unsupported);

        void NoteUnsupported(YamlNode entry, string kind, string[] fields)
        {
            if (Child(entry, kind) is { } node && fields.FirstOrDefault(field => Child(node, field) is not null) is { } field)
                unsupported.TryAdd($"{kind} {Text(entry, "name")}", field);
        }
    }

    private static ContextDetails? ReadContext(YamlNode? node) => node is null ? null : new()
    {
        Cluster = Text(node, "cluster"),
        User = Text(node, "user"),
        Namespace = Text(node, "namespace"),
    };

    private static ClusterEndpoint? ReadCluster(YamlNode? node) => node is null ? null : new()
    {
        Server = Text(node, "server"),
        CertificateAuthority = Text(node, "certificate-authority"),
        CertificateAuthorityData = Text(node, "certificate-authority-data"),
        TlsServerName = Text(node, "tls-server-name"),
        SkipTlsVerify = IsTrue(node, "insecure-skip-tls-verify"),
    };

    private static UserCredentials? ReadUser(YamlNode? node) => node is null ? null : new()
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

    private static ExternalExecution ReadPlugin(YamlNode node) => new()
    {
        ApiVersion = Text(node, "apiVersion"),
        Command = Text(node, "command"),
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

    private static IList<YamlNode> Items(YamlNode node, string name) => Child(node, name) switch
    {
        null => [],
        YamlSequenceNode items => items.Children,
        var other => throw Unexpected(other, $"{name} is no list"),
    };

    private static string? Text(YamlNode node, string name) => Child(node, name) is { } child ? Scalar(child) : null;

    private static string Scalar(YamlNode node) =>
        node is YamlScalarNode { Value: { } text } ? text : throw Unexpected(node, "not a text");

    private static bool IsTrue(YamlNode node, string name) => Child(node, name) switch
    {
        null or YamlScalarNode { Value: "false" or "False" or "FALSE" } => false,
        YamlScalarNode { Value: "true" or "True" or "TRUE" } => true,
        var other => throw Unexpected(other, $"{name} is neither true nor false"),
    };

    /// <summary>Null when there is none, or it is null.</summary>
    private static YamlNode? Child(YamlNode node, string name)
    {
        if (node is not YamlMappingNode mapping)
            throw Unexpected(node, "not a map");
        return mapping.Children.TryGetValue(new YamlScalarNode(name), out var child)
            && child is not YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "null" or "~" } ? child : null;
    }

    private static YamlException Unexpected(YamlNode node, string message) => new(node.Start, node.End, message);
}
