namespace McpOperator.Hosting;

/// <summary>One flag of a command: all that parsing, <c>--help</c> and the documentation say of it stands here.</summary>
/// <param name="Name">Without dashes.</param>
/// <param name="Placeholder">What stands for the value in <c>--help</c>; null for a boolean.</param>
/// <param name="Default">As a person would write it; null when there is none.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Rule">Completes "NAME=VALUE: must be …".</param>
/// <param name="Apply">The options with the value in them; null when the value breaks the rule.</param>
internal sealed record Flag<TOptions>(
    string Name,
    string? Placeholder,
    string? Default,
    string Help,
    string Rule,
    Func<TOptions, string, TOptions?> Apply)
    where TOptions : class
{
    public bool IsBoolean => Placeholder is null;

    /// <summary>One letter for it, after one dash, as kubectl has them; null when there is none.</summary>
    public char? Short { get; init; }

    /// <summary>
    /// Flags are applied in this order, from low to high, and not in the order of the arguments, so that an alias never
    /// overrides the flag that it stands for.
    /// </summary>
    public int Precedence { get; init; } = 2;
}
