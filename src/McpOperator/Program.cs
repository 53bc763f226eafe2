using McpOperator.Commands;
using McpOperator.Hosting;

namespace McpOperator;

/// <summary>Arguments → a command; nothing else.</summary>
internal static class Program
{
    private static readonly string[] Commands = ["run", "render", "validate", "diff", "crds", "version", "help"];

    public static Task<int> Main(string[] arguments) => RunAsync(arguments, Console.Out, Console.Error);

    internal static Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error)
    {
        if (arguments is ["--version", ..])
            arguments[0] = "version";
        if (arguments.Length == 0 || arguments[0].StartsWith('-'))
            return RunCommand.ExecuteAsync(arguments, output, error);
        var rest = arguments[1..];
        if (rest is ["--help" or "-h"])
            return Task.FromResult(HelpCommand.Execute([], output, error));
        return arguments[0] == "run" ? RunCommand.ExecuteAsync(rest, output, error) : OnceAsync(arguments[0], rest, output, error);
    }

    private static async Task<int> OnceAsync(string command, string[] rest, TextWriter output, TextWriter error)
    {
        try
        {
            return command switch
            {
                "render" => await RenderCommand.ExecuteAsync(rest, Console.OpenStandardInput, output, error).ConfigureAwait(false),
                "validate" => ValidateCommand.Execute(rest, Console.OpenStandardInput, output, error),
                "diff" => await DiffCommand.ExecuteAsync(rest, Console.OpenStandardInput, output, error).ConfigureAwait(false),
                "crds" => CrdsCommand.Execute(rest, output, error),
                "version" => VersionCommand.Execute(rest, output, error),
                "help" => HelpCommand.Execute(rest, output, error),
                _ => Usage.Fail(error,
                    $"unknown command \"{Printable.Escape(command)}\"" +
                    (Closest.To(command, Commands) is { } near
                        ? $"; did you mean \"{near}\"?"
                        : $"; there are {string.Join(", ", Commands)}")),
            };
        }
#pragma warning disable CA1031 // Whatever it is, who runs a command once is told so in a line, and scripts by the exit code.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Usage.Fail(error, Printable.Escape($"{command}: {exception.GetType().Name}: {exception.Message}"));
        }
    }
}
