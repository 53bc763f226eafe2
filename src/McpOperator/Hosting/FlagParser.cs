namespace McpOperator.Hosting;

/// <summary>The result for the arguments of <c>run</c>: options, a request for help, or one line about what is wrong.</summary>
public sealed record ParsedFlags(RunOptions? Options, string? Error)
{
    /// <summary>Neither options nor an error: help was asked for.</summary>
    public bool HelpWanted => Options is null && Error is null;
}

/// <summary>Reads arguments as Go's flag package does: one dash or two, <c>=value</c> or the next argument.</summary>
public static class FlagParser
{
    public static ParsedFlags Parse(IReadOnlyList<string> arguments)
    {
        var given = new List<(Flag Flag, string Value)>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument is "-h" or "-help" or "--help")
                return new ParsedFlags(null, null);
            if (argument.Length < 2 || argument[0] != '-')
                return Failed(Unexpected(argument, i > 0 ? arguments[i - 1] : ""));

            var text = argument.TrimStart('-');
            var equals = text.IndexOf('=');
            var name = equals < 0 ? text : text[..equals];
            if (Flags.All.FirstOrDefault(f => f.Name == name) is not { } flag)
            {
                return Failed($"unknown flag --{Printable.Escape(name)}" +
                    (Closest.To(name, Flags.All.Select(f => f.Name)) is { } near
                        ? $"; did you mean --{near}?"
                        : "; run mcp-operator --help for the list"));
            }

            if (equals >= 0)
                given.Add((flag, text[(equals + 1)..]));
            else if (flag.IsBoolean)
                given.Add((flag, "true"));
            else if (++i < arguments.Count)
                given.Add((flag, arguments[i]));
            else
                return Failed($"--{name} needs a value: --{name}={flag.Placeholder}");
        }

        var options = new RunOptions();
        foreach (var (flag, value) in given.OrderBy(g => g.Flag.Precedence)) // stable: of a repeated flag the last wins
        {
            if (flag.Apply(options, value) is not { } changed)
                return Failed($"--{flag.Name}={Printable.Escape(value)}: must be {flag.Rule}");
            options = changed;
        }
        return Flags.Contradiction(options) is { } contradiction ? Failed(contradiction) : new ParsedFlags(options, null);
    }

    /// <summary>The list of flags for <c>--help</c>.</summary>
    public static void WriteHelp(TextWriter output)
    {
        foreach (var flag in Flags.All)
        {
            output.WriteLine(flag.IsBoolean ? $"  --{flag.Name}" : $"  --{flag.Name}={flag.Placeholder}");
            output.WriteLine($"        {flag.Help}" + (flag.Default is null ? "" : $" (default {flag.Default})"));
        }
    }

    private static ParsedFlags Failed(string error) => new(null, error);

    // "--persist-defaults false" is not possible in Go either. The error says how to write it.
    private static string Unexpected(string argument, string before)
    {
        var name = before.TrimStart('-');
        return before.StartsWith('-') && Flags.All.Any(f => f.IsBoolean && f.Name == name)
            ? $"unexpected argument \"{Printable.Escape(argument)}\"; write --{name}={Printable.Escape(argument)}"
            : $"unexpected argument \"{Printable.Escape(argument)}\"; run takes flags only";
    }
}
