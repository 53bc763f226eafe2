using McpOperator.Api;
using McpOperator.Hosting;

namespace McpOperator.Commands.Manifests;

/// <summary>What the commands that read manifests are told.</summary>
internal sealed record ManifestOptions
{
    /// <summary>Files, directories, and <c>-</c>.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    public bool Recursive { get; init; }

    /// <summary>All servers of the cluster, as they are, in the place of manifests.</summary>
    public bool AllNamespaces { get; init; }

    /// <summary>Null: that of each document, else "default".</summary>
    public string? Namespace { get; init; }

    /// <summary>How to print; null for the command's own way.</summary>
    public string? Output { get; init; }

    public bool Strict { get; init; }

    /// <summary>Null where it is not given.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Variables that come before those of the environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// The settings that <c>run</c> would have. Of two names of one variable, the one that was given here counts.
    /// </summary>
    /// <param name="environment"><see cref="System.Environment.GetEnvironmentVariable(string)"/>, outside tests.</param>
    public (OperatorSettings Settings, IReadOnlyList<SettingsWarning> Warnings) Settings(Func<string, string?> environment) =>
        SettingsReader.Read(name => Environment.TryGetValue(name, out var given) ? given
            : SettingsReader.Variables.Any(variable => variable.Names.Contains(name) && variable.Names.Any(Environment.ContainsKey)) ? null
            : environment(name));
}
