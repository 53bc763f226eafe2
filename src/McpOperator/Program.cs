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
        return arguments[0] switch
        {
            "run" => RunCommand.ExecuteAsync(rest, output, error),
            "render" => RenderCommand.ExecuteAsync(rest, Console.OpenStandardInput, output, error),
            "validate" => Task.FromResult(ValidateCommand.Execute(rest, Console.OpenStandardInput, output, error)),
            "diff" => DiffCommand.ExecuteAsync(rest, Console.OpenStandardInput, output, error),
            "crds" => Task.FromResult(CrdsCommand.Execute(rest, output, error)),
            "version" => Task.FromResult(VersionCommand.Execute(rest, output, error)),
            "help" => Task.FromResult(HelpCommand.Execute(rest, output, error)),
            var unknown => Task.FromResult(Usage.Fail(error,
                $"unknown command \"{Printable.Escape(unknown)}\"" +
                (Closest.To(unknown, Commands) is { } near
                    ? $"; did you mean \"{near}\"?"
                    : $"; there are {string.Join(", ", Commands)}"))),
        };
    }
}
