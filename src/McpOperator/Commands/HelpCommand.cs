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
                   mcp-operator validate -f …   say what is wrong with manifests; needs no cluster
                   mcp-operator crds            print the CRDs that it needs
                   mcp-operator version         print version, commit and runtime
                   mcp-operator help            print this

            Flags of run, with one dash or two:
            """);
        FlagParser.WriteHelp(output, Flags.All);
        output.WriteLine(
            """

            Flags of validate:
            """);
        FlagParser.WriteHelp(output, ValidateCommand.Flags);
        output.WriteLine(
            """

            Environment of run and validate:
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
