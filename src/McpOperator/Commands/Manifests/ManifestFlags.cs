using McpOperator.Api;
using McpOperator.Hosting;

namespace McpOperator.Commands.Manifests;

/// <summary>The flags of the commands that read manifests, which are kubectl's where it has them.</summary>
internal static class ManifestFlags
{
    private const string BooleanRule = "true or false";

    private static readonly Flag<ManifestOptions> Filename = new(
        "filename", "FILE", null, "A file or directory of manifests, - for standard input; several times, or with commas.", "a file, a directory or -",
        (o, v) => v.Split(',') is var names && !names.Contains("") ? o with { Files = [.. o.Files, .. names] } : null)
    { Short = 'f' };

    private static readonly Flag<ManifestOptions> Recursive = new(
        "recursive", null, "false", "Look into the directories within a directory, too.", BooleanRule,
        (o, v) => Values.Boolean(v) is { } b ? o with { Recursive = b } : null)
    { Short = 'R' };

    private static readonly Flag<ManifestOptions> Namespace = new(
        "namespace", "NAMESPACE", "default", "The namespace of documents that name none; one that names another is refused.",
        "a DNS label (a-z, 0-9 and -, at most 63 characters)",
        (o, v) => Names.IsDns1123Label(v) ? o with { Namespace = v } : null)
    { Short = 'n' };

    private static readonly Flag<ManifestOptions> SetEnv = new(
        "set-env", "NAME=VALUE", null, "A variable of the operator's environment; several times.",
        $"NAME=VALUE, with a variable that the operator reads and a value that it takes: {string.Join(", ", SettingsReader.Variables.SelectMany(variable => variable.Names))}",
        Variable);

    /// <summary>Of a command that asks a cluster.</summary>
    public static readonly Flag<ManifestOptions> Kubeconfig = new(
        "kubeconfig", "FILE", "$KUBECONFIG, else in-cluster, else ~/.kube/config", "How to reach the API server.",
        "a path", (o, v) => o with { Kubeconfig = v.Length == 0 ? null : v });

    /// <summary>Of a command that can look at what is in a cluster already.</summary>
    public static readonly Flag<ManifestOptions> AllNamespaces = new(
        "all-namespaces", null, "false", "In the place of manifests, every MCPServer of the cluster as it is.", BooleanRule,
        (o, v) => Values.Boolean(v) is { } b ? o with { AllNamespaces = b } : null)
    { Short = 'A' };

    /// <summary>Of a command that can make errors of its warnings.</summary>
    public static readonly Flag<ManifestOptions> Strict = new(
        "strict", null, "false", "Warnings are errors.", BooleanRule,
        (o, v) => Values.Boolean(v) is { } b ? o with { Strict = b } : null);

    /// <summary>What is read, and for which operator.</summary>
    public static IReadOnlyList<Flag<ManifestOptions>> Input { get; } = [Filename, Recursive, Namespace, SetEnv];

    /// <summary>Those of a command that prints in one of several formats.</summary>
    /// <param name="outputs">What <c>-o</c> can be; the first one is the default.</param>
    public static IReadOnlyList<Flag<ManifestOptions>> Common(params string[] outputs) =>
    [
        .. Input,
        new("output", "FORMAT", outputs[0], $"{string.Join(" or ", outputs)}.", string.Join(" or ", outputs),
            (o, v) => outputs.Contains(v) ? o with { Output = v } : null) { Short = 'o' },
    ];

    /// <summary>Null with a fault, and null without one when help is wanted.</summary>
    public static ManifestOptions? Parse(
        IReadOnlyList<string> arguments, IReadOnlyList<Flag<ManifestOptions>> flags, string command, out string? error)
    {
        var options = FlagParser.Parse(arguments, flags, new ManifestOptions(), command, out error);
        if (options is { AllNamespaces: true })
            return options.Files.Count == 0 && options.Namespace is null ? options : Fault("--all-namespaces is about what is in the cluster: leave -f and -n out", out error);
        if (options is null || options.Files.Count > 0)
            return options is not null && options.Files.Count(name => name == ManifestFiles.Input) > 1 ? Fault("standard input can be read once only", out error) : options;
        return Fault($"{command} needs manifests: -f FILE, -f DIRECTORY, or -f - for standard input", out error);

        static ManifestOptions? Fault(string message, out string? error)
        {
            error = message;
            return null;
        }
    }

    private static ManifestOptions? Variable(ManifestOptions options, string value)
    {
        var equals = value.IndexOf('=');
        if (equals < 1 || SettingsReader.Variables.FirstOrDefault(known => known.Names.Contains(value[..equals])) is not { } variable)
            return null;
        var text = value[(equals + 1)..].Trim();
        return text.Length > 0 && variable.Apply(new OperatorSettings(), text) is null
            ? null
            : options with { Environment = new Dictionary<string, string>(options.Environment) { [value[..equals]] = text } };
    }
}
