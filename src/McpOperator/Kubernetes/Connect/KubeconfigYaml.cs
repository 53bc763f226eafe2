using System.Buffers;
using System.Text;
using System.Text.Json;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

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
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StreamReader(new MemoryStream(bytes)));
        }
        catch (Exception e) when (e is not YamlException)
        {
            // For some incomplete scalars the scanner throws that its own state is invalid.
            throw new YamlException("no YAML", e);
        }

        if (yaml.Documents is not [{ RootNode: var root }, ..] || root is YamlScalarNode { Value: "" or "null" or "~" })
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

        void NoteUnsupported(YamlNode entry, string kind, string[] fields)
        {
            if (Child(entry, kind) is { } node && fields.FirstOrDefault(field => Child(node, field) is not null) is { } field)
                all.Unsupported.TryAdd($"{kind} {Text(entry, "name")}", field);
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
    private static string? ExecConfig(YamlNode cluster)
    {
        var extension = Items(cluster, "extensions").FirstOrDefault(item => Text(item, "name") == "client.authentication.k8s.io/exec");
        if (extension is null || Child(extension, "extension") is not { } config)
            return null;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            WriteJson(json, config);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteJson(Utf8JsonWriter json, YamlNode node)
    {
        // An alias can stand within its own anchor, which has no end.
        if (json.CurrentDepth > 100)
            throw Unexpected(node, "too deep");
        switch (node)
        {
            case YamlMappingNode map:
                json.WriteStartObject();
                foreach (var (name, value) in map.Children)
                {
                    json.WritePropertyName(Bytes(name));
                    WriteJson(json, value);
                }
                json.WriteEndObject();
                break;
            case YamlSequenceNode list:
                json.WriteStartArray();
                foreach (var item in list.Children)
                    WriteJson(json, item);
                json.WriteEndArray();
                break;
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "null" or "Null" or "NULL" or "~" }:
                json.WriteNullValue();
                break;
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "True" or "TRUE" }:
                json.WriteBooleanValue(true);
                break;
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: "false" or "False" or "FALSE" }:
                json.WriteBooleanValue(false);
                break;
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: { } number } when IsNumber(number):
                json.WriteRawValue(number);
                break;
            default:
                json.WriteStringValue(Bytes(node));
                break;
        }

        // As UTF-8: a YAML escape can be half of a surrogate pair, which the writer refuses in a string.
        static byte[] Bytes(YamlNode node) => Encoding.UTF8.GetBytes(Scalar(node));
    }

    private static bool IsNumber(string text)
    {
        if (!char.IsAsciiDigit(text[^1]) || !(text[0] == '-' || char.IsAsciiDigit(text[0])))
            return false;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

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

    /// <summary>Null when the member is absent, or null.</summary>
    private static YamlNode? Child(YamlNode node, string name)
    {
        if (node is not YamlMappingNode mapping)
            throw Unexpected(node, "not a map");
        return mapping.Children.TryGetValue(new YamlScalarNode(name), out var child)
            && child is not YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "null" or "~" } ? child : null;
    }

    private static YamlException Unexpected(YamlNode node, string message) => new(node.Start, node.End, message);
}
