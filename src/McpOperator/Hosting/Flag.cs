namespace McpOperator.Hosting;

/// <summary>One flag, with all that parsing, <c>--help</c> and the documentation need.</summary>
/// <param name="Name">Without dashes.</param>
/// <param name="Placeholder">What stands for the value in <c>--help</c>; null for a boolean.</param>
/// <param name="Default">As a person would write it; null when there is none.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Rule">Completes "NAME=VALUE: must be …".</param>
/// <param name="Apply">The options with the value in them; null when the value breaks the rule.</param>
public sealed record Flag(
    string Name,
    string? Placeholder,
    string? Default,
    string Help,
    string Rule,
    Func<RunOptions, string, RunOptions?> Apply)
{
    public bool IsBoolean => Placeholder is null;

    /// <summary>
    /// Flags are applied in this order, from low to high, and not in the order of the arguments, so that an alias never
    /// overrides the flag that it stands for.
    /// </summary>
    public int Precedence { get; init; } = 2;
}
