using McpOperator.Api;
using McpOperator.Hosting;

namespace McpOperator.Commands.Manifests;

/// <summary>What a command that reads manifests was given.</summary>
internal sealed class ManifestInput(ManifestOptions options, OperatorSettings settings, ManifestSet manifests)
{
    public ManifestOptions Options => options;

    public OperatorSettings Settings => settings;

    public ManifestSet Manifests => manifests;

    /// <summary>Whether the operator would refuse a document; prints why.</summary>
    /// <param name="error">Where to.</param>
    /// <param name="reports">
    /// Whether to print also what it would report while it goes on. Not for who knows more than the manifests: in a cluster, the other
    /// one of two may have the route.
    /// </param>
    public bool IsRefused(TextWriter error, bool reports)
    {
        List<ManifestFault> faults =
            [.. ManifestValidator.Validate(Manifests, Settings).Where(fault => !fault.IsWarning && (reports || !fault.IsReported))];
        ManifestReport.WriteText(error, error, faults.Select(fault => fault with { IsWarning = fault.IsReported }));
        return faults.Exists(fault => !fault.IsReported);
    }

    /// <summary>Reads all of it; notes and warnings go to <paramref name="error"/>.</summary>
    /// <param name="error">Also what is wrong with the call.</param>
    /// <param name="exitCode">What the command ends with when there is nothing to go on with.</param>
    /// <returns>Null when there is not.</returns>
    public static ManifestInput? Read(
        IReadOnlyList<string> arguments, IReadOnlyList<Flag<ManifestOptions>> flags, string command, Func<Stream> input, TextWriter output,
        TextWriter error, out int exitCode)
    {
        exitCode = 0;
        if (ManifestFlags.Parse(arguments, flags, command, out var wrong) is not { } options)
        {
            exitCode = wrong is null ? HelpCommand.Execute([], output, error) : Usage.Fail(error, wrong);
            return null;
        }

        var (settings, warnings) = options.Settings(Environment.GetEnvironmentVariable);
        foreach (var warning in warnings)
            error.WriteLine($"warning: {warning.Variable}={Printable.Escape(warning.Value)}: must be {warning.Rule}; the default is used: {warning.Default}");
        try
        {
            var read = ManifestReader.Read(options, input);
            foreach (var note in read.Notes)
                error.WriteLine($"note: {Printable.Escape(note)}");
            return new ManifestInput(options, settings, read);
        }
        catch (IOException e)
        {
            exitCode = Usage.Fail(error, Printable.Escape(e.Message));
            return null;
        }
    }
}
