namespace McpOperator.Hosting;

/// <summary>The result for the arguments of <c>run</c>: options, a request for help, or one line about what is wrong.</summary>
internal sealed record ParsedFlags(RunOptions? Options, string? Error)
{
    /// <summary>Neither options nor an error: help was asked for.</summary>
    public bool HelpWanted => Options is null && Error is null;
}

/// <summary>Reads arguments as Go's flag package does: one dash or two, <c>=value</c> or the next argument. And kubectl's single letters.</summary>
internal static class FlagParser
{
    public static ParsedFlags Parse(IReadOnlyList<string> arguments)
    {
        var options = Parse(arguments, Flags.All, new RunOptions(), "run", out var error);
        return options is not null && Flags.Contradiction(options) is { } contradiction ? new(null, contradiction) : new(options, error);
    }

    /// <summary>The options with what the arguments say in them. Null with a fault, and null without one when help is wanted.</summary>
    /// <param name="error">One line about what is wrong.</param>
    public static TOptions? Parse<TOptions>(
        IReadOnlyList<string> arguments, IReadOnlyList<Flag<TOptions>> flags, TOptions options, string command, out string? error)
        where TOptions : class
    {
        var given = new List<(Flag<TOptions> Flag, string Value)>();
        error = null;
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument is "-h" or "-help" or "--help")
                return null;
            if (argument.Length < 2 || argument[0] != '-')
            {
                error = Unexpected(argument, i > 0 ? arguments[i - 1] : "", flags, command);
                return null;
            }

            var text = argument.TrimStart('-');
            var equals = text.IndexOf('=');
            var name = equals < 0 ? text : text[..equals];
            var value = equals < 0 ? null : text[(equals + 1)..];
            var flag = flags.FirstOrDefault(f => f.Name == name);
            if (flag is null && argument[1] != '-' && flags.FirstOrDefault(f => f.Short == text[0]) is { } letter)
            {
                // "-fFILE", "-f=FILE", and "-Rf FILE".
                flag = letter;
                value = text.Length == 1 ? null : text[1] == '=' ? text[2..] : text[1..];
                while (flag is { IsBoolean: true } && value is [var next, ..] && flags.FirstOrDefault(f => f.Short == next) is { } another)
                {
                    given.Add((flag, "true"));
                    flag = another;
                    value = value.Length == 1 ? null : value[1] == '=' ? value[2..] : value[1..];
                }
            }

            if (flag is null)
            {
                error = $"unknown flag --{Printable.Escape(name)}" +
                    (Closest.To(name, flags.Select(f => f.Name)) is { } near
                        ? $"; did you mean --{near}?"
                        : "; run mcp-operator --help for the list");
                return null;
            }

            if (value is not null)
                given.Add((flag, value));
            else if (flag.IsBoolean)
                given.Add((flag, "true"));
            else if (++i < arguments.Count)
                given.Add((flag, arguments[i]));
            else
            {
                error = $"--{flag.Name} needs a value: --{flag.Name}={flag.Placeholder}";
                return null;
            }
        }

        foreach (var (flag, value) in given.OrderBy(g => g.Flag.Precedence)) // stable: of a repeated flag the last wins
        {
            if (flag.Apply(options, value) is not { } changed)
            {
                error = $"--{flag.Name}={Printable.Escape(value)}: must be {flag.Rule}";
                return null;
            }
            options = changed;
        }
        return options;
    }

    /// <summary>The list of flags for <c>--help</c>.</summary>
    public static void WriteHelp<TOptions>(TextWriter output, IReadOnlyList<Flag<TOptions>> flags)
        where TOptions : class
    {
        foreach (var flag in flags)
        {
            var name = flag.Short is { } letter ? $"  -{letter}, --{flag.Name}" : $"  --{flag.Name}";
            output.WriteLine(flag.IsBoolean ? name : $"{name}={flag.Placeholder}");
            output.WriteLine($"        {flag.Help}" + (flag.Default is null ? "" : $" (default {flag.Default})"));
        }
    }

    // "--persist-defaults false" reads well and is no value in Go either: say how it is written.
    private static string Unexpected<TOptions>(string argument, string before, IReadOnlyList<Flag<TOptions>> flags, string command)
        where TOptions : class
    {
        var name = before.TrimStart('-');
        return before.StartsWith('-') && flags.Any(f => f.IsBoolean && f.Name == name)
            ? $"unexpected argument \"{Printable.Escape(argument)}\"; write --{name}={Printable.Escape(argument)}"
            : $"unexpected argument \"{Printable.Escape(argument)}\"; {command} takes flags only";
    }
}
