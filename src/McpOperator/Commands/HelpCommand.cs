using McpOperator.Commands.Manifests;
using McpOperator.Hosting;

namespace McpOperator.Commands;

/// <summary><c>help</c> and <c>--help</c>.</summary>
internal static class HelpCommand
{
    public static int Execute(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        if (arguments.Count > 0)
            return Usage.Fail(error, "help takes no arguments");
        output.WriteLine(
            """
            mcp-operator turns MCPServer objects into Deployments, Services and Ingresses, and keeps them so.

            Usage: mcp-operator [run] [flags]   the operator
                   mcp-operator render -f …     print what the operator would apply for manifests; needs no cluster
                   mcp-operator validate -f …   say what is wrong with manifests; needs no cluster
                   mcp-operator diff -f …       say what the operator would change in a cluster for manifests
                   mcp-operator crds            print the CRDs that it needs
                   mcp-operator version         print version, commit and runtime
                   mcp-operator help            print this

            Flags of run, with one dash or two:
            """);
        FlagParser.WriteHelp(output, Flags.All);
        output.WriteLine("\nFlags of render, validate and diff:\n");
        FlagParser.WriteHelp(output, ManifestFlags.Input);
        output.WriteLine("\nOf render, too:\n");
        FlagParser.WriteHelp(output, [.. RenderCommand.Flags.Except(ManifestFlags.Input)]);
        output.WriteLine("\nOf validate, too:\n");
        FlagParser.WriteHelp(output, [.. ValidateCommand.Flags.Except(ManifestFlags.Input)]);
        output.WriteLine("\nOf diff, too: --kubeconfig, as run has it; and\n");
        FlagParser.WriteHelp(output, [ManifestFlags.AllNamespaces]);
        output.WriteLine(
            """

            Environment of all of these:
            """);
        foreach (var variable in SettingsReader.Variables)
        {
            output.WriteLine($"  {string.Join(", else ", variable.Names)}");
            output.WriteLine($"        {variable.Meaning}" +
                (variable.Default is null ? "" : $" (default {variable.Default})"));
        }
        return 0;
    }
}
