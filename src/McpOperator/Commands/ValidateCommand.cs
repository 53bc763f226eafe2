using McpOperator.Commands.Manifests;
using McpOperator.Hosting;

namespace McpOperator.Commands;

/// <summary><c>validate</c>: what is wrong with manifests, without a cluster. Exit code 0 when nothing is, else 1; 2 when it cannot tell.</summary>
internal static class ValidateCommand
{
    public static IReadOnlyList<Flag<ManifestOptions>> Flags { get; } = [.. ManifestFlags.Common("text", "json"), ManifestFlags.Strict];

    /// <param name="error">Warnings, notes, and what is wrong with the call.</param>
    public static int Execute(IReadOnlyList<string> arguments, Func<Stream> input, TextWriter output, TextWriter error)
    {
        if (ManifestInput.Read(arguments, Flags, "validate", input, output, error, out var exitCode) is not { Options: var options } given)
            return exitCode;
        var faults = ManifestValidator.Validate(given.Manifests, given.Settings);
        if (options.Strict)
            faults = [.. faults.Select(fault => fault with { IsWarning = false })];
        if (options.Output == "json")
            ManifestReport.WriteJson(output, faults);
        else
            ManifestReport.WriteText(output, error, faults);
        return faults.Any(fault => !fault.IsWarning) ? 1 : 0;
    }
}
